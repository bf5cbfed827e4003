"""A user's own schedule from a CSV or TOML file. Whatever is wrong with the file is one line: where, what,
what to do."""

import csv
import difflib
import io
import itertools
import math
import re
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import jax.numpy as jnp
import numpy as np

from catallax.core import FileError
from catallax.core.checks import exact

from .schedules import Rows, Schedule

_LARGEST_FILE: Final = 5_000_000  # bytes
_LARGEST_TABLE: Final = 1_000_000  # traders of a side times the most units of any
_LARGEST_PRICE: Final = 1e9  # float32 has 7 digits
_HUGE: Final = 10**30  # integers beyond this may not fit a float, and are refused anyway
_NUMBER: Final = re.compile(
    r"[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|inf|infinity|nan)", re.IGNORECASE | re.ASCII
)
_COLUMNS: Final = ("side", "trader", "unit", "price")
_KEYS: Final = ("name", "source", "price_unit", "buyers", "sellers")


def read_schedule(path: str | Path) -> Schedule:
    """The schedule in a file.

    CSV (`.csv`), one unit a line, with the header `side,trader,unit,price`: side is `buyer` or `seller`,
    trader any label, unit 1, 2, 3, ... in the order of trading, price at least 0. TOML (`.toml`): `buyers =
    [[110, 90], [100]]` and `sellers = [[50, 60], [55]]`, one list of prices a trader; optional strings
    `name`, `source`, `price_unit`. A trader's values must descend and its costs ascend (equal ones are
    allowed). UTF-8, with or without a byte order mark.

    Traders sit in the order in which they first appear.

    Raises:
        FileError: anything wrong with the file, in one line that begins with its name and, in a CSV, the line
            number.
    """
    path = Path(path)
    readers: dict[str, Callable[[Path, str], Schedule]] = {".csv": _from_csv, ".toml": _from_toml}
    reader = readers.get(path.suffix.lower())
    text = _text(path)
    if reader is None:
        raise FileError(f"{path}: a schedule is a .csv or a .toml file, this one ends in {path.suffix!r}")
    return reader(path, text)


def _text(path: Path) -> str:
    """The file as text, or an error that says why not."""
    try:
        if path.is_dir():
            raise FileError(f"{path}: is a directory, expected a .csv or .toml file")
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE + 1)
    except FileNotFoundError as error:
        raise FileError(f"{path}: no such file") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FileError(f"{path}: cannot be read: {reason}") from error
    if len(data) > _LARGEST_FILE:
        raise FileError(f"{path}: larger than {_LARGEST_FILE // 1_000_000} MB, too large for a schedule")
    if b"\0" in data:
        raise FileError(f"{path}: contains NUL bytes, this is not a text file")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(f"{path}: not UTF-8 at byte {error.start}: save the file as UTF-8") from error
    if not text.strip():
        raise FileError(f"{path}: is empty")
    return text


def _price(where: str, what: str, price: float) -> float:
    if not math.isfinite(price):
        raise FileError(f"{where}: {what} must be finite, got {price}")
    if not 0 <= price <= _LARGEST_PRICE:
        raise FileError(f"{where}: {what} must lie between 0 and {_LARGEST_PRICE:.0f}, got {exact(price)}")
    return price


def _ordered(where: str, side: str, trader: str, before: float, price: float) -> None:
    """The next unit of a trader may not be better than the one before it."""
    if side == "buyer" and price > before:
        raise FileError(f"{where}: values of buyer {trader} must descend, got {exact(before)} and then {exact(price)}")
    if side == "seller" and price < before:
        raise FileError(f"{where}: costs of seller {trader} must ascend, got {exact(before)} and then {exact(price)}")


def _short(value: object) -> str:
    """A value in an error message."""
    return repr(value)[:40]


def _nearest(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name.lower(), list(names), n=1)
    return f", did you mean {near[0]!r}?" if near else f": use {' or '.join(names)}"


def _schedule(path: Path, buyers: Rows, sellers: Rows, **text: str) -> Schedule:
    for side, rows in (("buyers", buyers), ("sellers", sellers)):
        if not rows:
            raise FileError(f"{path}: no {side}: a market needs both sides")
        if len(rows) * max(map(len, rows)) > _LARGEST_TABLE:
            raise FileError(f"{path}: {len(rows)} {side} with up to {max(map(len, rows))} units, too large a market")
    _tell_apart(path, {price for row in (*buyers, *sellers) for price in row})
    return Schedule(
        name=text.get("name", path.stem),
        buyers=buyers,
        sellers=sellers,
        unit=text.get("price_unit", "1"),
        source=text.get("source", path.name),
    )


def _tell_apart(path: Path, prices: set[float]) -> None:
    """Different prices must stay different in the working precision, or the gain between them is lost."""
    working = np.dtype(jnp.result_type(float))
    for low, high in itertools.pairwise(sorted(prices)):
        if working.type(low) == working.type(high):
            raise FileError(
                f"{path}: prices {exact(low)} and {exact(high)} are the same number in {working.name}: count prices "
                "from another zero or in a larger unit, or run in double precision (JAX_ENABLE_X64=1)"
            )


