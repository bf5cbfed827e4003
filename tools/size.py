"""Report long files, long functions and public names without a docstring. It informs and never blocks.

Usage: python tools/size.py [files or folders; default src, tests, tools, benchmarks, go.py]
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

FILE_LINES = 400
FUNCTION_LINES = 60
ROOT = Path(__file__).resolve().parent.parent
DEFAULT = ("src", "tests", "tools", "benchmarks", "go.py")
# Docstrings are asked of what users and newcomers read, not of tests.
UNDOCUMENTED_IN = ("tests",)

Function = (ast.FunctionDef, ast.AsyncFunctionDef)


def undocumented(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and name of every public module, class, function and method without a docstring."""
    if ast.get_docstring(tree) is None and tree.body:
        yield 1, "the file itself"
    scopes: list[tuple[str, list[ast.stmt]]] = [("", tree.body)]
    while scopes:
        prefix, body = scopes.pop()
        for node in body:
            if not isinstance(node, (*Function, ast.ClassDef)) or node.name.startswith("_"):
                continue
            marks = [ast.unparse(mark) for mark in node.decorator_list]
            inherits = any(mark.endswith(("overload", "override")) for mark in marks)
            if ast.get_docstring(node) is None and not inherits:
                yield node.lineno, prefix + node.name
            if isinstance(node, ast.ClassDef):
                scopes.append((prefix + node.name + ".", node.body))


def report(path: Path) -> Iterator[str]:
    """What there is to say about one file."""
    where = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    text = path.read_text(encoding="utf-8")
    lines = len(text.splitlines())
    if lines > FILE_LINES:
        yield f"{where}: {lines} lines (over {FILE_LINES})"
    tree = ast.parse(text, filename=str(path))
    for node in ast.walk(tree):
        if isinstance(node, Function) and node.end_lineno is not None:
            length = node.end_lineno - node.lineno + 1
            if length > FUNCTION_LINES:
                yield f"{where}:{node.lineno}: {node.name} has {length} lines (over {FUNCTION_LINES})"
    if not any(part in UNDOCUMENTED_IN for part in where.parts):
        for line, name in sorted(undocumented(tree)):
            yield f"{where}:{line}: {name} has no docstring"


def main(argv: list[str]) -> int:
    """Print the report; always 0."""
    roots = [Path(name) for name in argv] if argv else [ROOT / name for name in DEFAULT]
    files = sorted({file for root in roots for file in (root.rglob("*.py") if root.is_dir() else [root])})
    remarks = 0
    for file in files:
        try:
            found = list(report(file))
        except (OSError, SyntaxError, ValueError) as error:
            found = [f"{file}: cannot be read: {error}"]
        remarks += len(found)
        for remark in found:
            print(remark)
    print(f"size: {len(files)} files, {remarks} remarks")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
