"""A market of one's own: a user's trader, a user's schedule, and what is wrong with them in one line."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest

from catallax.agents.traders import AbstractTrader
from catallax.core import BuildError, FileError, InputError
from catallax.experiments.double_auction.market import Settings, experiment, market, play
from catallax.lab.execute import execute
from catallax.lab.experiment import Scale
from catallax.lab.settings import decode_settings, load_class

pytestmark = pytest.mark.compile_effort("least")

HEAD = """import jax.numpy as jnp
from catallax.agents.traders import AbstractTrader
from catallax.games.double_auction import Order
class Mine(AbstractTrader):
    def quote(self, key, memory, obs):
"""
GOOD = HEAD + "        return Order(obs.limit - 5.0, obs.limit), memory\n"
WRONG_SHAPE = HEAD + "        return Order(jnp.zeros(2), obs.limit), memory\n"
NOT_AN_ORDER = HEAD + "        return obs.limit, memory\n"
NAN = HEAD + "        return Order(jnp.where(obs.step == 7, jnp.nan, obs.limit), obs.limit), memory\n"
HIDDEN = HEAD + "        return Order(obs.tape.last_bid, obs.limit), memory\n"


def write(folder: Path, text: str, name: str = "mine.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def cli(*arguments: str, cwd: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "catallax.cli", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300)


def test_a_users_trader_trades_and_stands_in_the_table(tmp_path):
    settings = decode_settings(experiment, {"trader": str(write(tmp_path, GOOD)), "disclosure": "full"})
    tiny = replace(experiment, scales={"quick": Scale(steps=10, replications=2, block=2, chunk=10)})
    results = execute(tiny, settings, "quick", 0, tmp_path / "run")
    profits = next(t for t in tiny.report(results).tables if t.name == "profits").frame
    assert profits.loc[profits["seat"] == "buyer 1", "trader"].item() == "Mine"
    assert profits.loc[profits["seat"] == "seller 1", "trader"].item() == "Mine"
    assert set(profits["trader"]) == {"Mine", "ZIC"} and len(profits) == 8
    earned = results.dataset("market")["buyer_profit"].sum() + results.dataset("market")["seller_profit"].sum()
    np.testing.assert_allclose(float(earned), float(results.dataset("market")["surplus"].sum()), rtol=1e-5)
    for figure in tiny.report(results).figures:
        assert figure.render().svg.startswith(b"<?xml")


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        (WRONG_SHAPE, 2, "Mine in role 'buyer'"),
        (NOT_AN_ORDER, 2, "Mine in role 'buyer'"),
        (HIDDEN, 2, "Mine in role 'buyer'"),
        ("def (:\n", 3, "mine.py:1: not valid Python"),
        ("import nothing_of_the_kind\n", 3, "mine.py:1: failed while it was loaded"),
        ("x = 1\n", 2, "expected one class that extends AbstractAgent, found none"),
        (GOOD + GOOD.split("import Order\n")[1].replace("Mine", "Other"), 2, "found Mine, Other"),
    ],
)
def test_a_bad_trader_is_one_clear_line_and_leaves_nothing(tmp_path, text, code, message):
    from catallax.cli.main import main

    write(tmp_path, text)
    out = tmp_path / "out"
    assert main(["run", "double_auction.market", "--set", f"trader={tmp_path / 'mine.py'}", "--out", str(out)]) == code
    assert not out.exists()


def test_the_line_names_the_trader(tmp_path, capsys):
    from catallax.cli.main import main

    main(
        [
            "run",
            "double_auction.market",
            "--set",
            f"trader={write(tmp_path, WRONG_SHAPE)}",
            "--out",
            str(tmp_path / "o"),
        ]
    )
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert "Mine in role 'buyer'" in error and "shape (2,)" in error


def test_a_trader_that_turns_nan_stops_the_run_with_exit_4(tmp_path):
    write(tmp_path, NAN)
    done = cli(
        "run", "double_auction.market", "--set", "trader=mine.py", "--replications", "2", "--out", "out", cwd=tmp_path
    )
    assert done.returncode == 4, done.stderr
    assert "nan_actions" in done.stderr or "NaN" in done.stderr


def test_a_trader_of_no_known_name_is_refused_and_the_nearest_named():
    for side in ("buyers", "sellers"):
        with pytest.raises(InputError, match="no trader 'kaplen'; did you mean 'kaplan'"):
            decode_settings(experiment, {side: "kaplen"})
    assert decode_settings(experiment, {"buyers": "reinforce", "disclosure": "full"}).buyers == "reinforce"


def test_two_schedules_and_reversed_bounds_are_refused(tmp_path):
    path = write(tmp_path, "side,trader,unit,price\nbuyer,1,1,10\nseller,1,1,5\n", "s.csv")
    with pytest.raises(InputError, match="give one"):
        market(Settings(schedule=path, published="smith"))
    with pytest.raises(InputError, match="low must be below high"):
        market(Settings(low=90.0, high=35.0))
    free = write(tmp_path, "side,trader,unit,price\nbuyer,1,1,0\nseller,1,1,0\n", "free.csv")
    with pytest.raises(InputError, match=r"got 0 and 0 \(from the schedule: low is 0"):
        market(Settings(schedule=free))
    with pytest.raises(FileError, match=r"s\.csv:3"):
        market(
            Settings(
                schedule=write(tmp_path, "side,trader,unit,price\nbuyer,1,1,10\nbuyer,1,2,20\nseller,1,1,5\n", "s.csv")
            )
        )


@pytest.mark.parametrize("institution", ["continuous", "call", "posted_offer"])
def test_other_institutions_fill_the_same_tables(institution, tmp_path):
    settings = decode_settings(experiment, {"institution": institution, "environment": "TOK", "sellers": "zip"})
    tiny = replace(experiment, scales={"quick": Scale(steps=10, replications=2, block=2, chunk=10)})
    results = execute(tiny, settings, "quick", 0, tmp_path / "run")
    data = results.dataset("market")
    assert float(data["trades"].mean()) > 0.2
    np.testing.assert_allclose(
        float(data["buyer_profit"].sum() + data["seller_profit"].sum()), float(data["surplus"].sum()), rtol=1e-5
    )
    assert float(data["efficiency"].max()) <= 1.0
    assert {t.name for t in tiny.report(results).tables} == {"performance", "profits"}
    for figure in tiny.report(results).figures:
        assert figure.render().svg.startswith(b"<?xml")


def test_a_setting_of_another_institution_is_refused():
    with pytest.raises(InputError, match="institution=call has no setting steps"):
        market(Settings(institution="call", steps=20))
    with pytest.raises(InputError, match="institution=continuous has no setting acceptance"):
        market(Settings(institution="continuous", acceptance="crossing"))
    with pytest.raises(InputError, match="institution=aurora has no setting clear_after_trade"):
        market(Settings(institution="aurora", clear_after_trade=True))
    with pytest.raises(InputError, match="institution=memoryless has no setting environment"):
        market(Settings(environment="SHRT"))
    with pytest.raises(BuildError, match=r"low must be a multiple of the tick 1, got 0\.5"):
        market(Settings(institution="continuous", low=0.5))


@pytest.mark.parametrize(
    "published", ["smith", "cliff_a", "cliff_b", "cliff_d", "gjerstad_dickhaut", "santa_fe_sample"]
)
@pytest.mark.parametrize("institution", ["memoryless", "aurora", "continuous", "call", "posted_offer"])
def test_every_published_schedule_can_be_played(published, institution):
    dynamics = play(Settings(published=published, institution=institution))
    assert jax.eval_shape(dynamics.init, jax.random.key(0)).worlds.bought.shape[1] == dynamics.game.buyers


def test_load_class_finds_the_one_class(tmp_path):
    assert load_class(write(tmp_path, GOOD), AbstractTrader).__name__ == "Mine"
    with pytest.raises(FileError, match="expected a Python file"):
        load_class(tmp_path / "missing.py", AbstractTrader)
