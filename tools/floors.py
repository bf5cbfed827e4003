"""Check the import floors: which room of catallax may import which, and where third parties may come in.

    6  cli
    5  experiments
    4  measures
    3  agents | solvers            (neither imports the other)
    2  games  | lab                (neither imports the other)
    1  core
    0  version                     (one constant, for everybody: nobody imports the package itself)

Imports are read from the source (nothing is run), inside functions and under TYPE_CHECKING too: an import
hidden in a function to dodge a ring is still a ring. The package's own __init__ may import everything.
Usage: python tools/floors.py [folder that holds the package catallax]
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PACKAGE = "catallax"
FLOORS = {
    "version": 0,
    "core": 1,
    "games": 2,
    "lab": 2,
    "agents": 3,
    "solvers": 3,
    "measures": 4,
    "experiments": 5,
    "cli": 6,
}
# The ground is thin: what core may import besides the standard library.
CORE_THIRD_PARTIES = frozenset({"jax", "equinox", "jaxtyping", "numpy"})
# Heavy or optional packages, and the only modules or rooms that may import them.
CONFINED = {
    "matplotlib": (f"{PACKAGE}.lab.figure", f"{PACKAGE}.experiments"),
    "ray": (f"{PACKAGE}.lab.cluster",),
}


class Module(NamedTuple):
    """One source file of the package."""

    name: str
    path: Path
    is_package: bool


class Import(NamedTuple):
    """One import statement, resolved as far as its text goes; `names` is empty for `import x.y`."""

    line: int
    target: str
    names: tuple[str, ...]


class Problem(NamedTuple):
    """What is wrong, where and why."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


def find_modules(source: Path) -> dict[str, Module]:
    """All modules of the package under `source`, by dotted name."""
    modules = {}
    for path in sorted((source / PACKAGE).rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        modules[name] = Module(name, path, is_package)
    return modules


def imports_of(module: Module, tree: ast.AST) -> Iterator[Import]:
    """Every import in the file: statements at any depth, import_module and __import__ of a literal."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(node.lineno, alias.name, ())
        elif isinstance(node, ast.ImportFrom):
            names = tuple(alias.name for alias in node.names)
            yield Import(node.lineno, absolute(module, node.level, node.module), names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                text = node.args[0].value
                name = text.lstrip(".")
                yield Import(node.lineno, absolute(module, len(text) - len(name), name), ())


def absolute(module: Module, level: int, target: str | None) -> str:
    """The dotted name a `from ... import` speaks of."""
    if level == 0:
        return target or ""
    parts = module.name.split(".")
    base = parts[: len(parts) - level + (1 if module.is_package else 0)]
    return ".".join(base + ([target] if target else []))


def targets(found: Import, modules: dict[str, Module]) -> list[str]:
    """The modules an import reads: `from package import submodule` reads the submodule, not the package."""
    if not found.names:
        return [found.target]
    submodules = [f"{found.target}.{name}" for name in found.names]
    return list(dict.fromkeys(sub if sub in modules else found.target for sub in submodules))


def room_of(name: str) -> str:
    """The room a module is in: the second part of its name; "" for the package itself."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else ""


def inside(name: str, place: str) -> bool:
    """Whether a dotted name is `place` or below it."""
    return name == place or name.startswith(place + ".")


def why_not_own(importer: Module, target: str, modules: dict[str, Module]) -> str | None:
    """Why `importer` may not import `target`, a module of the package; None if it may."""
    if target not in modules:
        return f"imports {target}, which does not exist"
    if importer.name == target or importer.name.startswith(target + "."):
        return (
            f"imports the __init__ of {target}, the package it is a member of: a ring. "
            "Import from the module that defines the name"
        )
    mine, theirs = room_of(importer.name), room_of(target)
    if mine not in FLOORS or theirs not in FLOORS:
        return None  # the package's __init__ shows everything; rooms on no floor are reported once, elsewhere
    if mine == theirs or FLOORS[mine] > FLOORS[theirs]:
        return None
    if FLOORS[mine] == FLOORS[theirs]:
        return f"{mine} imports {theirs}: both on floor {FLOORS[mine]}, and neither may know the other"
    up = f"{mine} (floor {FLOORS[mine]}) imports {theirs} (floor {FLOORS[theirs]})"
    return f"{up}: imports run downwards only. Move what is shared to {mine} or below, or pass it in"


def why_not_foreign(importer: Module, target: str) -> str | None:
    """Why `importer` may not import the third party `target`; None if it may."""
    top = target.split(".")[0]
    places = CONFINED.get(top)
    if places and not any(inside(importer.name, place) for place in places):
        return f"imports {top}, which belongs only in {' and '.join(places)}"
    if room_of(importer.name) != "core" or top in sys.stdlib_module_names or top in CORE_THIRD_PARTIES:
        return None
    allowed = ", ".join(sorted(CORE_THIRD_PARTIES))
    return f"core imports {top}; it may import only {allowed} and the standard library"


def find_rings(graph: dict[str, dict[str, int]]) -> list[list[str]]:
    """A shortest ring through each tangle of modules, beginning with its alphabetically first module."""
    rings: list[list[str]] = []
    seen: set[str] = set()
    for start in sorted(graph):
        if start in seen:
            continue
        before: dict[str, str] = {}
        queue = [start]
        while queue and start not in before:
            module = queue.pop(0)
            for target in sorted(graph.get(module, {})):
                if target not in before:
                    before[target] = module
                    queue.append(target)
        if start in before:
            ring = [start]
            while before[ring[-1]] != start:
                ring.append(before[ring[-1]])
            rings.append([start, *reversed(ring[1:]), start])
            seen.update(ring)
    return rings


def check(source: Path) -> tuple[list[Problem], int, int]:
    """Read every module under `source`; return the problems, and how many modules and imports were read."""
    modules = find_modules(source)
    problems: list[Problem] = []
    graph: dict[str, dict[str, int]] = {}
    count = 0
    for module in modules.values():
        room = room_of(module.name)
        if room and room not in FLOORS:
            rooms = ", ".join(FLOORS)
            problems.append(Problem(module.path, 1, f"{room} is on no floor; the rooms are {rooms}"))
        try:
            tree = ast.parse(module.path.read_bytes(), filename=str(module.path))
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None) or 1
            problems.append(Problem(module.path, line, f"cannot be read: {error}"))
            continue
        for found in imports_of(module, tree):
            for target in targets(found, modules):
                count += 1
                own = inside(target, PACKAGE)
                why = why_not_own(module, target, modules) if own else why_not_foreign(module, target)
                if why:
                    problems.append(Problem(module.path, found.line, why))
                elif own:
                    graph.setdefault(module.name, {}).setdefault(target, found.line)
    for ring in find_rings(graph):
        text = f"a ring of imports: {' -> '.join(ring)}. Move what they share into a module below both"
        problems.append(Problem(modules[ring[0]].path, graph[ring[0]][ring[1]], text))
    return problems, len(modules), count


def main(argv: list[str]) -> int:
    """Print every problem; 0 if there is none, 1 if there is one, 2 if there is nothing to read."""
    source = Path(argv[0]) if argv else Path(__file__).resolve().parent.parent / "src"
    problems, modules, imports = check(source)
    if not modules:
        print(f"floors: no Python file in {source / PACKAGE}", file=sys.stderr)
        return 2
    for problem in problems:
        print(problem)
    print(f"floors: {modules} modules, {imports} imports, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
