"""A new piece of any kind is one file and one line: in a copy of the tree, each is added so and found by the tests."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ("tests/conftest.py", "tests/annotations.py", "tests/compile_effort.py", "tests/cpu_seconds.py")
NEEDED = ("src", "pyproject.toml", "tools/reproduce_all.py", *PLUGINS, "tests/zoo")
NEEDED += ("tests/test_contracts.py",)


class Piece(NamedTuple):
    """A file below src/catallax with its text, and the line that is added to another file."""

    file: str
    text: str
    registry: str
    line: str


PIECES = {
    "Halfway": Piece(
        "agents/traders/halfway.py",
        """
from typing import ClassVar
from catallax.games.double_auction import Order
from .trader import AbstractTrader

class Halfway(AbstractTrader):
    short_name: ClassVar[str] = "halfway"

    def quote(self, key, memory, obs):
        return Order((obs.low + obs.limit) / 2, obs.limit), memory
""",
        "agents/traders/__init__.py",
        "from .halfway import Halfway as Halfway",
    ),
    "Cake": Piece(
        "games/growth/cake.py",
        """
import jax.numpy as jnp
from catallax.core import AbstractGame, Outcome, Real, Role

class Cake(AbstractGame):
    @property
    def roles(self):
        return (Role("eater", 2, Real(0.0, 1.0)),)

    def init(self, key):
        return jnp.ones(2)

    def observe(self, world):
        return {"eater": world[:, None]}

    def step(self, key, world, action):
        eaten = world * action["eater"]
        return world - eaten, Outcome({"eater": eaten}, {"eater": jnp.ones(2)}, ())
""",
        "games/growth/__init__.py",
        "from .cake import Cake as Cake",
    ),
    "Habit": Piece(
        "agents/tabular/habit.py",
        """
import jax
import jax.numpy as jnp
from catallax.core import AbstractAgent

class Habit(AbstractAgent):
    def init(self, key, spec):
        return jnp.zeros(spec.action.n)

    def reset(self, key, state):
        return ()

    def act(self, key, state, memory, obs):
        return jax.random.categorical(key, state), memory, ()

    def learn(self, key, state, batch, t):
        return state.at[batch.action[0, 0]].add(1.0), {"most": state.max()}
""",
        "agents/tabular/__init__.py",
        "from .habit import Habit as Habit",
    ),
    "Fading": Piece(
        "solvers/matrix/flow/fading.py",
        """
from typing import Any
import jax
import jax.numpy as jnp
from catallax.core import AbstractDynamics

class Fading(AbstractDynamics):
    game: Any

    def init(self, key):
        return jax.random.normal(key, (2,)), jnp.float32(jnp.inf)

    def step(self, key, state, t):
        return (state[0] / 2, jnp.abs(state[0] / 2).max()), ()

    def residual(self, state):
        return state[1]
""",
        "solvers/matrix/flow/__init__.py",
        "from .fading import Fading as Fading",
    ),
    "Wealth": Piece(
        "measures/matrix/wealth.py",
        """
from catallax.core import AbstractMeasure, Variable, count

class Wealth(AbstractMeasure):
    every: int = count(1)

    @property
    def variables(self):
        return (Variable("wealth", (), "payoff", "what everybody earned in the phase"),)

    def __call__(self, dynamics, state, record, t):
        return {"wealth": sum(batch.reward.sum() for batch in record.batches)}
""",
        "measures/matrix/__init__.py",
        "from .wealth import Wealth as Wealth",
    ),
    "test.pennies": Piece(
        "experiments/pennies.py",
        """
import msgspec
from catallax.agents.tabular import BoltzmannQ
from catallax.core import Group, MeanReward, Play, Population
from catallax.games.matrix import Repeated, matching_pennies
from catallax.lab import Cell, Experiment, Scale
from catallax.lab.report import Report

class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    temperature: float = 1.0

def cells(settings):
    def build():
        game, rule = Repeated(matching_pennies()), BoltzmannQ(settings.temperature)
        return Play(game, Population([Group(role.name, None, rule) for role in game.roles]), length=2)
    return (Cell(name="pennies", label="Pennies", build=build, measures=(MeanReward(),)),)

experiment = Experiment(
    name="test.pennies", title="Pennies", summary="Two learners", sources=(), settings=Settings, cells=cells,
    scales={name: Scale(steps=4, replications=2, block=2, chunk=4) for name in ("quick", "paper")},
    report=lambda results: Report(), claims=(),
)
""",
        "experiments/catalogue.py",
        'CATALOGUE["test.pennies"] = Entry("catallax.experiments.pennies", "Two learners")',
    ),
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the contracts need, with one more piece of every kind."""
    tree = tmp_path_factory.mktemp("tree")
    for name in NEEDED:
        target = tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, target)
    package = tree / "src" / "catallax"
    for piece in PIECES.values():
        (package / piece.file).write_text(piece.text, encoding="utf-8")
        with (package / piece.registry).open("a", encoding="utf-8") as registry:
            registry.write(piece.line + "\n")
    return tree


def python(tree: Path, *arguments: str) -> str:
    """What Python printed in the copy, with the package of the copy."""
    environment = {**os.environ, "PYTHONPATH": str(tree / "src"), "CATALLAX_QUICK_RUNS": str(tree / "runs")}
    environment = {name: value for name, value in environment.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_contracts_find_a_new_trader_game_learner_solver_and_measure(tree: Path) -> None:
    names = [name for name in PIECES if "." not in name]
    said = python(
        tree, "-m", "pytest", "-p", "no:cacheprovider", "-v", "tests/test_contracts.py", "-k", " or ".join(names)
    )
    for name in names:
        assert f"keep_the_contract[{name}] PASSED" in said
    assert f"{len(names)} passed" in said


def test_the_catalogue_runs_a_new_experiment_and_settings_name_a_new_trader(tree: Path) -> None:
    assert "test.pennies: exit 0" in python(tree, "tools/reproduce_all.py", "test.pennies")
    assert "Halfway" in python(tree, "-c", "from catallax.agents.traders import by_name; print(by_name()['halfway'])")