def _cells(where: str, row: dict[str | None, Any]) -> tuple[str, str, int, float]:
    """A line of the CSV: side, trader, unit, price."""
    if None in row:
        raise FileError(f"{where}: more cells than the {len(_COLUMNS)} columns {','.join(_COLUMNS)}")
    cells = {name: (row[name] or "").strip() for name in _COLUMNS}
    for name, cell in cells.items():
        if not cell:
            raise FileError(f"{where}: the cell of column {name!r} is missing")
    if not cells["trader"].isprintable() or len(cells["trader"]) > 80:
        raise FileError(
            f"{where}: trader must be a label of up to 80 printable characters, got {_short(cells['trader'])}"
        )
    side = cells["side"].lower()
    if side not in ("buyer", "seller"):
        raise FileError(f"{where}: unknown side {_short(cells['side'])}{_nearest(side, ('buyer', 'seller'))}")
    if not (cells["unit"].isascii() and cells["unit"].isdigit() and len(cells["unit"]) < 8):
        raise FileError(f"{where}: unit must be 1, 2, 3, ..., got {_short(cells['unit'])}")
    if not _NUMBER.fullmatch(cells["price"]):  # float() would read 1_0 as 10, and other alphabets' digits
        raise FileError(f"{where}: price must be a number, got {_short(cells['price'])}")
    price = float(cells["price"])
    return side, cells["trader"], int(cells["unit"]), _price(where, "price", price)


def _from_csv(path: Path, text: str) -> Schedule:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    sides: dict[str, dict[str, list[float]]] = {"buyer": {}, "seller": {}}
    try:
        header = [name.strip().lower() for name in reader.fieldnames or ()]
        if sorted(header) != sorted(_COLUMNS):
            for mark, called in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
                if sorted(name.strip() for name in ",".join(header).split(mark)) == sorted(_COLUMNS):
                    raise FileError(f"{path}:1: cells are separated by {called}: save the file with commas instead")
            raise FileError(f"{path}:1: the header must be {','.join(_COLUMNS)}, got {_short(','.join(header))}")
        reader.fieldnames = header
        for row in reader:
            where = f"{path}:{reader.line_num}"
            side, trader, unit, price = _cells(where, row)
            units = sides[side].setdefault(trader, [])
            if unit != len(units) + 1:
                raise FileError(f"{where}: expected unit {len(units) + 1} of {side} {trader}, got unit {unit}")
            if units:
                _ordered(where, side, trader, units[-1], price)
            units.append(price)
    except csv.Error as error:
        raise FileError(f"{path}:{reader.line_num}: not a valid CSV line: {error}") from error
    buyers, sellers = (tuple(map(tuple, sides[side].values())) for side in ("buyer", "seller"))
    return _schedule(path, buyers, sellers)


def _toml_rows(path: Path, side: str, table: object) -> Rows:
    """`buyers` or `sellers` of a TOML file."""
    where = f"{path}: {side}s"
    if not isinstance(table, list):
        raise FileError(f"{where} must be a list of lists of prices, one list a trader")
    rows = []
    for number, row in enumerate(table, start=1):
        if not isinstance(row, list) or not row:
            raise FileError(f"{where}: trader {number} must be a list of one or more prices, got {_short(row)}")
        prices: list[float] = []
        for unit, given in enumerate(row, start=1):
            what = f"unit {unit} of trader {number}"
            if not isinstance(given, int | float) or isinstance(given, bool):
                raise FileError(f"{where}: {what} must be a number, got {_short(given)}")
            price = given if isinstance(given, float) else float(max(-_HUGE, min(given, _HUGE)))
            _price(where, what, price)
            if prices:
                _ordered(where, side, str(number), prices[-1], price)
            prices.append(price)
        rows.append(tuple(prices))
    return tuple(rows)


def _from_toml(path: Path, text: str) -> Schedule:
    try:
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        reason = str(error) or "nested too deeply"
        raise FileError(f"{path}: not valid TOML: {reason}") from error
    for key, value in content.items():
        if key not in _KEYS:
            raise FileError(f"{path}: unknown key {_short(key)}{_nearest(key, _KEYS)}")
        if key not in ("buyers", "sellers") and not isinstance(value, str):
            raise FileError(f"{path}: {key} must be a string, got {_short(value)}")
    for key in ("buyers", "sellers"):
        if key not in content:
            raise FileError(f"{path}: no {key}: a market needs both sides")
    text_keys = {key: value for key, value in content.items() if isinstance(value, str)}
    buyers, sellers = (_toml_rows(path, side, content[f"{side}s"]) for side in ("buyer", "seller"))
    return _schedule(path, buyers, sellers, **text_keys)
