"""Learners among scripted traders: who sits where and sees what, and that every claim finds its cell."""

import numpy as np
import pytest
from catallax.experiments.double_auction.opponents_claims import CLAIMS, LABELS, PLACES, advantage, gain
from msgspec import Struct

from catallax.agents.deep import Reinforce
from catallax.agents.parts import MLP
from catallax.agents.traders import GD, Kaplan
from catallax.core import rng, run
from catallax.experiments.double_auction.opponents import (
    INSTITUTIONS,
    MEASURES,
    OPPONENTS,
    Settings,
    experiment,
    line_up,
    memoryless,
    standing,
)


def test_every_claim_and_label_finds_its_cell():
    cells = {cell.name for cell in experiment.build_cells(Settings(), "paper")}
    assert set(LABELS) == {name for name, _ in OPPONENTS} and tuple(INSTITUTIONS) == PLACES
    for claim in CLAIMS:
        for cell in claim.needs:
            assert {cell, f"{cell}.alone"} <= cells
    assert {"memoryless.zic.buyer", "memoryless.zic.seller"} <= cells
    quick = {cell.name for cell in experiment.build_cells(Settings(), "quick")}
    assert "memoryless.zic" in quick < cells


@pytest.mark.parametrize(("game", "rule"), [(memoryless, GD()), (standing, Kaplan())])
def test_learners_take_the_first_seats_and_are_shown_no_tape(game, rule):
    learner = Reinforce(network=MLP((4,)))
    play = line_up(game(), rule, learner, ("buyer", "seller"))
    seats = [(g.role, g.seats, type(g.control.agent)) for g in play.population.groups]
    others = type(rule)
    assert seats == [
        ("buyer", (0,), Reinforce),
        ("buyer", (1, 2, 3), others),
        ("seller", (0,), Reinforce),
        ("seller", (1, 2, 3), others),
    ]
    found = run(play, rng.key(0), 2, MEASURES)
    assert found.state.agents[0].layers[0].weight.shape == (1, 6, 4)
    assert np.isfinite(np.asarray(found.series["buyer_profit"])).all()


class _Data(dict):
    """A dataset of two replications, one phase of two rounds, four seats."""

    def dataset(self, cell):
        return self[cell]


def test_what_learning_earns_is_read_against_neighbours_and_against_the_rule_in_the_same_seat():
    import xarray

    def profits(first, others):
        values = np.zeros((2, 1, 2, 4))
        values[..., 0], values[..., 1:] = first, others
        return xarray.Dataset({"buyer_profit": (("replicate", "phase", "copy", "buyer"), values)})

    results = _Data({"m": profits(9.0, 5.0), "m.alone": profits(6.0, 6.5)})
    np.testing.assert_allclose(advantage("m", "buyer")(results), [4.0, 4.0])
    np.testing.assert_allclose(gain("m", "buyer")(results), [3.0, 3.0])
    assert issubclass(Settings, Struct)
