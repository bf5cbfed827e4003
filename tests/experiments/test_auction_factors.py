"""The factorial experiment on auctions: its designs, its points, and how outcomes and effects are read."""

import numpy as np
import pytest
import xarray
from doctored import HandMade

from catallax.experiments.learning_dynamics.auction_factors import MEANINGS, effect_of, experiment, outcomes, windows
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


@pytest.fixture(scope="module")
def results():
    """A run at scale quick made by hand: prices of 50 windows of 240 auctions, and last bids, drawn for each point."""
    rng, datasets = np.random.default_rng(3), {}
    for name, numbers in groups("quick").items():
        price = rng.uniform(0.2, 0.9, (10, len(numbers), 50))
        price[:, :, 20:] = price[:, :, -1:] + rng.uniform(-0.03, 0.03, (10, len(numbers), 30)) * (rng.random() < 0.9)
        bids = rng.choice([0.1, 0.2], (10, len(numbers), 1, int(name[0])))
        datasets[name] = xarray.Dataset(
            {
                "revenue": (("replicate", "point", "phase_every_240", "copy"), 240 * price.cumsum(axis=2)[..., None]),
                "bid": (("replicate", "point", "phase_every_12000", "copy", "bidder"), bids[:, :, None]),
            }
        )
        datasets[name]["revenue"].attrs["every"] = 240
    return HandMade(experiment, datasets)


def test_outcomes_stand_at_their_points(results):
    found = {name: outcome(results) for name, outcome in outcomes.items()}
    assert set(found) == set(MEANINGS) and all(v.shape == (10, 128) for v in found.values())
    assert windows(results).shape == (10, 128, 50)
    np.testing.assert_allclose(found["relative_price"], found["price"] / static_prices("quick"))
    for name, numbers in groups("quick").items():
        data = results.dataset(name)
        for i in (0, 5, len(numbers) - 1):
            total, bids = data["revenue"].values[:, i, :, 0], data["bid"].values[:, i, 0, 0]
            np.testing.assert_allclose(found["price"][:, numbers[i]], (total[:, -1] - total[:, -2]) / 240)
            np.testing.assert_array_equal(found["same_bid"][:, numbers[i]], (bids == bids[:, :1]).all(axis=1))
    assert set(np.unique(found["same_bid"])) == {0.0, 1.0}


def test_effects_are_differences_of_means(results):
    design, price = design_of("quick"), outcomes["price"](results)
    for term in (("format",), ("bidders", "gamma"), ("update", "gamma", "bidders")):
        side = design.column(tuple(sorted(term, key=design.factors.index))) > 0
        by_hand = price[:, side].mean(axis=1) - price[:, ~side].mean(axis=1)
        np.testing.assert_allclose(effect_of(term)(results), by_hand, atol=1e-12)


def test_settled_is_the_share_of_the_run_before_the_price_stays(results):
    path, settled = windows(results), outcomes["settled"](results)
    for r, p in ((0, 0), (3, 17), (9, 127), (5, 64)):
        last = max((k + 1 for k in range(50) if abs(path[r, p, k] - path[r, p, -1]) > 0.02), default=0)
        assert settled[r, p] == last / 50
    assert len(np.unique(settled)) > 10


def test_claims_on_factors_that_the_scale_does_not_vary_say_so(results):
    bids = next(claim for claim in experiment.claims if claim.id == "format.bids")
    (verdict,) = judge_all([bids], results).verdicts
    assert verdict.verdict == "not comparable" and "does not run" in verdict.note
