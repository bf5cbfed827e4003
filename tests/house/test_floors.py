"""The import floors hold on the tree, and the check goes red on every kind of broken tree."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ROOT / "tools" / "floors.py"

# A small sound tree: every room once, every legal kind of import.
SOUND = {
    "__init__.py": "from .core.run import run as run\nfrom .lab import store as store\n",
    "version.py": "VERSION = '1'\n",
    "core/__init__.py": "from . import rng as rng\nfrom .run import run as run\n",
    "core/rng.py": "import math\nimport jax.numpy as jnp\nimport numpy as np\nfrom jaxtyping import Float\n",
    "core/run.py": "import equinox as eqx\nfrom . import rng\n\ndef run():\n    from .rng import key\n",
    "games/__init__.py": "",
    "games/double_auction/__init__.py": "from .clearing import clear as clear\n",
    "games/double_auction/clearing.py": "from catallax.core import run, rng\nfrom catallax.core.run import go\n",
    "lab/__init__.py": "",
    "lab/store.py": "import catallax.core.run\nfrom catallax.version import VERSION\nimport safetensors\n",
    "lab/figure.py": "import matplotlib.pyplot as plt\n",
    "lab/cluster.py": "import ray\n",
    "agents/zic.py": "from ..games.double_auction import clear\nfrom ..core import run\n",
    "solvers/flow.py": "from catallax.games.double_auction.clearing import clear\n",
    "measures/efficiency.py": "from catallax.solvers import flow\nfrom catallax.lab import store\n",
    "experiments/table.py": "import matplotlib\nfrom ..agents import zic\nfrom ..measures import efficiency",
    "cli/main.py": "import importlib as i\ni.import_module('catallax.experiments.table')\n",
}

BROKEN = {
    "core imports upwards": (
        "core/run.py",
        "from catallax.games.double_auction import clear",
        "core (floor 1) imports games",
    ),
    "lab imports a game": (
        "lab/store.py",
        "from ..games import double_auction",
        "lab imports games: both on floor 2",
    ),
    "games import the lab": (
        "games/double_auction/clearing.py",
        "import catallax.lab.store",
        "games imports lab: both",
    ),
    "agents import solvers": ("agents/zic.py", "from ..solvers import flow", "agents imports solvers: both"),
    "measures import experiments": (
        "measures/efficiency.py",
        "import catallax.experiments.table",
        "run downwards",
    ),
    "hidden in a function": (
        "core/rng.py",
        "def f():\n    import catallax.agents.zic",
        "core (floor 1) imports agents",
    ),
    "only for types": (
        "core/rng.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..measures import efficiency",
        "core (floor 1) imports measures",
    ),
    "by name": ("lab/store.py", "__import__('catallax.agents.zic')", "lab (floor 2) imports agents"),
    "by relative name": (
        "games/double_auction/clearing.py",
        "from importlib import import_module\nimport_module('...lab.store', __package__)",
        "games imports lab: both",
    ),
    "member imports its package": ("core/rng.py", "from . import Missing", "the __init__ of catallax.core"),
    "member imports the package above": (
        "games/double_auction/clearing.py",
        "from .. import x",
        "the __init__ of catallax.games",
    ),
    "member imports catallax": ("lab/store.py", "from catallax import run", "the __init__ of catallax,"),
    "member imports catallax plainly": ("cli/main.py", "import catallax", "the __init__ of catallax,"),
    "ring of two": (
        "core/rng.py",
        "from .run import run",
        "catallax.core.rng -> catallax.core.run -> catallax.core.rng",
    ),
    "matplotlib elsewhere": (
        "measures/efficiency.py",
        "import matplotlib.pyplot",
        "matplotlib, which belongs only in",
    ),
    "ray elsewhere": ("lab/store.py", "def f():\n    from ray import remote", "ray, which belongs only in"),
    "core is not thin": ("core/rng.py", "import scipy.stats", "core imports scipy; it may import only"),
    "no such module": (
        "lab/store.py",
        "import catallax.core.gone",
        "catallax.core.gone, which does not exist",
    ),
    "no such floor": ("utils/misc.py", "x = 1", "utils is on no floor"),
    "not Python": ("lab/store.py", "def (", "cannot be read"),
}


def write_tree(source: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = source / "catallax" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return source


def run_floors(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(FLOORS), *arguments], capture_output=True, text=True, timeout=60)


def test_the_tree_keeps_its_floors() -> None:
    done = run_floors()
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_sound_tree_is_green(tmp_path: Path) -> None:
    done = run_floors(str(write_tree(tmp_path, SOUND)))
    assert done.returncode == 0, done.stdout
    assert done.stdout == "floors: 17 modules, 30 imports, 0 problems\n"


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_tree_is_red(tmp_path: Path, kind: str) -> None:
    name, line, message = BROKEN[kind]
    before = SOUND.get(name, "")
    done = run_floors(str(write_tree(tmp_path, {**SOUND, name: f"{before}{line}\n"})))
    assert done.returncode == 1
    problems = done.stdout.splitlines()[:-1]
    assert len(problems) == 1, problems
    assert message in problems[0]
    where = "core/rng.py" if kind == "ring of two" else name
    assert f"catallax/{where}:" in problems[0].replace("\\", "/")


def test_a_longer_ring_is_named_whole(tmp_path: Path) -> None:
    ring = {f"lab/{a}.py": f"from . import {b}\n" for a, b in ("ab", "bc", "ca")}
    done = run_floors(str(write_tree(tmp_path, {**SOUND, **ring})))
    assert "catallax.lab.a -> catallax.lab.b -> catallax.lab.c -> catallax.lab.a" in done.stdout
    assert "1 problems" in done.stdout


def test_nothing_to_read_is_not_green(tmp_path: Path) -> None:
    done = run_floors(str(tmp_path))
    assert done.returncode == 2
    assert "no Python file" in done.stderr


def test_sizes_are_reported_and_never_block(tmp_path: Path) -> None:
    long = '"""Head."""\n\n\ndef long():\n' + "    x = 1\n" * 401
    (tmp_path / "long.py").write_text(long, encoding="utf-8")
    (tmp_path / "bad.py").write_text("def (", encoding="utf-8")
    command = [sys.executable, str(ROOT / "tools" / "size.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    remarks = (
        "405 lines (over 400)",
        "long has 402 lines (over 60)",
        "long has no docstring",
        "cannot be read",
    )
    for remark in remarks:
        assert remark in done.stdout
