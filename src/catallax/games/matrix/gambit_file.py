"""Gambit's .nfg text files: strategic games with payoffs written out, or through named outcomes."""

import re
from fractions import Fraction
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from catallax.core.errors import FileError, InputError

from .conventions import to_arrays
from .matrix_game import AbstractMatrixGame
from .normal_form import LARGEST, NormalForm

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{},]|[^\s{},"]+|"')
_NUMBER = re.compile(r"[+-]?(?:\d+/\d+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")


class GambitFile(NamedTuple):
    """A strategic game and the names that its file gives."""

    game: NormalForm
    title: str
    players: tuple[str, ...]
    actions: tuple[tuple[str, ...], ...]
    """Names of actions; "1", "2", ... where the file has only their number."""
    comment: str


def read_nfg(path: str | Path) -> GambitFile:
    """Reads an .nfg file, payoff or outcome version.

    Raises:
        FileError: no such file, or its text is no strategic game: the message names file, line and what is wrong.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as why:
        raise FileError(f"{path}: cannot be read as text ({why})") from None
    return parse_nfg(text, str(path))


def parse_nfg(text: str, source: str = "text") -> GambitFile:
    """The game in the text of an .nfg file. Player 1's action runs fastest; fractions, decimals and 1e-3 are numbers.

    Args:
        source: what error messages call the text.

    Raises:
        FileError: the text is no strategic game.

    Source: Gambit's documentation of its file formats, payoff version and outcome version.
    """
    return _Reader(text.removeprefix("\ufeff"), source).game()  # a byte order mark, as some editors write it


def format_nfg(
    game: AbstractMatrixGame, title: str = "", names: GambitFile | None = None, *, outcomes: bool = False
) -> str:
    """The text of an .nfg file; numbers are written so that reading them gives the same doubles.

    Args:
        names: whose names of players and actions (and comment) are written; None for numbers.
        outcomes: whether profiles name outcomes, one for each different vector of payoffs, or payoffs are written out.

    Raises:
        InputError: names that do not fit the game, or a game with too many profiles to be written out.
    """
    counts = game.actions
    players = names.players if names else tuple(f"Player {k + 1}" for k in range(len(counts)))
    actions = names.actions if names else tuple(tuple(str(a + 1) for a in range(c)) for c in counts)
    if tuple(len(own) for own in actions) != counts or len(players) != len(counts):
        raise InputError(f"format_nfg: the names are for action counts {[len(own) for own in actions]}, not {counts}")
    table = np.stack([x.reshape(-1, order="F") for x in to_arrays(game)], axis=1)
    strategies = "\n".join(_braces(map(_quoted, own)) for own in actions)
    head = [f"NFG 1 R {_quoted(title)} {_braces(map(_quoted, players))}", "", f"{{ {strategies}\n}}"]
    head.append(_quoted(names.comment if names else ""))
    if not outcomes:
        body = [" ".join(map(_number, row)) for row in table]
        return "\n".join([*head, "", *body, ""])
    different, which = np.unique(table, axis=0, return_inverse=True)
    listed = [_braces(['""', ", ".join(map(_number, row))]) for row in different]
    return "\n".join([*head, "", "{", *listed, "}", " ".join(str(i + 1) for i in which.reshape(-1)), ""])


def write_nfg(
    path: str | Path,
    game: AbstractMatrixGame,
    title: str = "",
    names: GambitFile | None = None,
    *,
    outcomes: bool = False,
) -> None:
    """Writes `format_nfg` to a file.

    Raises:
        FileError: the file cannot be written.
    """
    text = format_nfg(game, title, names, outcomes=outcomes)
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as why:
        raise FileError(f"{path}: cannot be written ({why})") from None


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _braces(items: Any) -> str:
    return "{ " + " ".join(items) + " }"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(float(value))


class _Reader:
    """Reads tokens one after another, remembering their lines."""

    def __init__(self, text: str, source: str):
        self.source, self.at, self.tokens = source, 0, []
        line, seen = 1, 0
        for found in _TOKEN.finditer(text):
            line, seen = line + text.count("\n", seen, found.start()), found.start()
            self.tokens.append((found.group(), line))
        self.last = line

    def fail(self, what: str, line: int | None = None) -> FileError:
        where = line if line is not None else self.tokens[self.at][1] if self.at < len(self.tokens) else self.last
        return FileError(f"{self.source}, line {where}: {what}")

    def peek(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def take(self, what: str) -> str:
        if self.at >= len(self.tokens):
            raise self.fail(f"the file ends where {what} should be")
        self.at += 1
        return self.tokens[self.at - 1][0]

    def expect(self, token: str, what: str) -> None:
        if self.peek() != token:
            raise self.fail(f'{token!r} expected ({what}), found "{self.peek() or "the end of the file"}"')
        self.at += 1

    def label(self, what: str) -> str:
        token = self.peek()
        if len(token) < 2 or token[0] != '"':
            raise self.fail(f"{what} must be in double quotes, found {token or 'the end of the file'}")
        self.at += 1
        return re.sub(r"\\(.)", r"\1", token[1:-1])

    def labels(self, what: str) -> tuple[str, ...]:
        self.expect("{", what)
        found = []
        while self.peek() != "}":
            found.append(self.label(what))
        self.at += 1
        return tuple(found)

    def number(self, what: str) -> float:
        token = self.take(what)
        if not _NUMBER.fullmatch(token):
            raise self.fail(f"{what} must be a number, found {token}", self.tokens[self.at - 1][1])
        try:
            value = float(Fraction(token)) if "/" in token else float(token)
        except (ZeroDivisionError, OverflowError):
            value = float("inf")
        if not np.isfinite(value):
            raise self.fail(f"{what} must be finite, found {token}", self.tokens[self.at - 1][1])
        return value

    def count(self, what: str, least: int) -> int:
        token = self.take(what)
        if not (token.isascii() and token.isdigit()) or int(token) < least:
            line = self.tokens[self.at - 1][1]
            raise self.fail(f"{what} must be a whole number of at least {least}, found {token}", line)
        return int(token)

    def game(self) -> GambitFile:
        for word, what in (("NFG", "a strategic game; extensive games, EFG, are not read"), ("1", "the version")):
            self.expect(word, what)
        if self.take("the letter R") not in ("R", "D"):
            self.at -= 1
            raise self.fail(f"R (or D) expected after the version, found {self.peek()}")
        title = self.label("the title")
        players = self.labels("names of players")
        if len(players) < 2:
            raise self.fail(f"at least two players are needed, found {len(players)}")
        actions = self.strategies(len(players))
        comment = self.label("the comment") if self.peek().startswith('"') else ""
        shape = tuple(len(own) for own in actions)
        if len(players) * prod(shape) > LARGEST:
            raise self.fail(f"{prod(shape):.3g} profiles of {len(players)} players are more than can be held")
        rows = self.outcomes(shape) if self.peek() == "{" else self.payoffs(shape)
        if self.at < len(self.tokens):
            raise self.fail(f"nothing may follow the {prod(shape)} profiles, found {self.peek()}")
        tables = [column.reshape(shape, order="F") for column in rows.T]
        return GambitFile(NormalForm(tables), title, players, actions, comment)

    def strategies(self, n: int) -> tuple[tuple[str, ...], ...]:
        self.expect("{", "numbers or names of strategies")
        found = []
        while self.peek() != "}":
            if self.peek() == "{":
                found.append(self.labels("names of strategies"))
            else:
                count = self.count("a number of strategies", 1)
                if count > LARGEST:
                    raise self.fail(f"{count:.3g} strategies are more than can be held")
                found.append(tuple(str(a + 1) for a in range(count)))
            if not found[-1]:
                raise self.fail(f"player {len(found)} has no strategy")
        self.at += 1
        if len(found) != n:
            raise self.fail(f"strategies of {len(found)} players for {n} players")
        return tuple(found)

    def payoffs(self, shape: tuple[int, ...]) -> np.ndarray:
        n = len(shape)
        listed = [self.number(f"payoff {i + 1} of {n * prod(shape)}") for i in range(n * prod(shape))]
        return np.asarray(listed).reshape(-1, n)

    def outcomes(self, shape: tuple[int, ...]) -> np.ndarray:
        n = len(shape)
        values = [np.zeros(n)]
        self.expect("{", "outcomes")
        while self.peek() != "}":
            self.expect("{", "an outcome")
            self.label("the name of an outcome")
            row = []
            while self.peek() != "}":
                if self.peek() == ",":
                    self.at += 1
                row.append(self.number(f"a payoff of outcome {len(values)}"))
            if len(row) != n:
                raise self.fail(f"outcome {len(values)} has {len(row)} payoffs for {n} players")
            self.at += 1
            values.append(np.asarray(row))
        self.at += 1
        which = []
        for i in range(prod(shape)):
            which.append(self.count(f"the outcome of profile {i + 1} of {prod(shape)}", 0))
            if which[-1] >= len(values):
                line = self.tokens[self.at - 1][1]
                raise self.fail(f"outcome {which[-1]} is not there: there are {len(values) - 1}", line)
        return np.stack(values)[which]
