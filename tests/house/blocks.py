"""Find and run the code blocks of the pages a reader sees (README.md, docs).

Rules for writers:

- Every ```python block is run, each with names of its own. A page's blocks share a working folder, and those that
  follow each other share a process and what it has imported and compiled; a change of JAX's precision ends with its
  block.
- A python block whose first line is `# file: NAME.py` is written to that file, then run from it; later blocks
  and commands of the page can import or name it.
- A ```console block (commands after `$ `, output ignored) or a ```bash block is run if the line before it is
  the comment <!-- run -->; `catallax` and `python` are those of the test environment.
- A python block that cannot run by itself is excused by <!-- no run: REASON --> on the line before it.
"""

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from compile_effort import flags_for_children

FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,}|~{3,})(?P<language>[^\s`]*)")
FILE = re.compile(r"^# file: (?P<name>[A-Za-z0-9_]+\.py)\s*$")
COMMENT = re.compile(r"^<!--\s*(?P<text>.*?)\s*-->$")
RUNNABLE = {"python": "python", "console": "console", "bash": "bash", "sh": "bash"}
SECONDS = 600


class Block(NamedTuple):
    """One block of code that is to be run: where it begins (line of the fence), its kind and its text."""

    line: int
    kind: str
    text: str


class PageError(Exception):
    """A page is written against the rules, or one of its blocks fails; the text says where."""


def read_blocks(page: str, text: str) -> list[Block]:
    """The blocks of a page that are to be run, in order."""
    blocks: list[Block] = []
    comment = ""
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        opening = FENCE.match(lines[number])
        if opening is None:
            said = COMMENT.match(lines[number].strip())
            comment = said["text"] if said else comment if not lines[number].strip() else ""
            number += 1
            continue
        start, body = number, []
        number += 1
        while number < len(lines) and not lines[number].strip().startswith(opening["fence"]):
            body.append(lines[number].removeprefix(opening["indent"]))
            number += 1
        if number == len(lines):
            raise PageError(f"{page}:{start + 1}: this block is never closed")
        number += 1
        kind = RUNNABLE.get(opening["language"], "")
        if wanted(f"{page}:{start + 1}", kind, comment):
            blocks.append(Block(start + 1, kind, "\n".join(body) + "\n"))
        comment = ""
    return blocks


def wanted(where: str, kind: str, comment: str) -> bool:
    """Whether a block of this kind, after this comment, is to be run."""
    if comment == "run" and not kind:
        raise PageError(f"{where}: only python, console and bash blocks can be run")
    if re.match(r"no[ -]?run", comment):
        if not re.match(r"no run: \S", comment):
            raise PageError(f"{where}: give the reason: <!-- no run: REASON -->")
        return False
    return kind == "python" or (kind != "" and comment == "run")


def commands(where: str, block: Block) -> str:
    """The shell script of a console or bash block."""
    if block.kind == "bash":
        return block.text
    script, going_on = [], False
    for line in block.text.splitlines():
        if line.startswith("$ ") or (going_on and line.startswith("> ")):
            script.append(line[2:])
            going_on = line.endswith("\\")
    if not script:
        raise PageError(f"{where}: no command in this console block; commands begin with '$ '")
    return "\n".join(script) + "\n"


# Runs files one after the other as programs; what each prints goes to a file beside it, and its failure too.
DRIVER = """
import os, runpy, sys, traceback
sys.path.insert(0, os.getcwd())
for name in sys.argv[1:]:
    sys.stdout.flush()
    sys.stderr.flush()
    printed = os.open(name + ".out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    sys.argv = [name]
    double = "jax" in sys.modules and sys.modules["jax"].config.jax_enable_x64
    try:
        runpy.run_path(name, run_name="__main__")
    except SystemExit as end:
        if end.code:
            print(end.code, file=sys.stderr)
            sys.exit(end.code if isinstance(end.code, int) else 1)
    except BaseException:
        traceback.print_exc()
        sys.exit(1)
    if "jax" in sys.modules:
        sys.modules["jax"].config.update("jax_enable_x64", double)
"""


def run_python(page: str, blocks: list[Block], folder: Path) -> list[str]:
    """Run python blocks that follow each other in one process; return what each printed, or raise PageError."""
    programs = []
    for block in blocks:
        named = FILE.match(block.text.splitlines()[0]) if block.text.strip() else None
        programs.append(named["name"] if named else f"block_at_line_{block.line}.py")
        (folder / programs[-1]).write_text(block.text, encoding="utf-8")
    outputs = [folder / f"{program}.out" for program in programs]
    code, printed = run_command([sys.executable, "-c", DRIVER, *programs], folder, SECONDS * len(blocks))
    if code != 0:
        number = sum(output.exists() for output in outputs) - 1  # the last that was begun
        said = outputs[number].read_text(encoding="utf-8") if number >= 0 else printed
        raise PageError(f"{page}:{blocks[max(number, 0)].line}: {how_it_ended(code)}:\n{said}")
    return [output.read_text(encoding="utf-8") for output in outputs]


def run_shell(page: str, block: Block, folder: Path) -> str:
    """Run the commands of one block in `folder`; return what it printed, or raise PageError with it."""
    where = f"{page}:{block.line}"
    code, printed = run_command(["bash", "-euo", "pipefail", "-c", commands(where, block)], folder, SECONDS)
    if code != 0:
        raise PageError(f"{where}: {how_it_ended(code)}:\n{printed}")
    return printed


def run_command(command: list[str], folder: Path, seconds: int) -> tuple[int | None, str]:
    """The exit code of a command, None if it ran too long, and what it printed."""
    environment = dict(os.environ, MPLBACKEND="Agg", NO_COLOR="1", XLA_FLAGS=flags_for_children())
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired as error:
        return None, str(error.output or "")
    return done.returncode, done.stdout


def how_it_ended(code: int | None) -> str:
    """In words, why a block is not well."""
    return "this block was still running after its time" if code is None else f"this block failed (exit code {code})"


def run_page(page: Path, folder: Path, name: str | None = None) -> list[str]:
    """Run all blocks of a page in order, in one folder; return what each printed."""
    name = name or page.name
    printed: list[str] = []
    for kind, group in itertools.groupby(read_blocks(name, page.read_text(encoding="utf-8")), lambda b: b.kind):
        blocks = list(group)
        if kind == "python":
            printed += run_python(name, blocks, folder)
        else:
            printed += [run_shell(name, block, folder) for block in blocks]
    return printed
