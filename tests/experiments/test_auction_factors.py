"""The factorial experiment on auctions: its designs, its points, and a run too short to learn much."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from catallax.experiments.learning_dynamics.auction_factors_claims import CLAIMS
from catallax.experiments.learning_dynamics.auction_factors_reading import (
    OUTCOMES,
    effect_of,
    outcomes,
    same_bids,
    windows,
)

from catallax.experiments.learning_dynamics.auction_factors import Settings, cells, experiment
from catallax.experiments.learning_dynamics.auction_factors_design import (
    FACTORS,
    design_of,
    game_of,
    groups,
    points_of,
    shape_of,
    static_prices,
)
from catallax.games.sealed_bid import lowest_symmetric_bid
from catallax.lab.claims import judge_all
from catallax.lab.execute import execute
from catallax.lab.experiment import Scale
from catallax.measures.sealed_bid import LastBids, Revenue

ROUNDS = 500


def shortened(settings):
    measures = (Revenue(ROUNDS // 50), LastBids(ROUNDS))
    return tuple(
        replace(c, steps={"quick": ROUNDS}, measures=measures) for c in cells(settings) if c.scales == ("quick",)
    )


@pytest.fixture(scope="module", autouse=True)
def compile_fast():
    """Four programs are compiled and run for moments: half the time without optimisation."""
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    scale = Scale(steps=ROUNDS, replications=10, block=10, chunk=ROUNDS)
    short = replace(experiment, cells=shortened, scales={"quick": scale})
    return execute(short, Settings(), "quick", 0, tmp_path_factory.mktemp("factors") / "run")


@pytest.mark.parametrize(("scale", "points", "resolution", "count"), [("quick", 128, 8, 4), ("paper", 512, 10, 16)])
def test_designs(scale, points, resolution, count):
    design, cell = design_of(scale), groups(scale)
    assert len(design.matrix) == points and design.resolution == resolution
    assert len(cell) == count and {len(v) for v in cell.values()} == {points // count}
    assert sorted(n for numbers in cell.values() for n in numbers) == list(range(points))
    for numbers in cell.values():
        assert len({shape_of(points_of(scale)[n]) for n in numbers}) == 1
    if scale == "paper":
        assert set(design.factors) == set(FACTORS)


def test_points_say_what_is_played():
    for point in points_of("paper")[::37]:
        game = game_of(point)
        assert game.bidders == point["bidders"] and game.bids.shape[0] == point["bids"]
        assert float(game.rule) == point["format"] and float(game.reserve) == point["reserve"]
        assert game.feedback.startswith("full") == bool(point["update"])
        assert game.feedback.endswith("winning bid") == bool(point["information"])


def test_static_prices_are_those_of_theory():
    for point, price in zip(points_of("paper"), static_prices("paper"), strict=True):
        step = 1 / (point["bids"] + 1)
        grid = step * np.arange(1, point["bids"] + 1)
        least = lowest_symmetric_bid(int(point["bidders"]), step) if point["format"] == 1 else 1 - step
        assert price == pytest.approx(grid[grid >= least - 1e-9].min(), abs=1e-6)


def test_outcomes_and_effects(results):
    found = outcomes(results)
    assert set(found) == set(OUTCOMES) and all(v.shape == (10, 128) for v in found.values())
    path = windows(results)
    assert path.shape == (10, 128, 50) and (path >= 0).all() and (path < 1).all()
    assert set(np.unique(same_bids(results))) <= {0.0, 1.0}
    design = design_of("quick")
    for term in (("format",), ("bidders", "gamma"), ("update", "gamma", "bidders")):
        side = design.column(tuple(sorted(term, key=design.factors.index))) > 0
        by_hand = found["price"][:, side].mean(axis=1) - found["price"][:, ~side].mean(axis=1)
        np.testing.assert_allclose(effect_of(term)(results), by_hand, atol=1e-12)


def test_settled_is_the_share_of_the_run_before_the_price_stays(results):
    path, settled = windows(results), outcomes(results)["settled"]
    for r, p in ((0, 0), (3, 17), (9, 127)):
        last = max((k + 1 for k in range(50) if abs(path[r, p, k] - path[r, p, -1]) > 0.02), default=0)
        assert settled[r, p] == last / 50


def test_every_claim_is_judged_and_tables_render(results):
    judged = judge_all(CLAIMS, results)
    assert judged.failed == ()
    verdicts = {v.id: v for v in judged.verdicts}
    assert verdicts["affiliated_values"].verdict == "not comparable"
    assert "does not run" in verdicts["format.bids"].note
    assert verdicts["bidders.price"].verdict == "reproduced"  # the higher of four random bids
    report = experiment.report(results)
    assert {t.name for t in report.tables} == {"factors", "outcomes", "main_effects", "interactions"}
    assert all(t.text() and t.csv() and t.markdown() for t in report.tables)
    assert all(f.render().png[:4] == b"\x89PNG" for f in report.figures)
