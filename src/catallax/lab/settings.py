"""Settings from the command line and from a TOML file, decoded to an experiment's settings struct or refused
in one line.
"""

import math
import tomllib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from catallax.core.errors import FileError, InputError
from catallax.lab.experiment import Experiment, nearest

_LARGEST_FILE = 1 << 20  # bytes; a settings file is a page of text, anything larger is the wrong file


def decode_settings(experiment: Experiment, pairs: Mapping[str, object] | None = None, file: Path | None = None) -> Any:
    """The settings of an experiment: its defaults, then those of a TOML file, then `pairs` from the command
    line.

    Args:
        experiment: whose settings.
        pairs: key to value. A string is read as the field's type ("4", "0.5", "true", "none", "[1, 2]").
        file: a TOML file with the same keys at its top level. A path in it is relative to the file.

    Raises:
        InputError: an unknown key (the nearest is offered), a wrong type or range, NaN or infinity.
        FileError: the file is missing, unreadable, too large or not TOML.
    """
    fields = {f.name: f for f in msgspec.structs.fields(experiment.settings)}
    values: dict[str, Any] = {}
    layers: list[tuple[str, Mapping[str, object], Path | None]] = []
    if file is not None:
        layers.append((str(file), read_toml(file), file.parent))
    if pairs:
        layers.append(("--set", pairs, None))
    for source, layer, base in layers:
        for key, raw in layer.items():
            if key not in fields:
                raise InputError(f"{source}: {experiment.name} has no setting {key!r}; {nearest(key, fields)}")
            values[key] = _decode(source, key, raw, fields[key].type, base)
    try:
        return experiment.settings(**values)
    except (TypeError, ValueError) as error:  # a struct's own __post_init__
        raise InputError(f"settings of {experiment.name}: {error}") from None


def check_settings(experiment: Experiment, settings: Any) -> None:
    """Whether settings made in Python are those of the experiment and obey their own constraints.

    Raises:
        InputError: another type, or a value that the type's constraints refuse, NaN or infinity.
        FileError: a file that a setting names is not there.
    """
    if type(settings) is not experiment.settings:
        raise InputError(f"{experiment.name} takes settings of type {experiment.settings.__name__}, got {settings!r}")
    for f in msgspec.structs.fields(experiment.settings):
        value = getattr(settings, f.name)
        try:
            msgspec.convert(msgspec.to_builtins(value, enc_hook=str), f.type, dec_hook=_decode_other)
        except (msgspec.ValidationError, TypeError, ValueError):
            raise _refusal("settings", f.name, f.type, value) from None
        if not _all_finite(value):
            raise InputError(f"settings: {f.name} must be finite and below 2**63, got {_shown(value)}")
        if isinstance(value, Path) and not value.is_file():
            raise FileError(f"settings: {f.name}: no file {str(value)!r}")


def file_fields(settings: msgspec.Struct) -> dict[str, Path]:
    """The settings that name a user's file, by field: those that hold a `pathlib.Path`."""
    values = {f.name: getattr(settings, f.name) for f in msgspec.structs.fields(type(settings))}
    return {name: value for name, value in values.items() if isinstance(value, Path)}


def as_builtins(settings: msgspec.Struct) -> dict[str, Any]:
    """The settings as JSON-able values; a path becomes its text."""
    return msgspec.to_builtins(settings, enc_hook=str)


def from_builtins(settings_type: type, values: Mapping[str, Any]) -> Any:
    """The inverse of `as_builtins`. Raises InputError if the values no longer fit the type."""
    try:
        return msgspec.convert(dict(values), settings_type, dec_hook=_decode_other)
    except (msgspec.ValidationError, TypeError, ValueError) as error:
        raise InputError(f"the stored settings do not fit {settings_type.__name__}: {error}") from None


