"""Find and run the code blocks of the pages a reader sees (README.md, docs).

Rules for writers:

- Every ```python block is run, each by itself in a fresh interpreter. A page's blocks share a working folder.
- A python block whose first line is `# file: NAME.py` is written to that file, then run from it; later blocks
  and commands of the page can import or name it.
- A ```console block (commands after `$ `, output ignored) or a ```bash block is run if the line before it is
  the comment <!-- run -->; `catallax` and `python` are those of the test environment.
- A python block that cannot run by itself is excused by <!-- no run: REASON --> on the line before it.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

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


def run_block(where: str, block: Block, folder: Path) -> str:
    """Run one block in `folder`; return what it printed, or raise PageError with it."""
    environment = dict(os.environ, MPLBACKEND="Agg", NO_COLOR="1")
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
    if block.kind == "python":
        named = FILE.match(block.text.splitlines()[0]) if block.text.strip() else None
        program = folder / (named["name"] if named else f"block_at_line_{block.line}.py")
        program.write_text(block.text, encoding="utf-8")
        command = [sys.executable, program.name]
    else:
        command = ["bash", "-euo", "pipefail", "-c", commands(where, block)]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise PageError(f"{where}: this block was still running after {SECONDS} s") from error
    if done.returncode:
        raise PageError(f"{where}: this block failed (exit code {done.returncode}):\n{done.stdout}")
    return done.stdout


def run_page(page: Path, folder: Path, name: str | None = None) -> list[str]:
    """Run all blocks of a page in order, in one folder; return what each printed."""
    name = name or page.name
    blocks = read_blocks(name, page.read_text(encoding="utf-8"))
    return [run_block(f"{name}:{block.line}", block, folder) for block in blocks]
