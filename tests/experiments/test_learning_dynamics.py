"""The experiments on learning dynamics at scale quick: every claim is judged, every table and figure is made."""

import pytest

from catallax.experiments.catalogue import CATALOGUE, load
from catallax.lab.claims import judge_all

FAMILY = [name for name in CATALOGUE if name.startswith("learning_dynamics.")]
NOT_COMPARABLE = {
    "auctions": {"distribution_of_bids"},
    "auction_factors": {"format.bids", "affiliated_values"},
    "exploration": {"curves"},
    "first_price": {"cross_learning.equation"},
    "network": {"numbers"},
    "phase_portraits": {"curves"},
    "population": {"figures"},
}
"""Claims that are not comparable: by experiment."""
OPEN = {
    "auction_factors": {"format.settled", "format.update", "first_price.discount", "first_price.suppression"},
    "first_price": {"cross_learning.limit", "frequency_adjusted.limit"},
    "network": {"selection.some.others"},
    "population": {"agents"},
}
"""Claims that ten replications at scale quick do not reproduce or do not decide."""
TABLES = {
    "auctions": ["settings", "price_rules"],
    "auction_factors": ["factors", "outcomes", "main_effects", "interactions"],
    "exploration": ["surface", "paths", "split"],
    "first_price": ["ends", "logit_equilibria", "learners"],
    "network": ["surface", "selection", "lyapunov"],
    "phase_portraits": ["one_explorer", "rock_paper_scissors"],
    "population": ["reference", "games", "kept", "errors", "orders"],
    "q_learning_flow": ["amps_equilibria", "line_equilibria", "amps_trajectories", "learners"],
}
FIGURES = {
    "auctions": ["prices", "where_runs_end"],
    "auction_factors": ["effects", "formats"],
    "exploration": ["figure_1", "figure_6", "figure_10"],
    "first_price": ["basins", "branches", "learners"],
    "network": ["figure_3", "figure_4", "figure_5", "figure_9"],
    "phase_portraits": ["figure_2", "figure_7", "figure_8", "modified"],
    "population": ["densities", "paths", "rates"],
    "q_learning_flow": ["lyapunov"],
}


@pytest.mark.parametrize("name", FAMILY)
def test_every_claim_is_judged_and_none_fails(quick_run, name):
    short = name.removeprefix("learning_dynamics.")
    judged = judge_all(load(name).claims, quick_run(name))
    assert judged.failed == ()
    verdicts = {v.id: v.verdict for v in judged.verdicts}
    named = lambda *names: {key for key, verdict in verdicts.items() if verdict in names}
    assert named("not comparable") == NOT_COMPARABLE.get(short, set())
    assert set(verdicts) - named("reproduced", "context", "not comparable") == OPEN.get(short, set())


@pytest.mark.parametrize("name", FAMILY)
def test_tables_and_figures_render(quick_run, name):
    short = name.removeprefix("learning_dynamics.")
    report = load(name).report(quick_run(name))
    assert [t.name for t in report.tables] == TABLES[short]
    assert [f.name for f in report.figures] == FIGURES[short]
    assert all(t.text() and t.csv() and t.markdown() for t in report.tables)
    for figure in report.figures:
        drawing = figure.render()
        assert drawing.png[:4] == b"\x89PNG" and len(drawing.csv.splitlines()) == len(figure.data) + 1 > 5