def read_toml(file: Path) -> dict[str, Any]:
    """The table in a TOML file. Raises FileError for a file that is missing, too large, not text or not
    TOML.
    """
    try:
        if file.is_file() and file.stat().st_size > _LARGEST_FILE:
            raise FileError(
                f"{file}: {file.stat().st_size} bytes is too large for a settings file (limit {_LARGEST_FILE})"
            )
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise FileError(f"{file}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise FileError(f"{file}: not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise FileError(f"{file}: not valid TOML: {error or 'nested too deeply'}") from None


def _decode(source: str, key: str, raw: object, kind: Any, base: Path | None) -> Any:
    """One value as the type of its field; a wrong one is refused with what was expected and what came."""
    value = _from_text(raw, kind) if isinstance(raw, str) and base is None else raw
    try:
        decoded = msgspec.convert(value, kind, strict=base is not None, dec_hook=_decode_other)
    except (msgspec.ValidationError, ValueError, TypeError, OverflowError):
        raise _refusal(source, key, kind, raw) from None
    if not _all_finite(decoded):
        raise InputError(f"{source}: {key} must be finite and below 2**63, got {_shown(raw)}")
    if isinstance(decoded, Path):
        decoded = (base or Path()) / decoded.expanduser()
        if not decoded.is_file():
            raise FileError(f"{source}: {key}: no file {str(decoded)!r}")
    return decoded


def _refusal(source: str, key: str, kind: Any, raw: object) -> InputError:
    return InputError(f"{source}: {key} must be {_expected(msgspec.inspect.type_info(kind))}, got {_shown(raw)}")


def _from_text(text: str, kind: Any) -> object:
    """Text from the command line: 'none' where the field allows it, a TOML array or table, or else the text
    itself.
    """
    if text.lower() in ("none", "null") and type(None) in _alternatives(kind):
        return None
    if text[:1] in ("[", "{"):
        try:
            return tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            return text
    return text


def _alternatives(kind: Any) -> tuple[Any, ...]:
    while typing.get_origin(kind) is typing.Annotated:
        kind = typing.get_args(kind)[0]
    union = typing.get_origin(kind) in (typing.Union, types.UnionType)
    return typing.get_args(kind) if union else (kind,)


def _decode_other(kind: type, value: object) -> Any:
    """What msgspec does not know by itself: paths."""
    if kind is Path and isinstance(value, str) and value and "\0" not in value:
        return Path(value)
    raise ValueError(f"cannot read {value!r} as {kind.__name__}")


def _all_finite(value: object) -> bool:
    """Whether all numbers in a value are finite and fit into 64 bits."""
    if isinstance(value, int):
        return abs(value) < 2**63
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Mapping):
        return all(_all_finite(v) for v in value.values())
    if isinstance(value, list | tuple | set | frozenset):
        return all(_all_finite(v) for v in value)
    if isinstance(value, msgspec.Struct):
        return all(_all_finite(getattr(value, f)) for f in value.__struct_fields__)
    return True


def _expected(info: Any) -> str:
    """A type in words: "an integer >= 1", "one of 'a', 'b'", "a file or none"."""
    inspect = msgspec.inspect
    match info:
        case inspect.Metadata():
            return _expected(info.type)
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType():
            return "an integer" + _bounds(info)
        case inspect.FloatType():
            return "a number" + _bounds(info)
        case inspect.StrType():
            return "text"
        case inspect.NoneType():
            return "none"
        case inspect.LiteralType():
            return "one of " + ", ".join(repr(v) for v in info.values)
        case inspect.EnumType():
            return "one of " + ", ".join(repr(m.value) for m in info.cls)
        case inspect.UnionType():
            return " or ".join(_expected(t) for t in info.types)
        case inspect.CustomType():
            return "a file" if info.cls is Path else info.cls.__name__
        case inspect.VarTupleType() | inspect.ListType():
            return f"a list, each {_expected(info.item_type)}"
        case inspect.TupleType():
            return "a list of " + ", ".join(_expected(t) for t in info.item_types)
        case inspect.StructType():
            return f"a table with {', '.join(f.name for f in info.fields)}"
        case _:
            return type(info).__name__.removesuffix("Type").lower()


def _bounds(info: Any) -> str:
    signs = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
    bounds = [f"{sign} {getattr(info, name):g}" for name, sign in signs.items() if getattr(info, name) is not None]
    return f" {' and '.join(bounds)}" if bounds else ""


def _shown(raw: object) -> str:
    text = f'"{raw}"' if isinstance(raw, str) else repr(raw).lower() if isinstance(raw, bool) else repr(raw)
    return text if len(text) <= 60 else text[:57] + "..."
