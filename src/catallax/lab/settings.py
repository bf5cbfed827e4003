"""The input of an experiment's user: settings from the command line or a TOML file, and classes of the user's own.

Settings are decoded to the settings struct of the experiment. A wrong setting is refused with a message of one line.
"""

import importlib.util
import inspect
import math
import sys
import tomllib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from catallax.core.errors import FileError, InputError
from catallax.lab.experiment import Experiment, S, nearest

T = TypeVar("T")

_LARGEST_FILE = 1 << 20  # bytes; a settings file is a page of text, so that a larger file is the wrong one


def decode_settings(
    experiment: Experiment[S], pairs: Mapping[str, object] | None = None, file: Path | None = None
) -> S:
    """The settings of an experiment: its defaults, changed by a TOML file, changed by `pairs` from the command line.

    Args:
        experiment: The experiment.
        pairs: Key to value. A string is read as the type of the field ("4", "0.5", "true", "none", "[1, 2]").
        file: A TOML file with the same keys at its top level. A path in it is relative to the file.

    Raises:
        InputError: a key is unknown (the nearest one is named), or a value has a wrong type or range, is NaN or
            infinite.
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
    except (TypeError, ValueError) as error:  # raised by __post_init__ of the struct
        raise InputError(f"settings of {experiment.name}: {error}") from None


def check_settings(experiment: Experiment, settings: Any) -> None:
    """Check that settings made in Python belong to the experiment and satisfy the constraints of their types.

    Raises:
        InputError: the settings have another type, or a value does not satisfy its constraints, is NaN or infinite.
        FileError: a file that a setting names does not exist.
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
    """The user's files that settings name: field to path."""
    values = {f.name: getattr(settings, f.name) for f in msgspec.structs.fields(type(settings))}
    return {name: value for name, value in values.items() if isinstance(value, Path)}


def as_builtins(settings: msgspec.Struct) -> dict[str, Any]:
    """The settings as values that JSON can hold; a path becomes its text."""
    return msgspec.to_builtins(settings, enc_hook=str)


def from_builtins(settings_type: type[S], values: Mapping[str, Any]) -> S:
    """The settings with these values; the inverse of `as_builtins`.

    Raises:
        InputError: the values do not fit the type.
    """
    try:
        return msgspec.convert(dict(values), settings_type, dec_hook=_decode_other)
    except (msgspec.ValidationError, TypeError, ValueError) as error:
        raise InputError(f"the stored settings do not fit {settings_type.__name__}: {error}") from None


def load_class(path: Path, base: type[T]) -> type[T]:
    """Load the one concrete subclass of `base` that a user's Python file defines.

    The file runs as Python with all rights of the user who named it, so only files that one trusts should be named.

    Args:
        path: The file.
        base: The class that the user's class extends.

    Raises:
        FileError: the file is missing, is not Python, or fails while it is run.
        InputError: the file defines no such class, or more than one.
    """
    if path.suffix != ".py" or not path.is_file():
        raise FileError(f"{path}: expected a Python file (.py)")
    name = f"catallax_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None  # every .py file has both
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look up their module by name
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise FileError(f"{path}:{error.lineno}: not valid Python: {error.msg}") from error
    except Exception as error:
        line = _last_line(error, path)
        raise FileError(f"{path}:{line}: failed while it was loaded: {type(error).__name__}: {error}") from error
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, base)
        and value.__module__ == name
        and not inspect.isabstract(value)
    ]
    if len(found) != 1:
        names = ", ".join(c.__name__ for c in found) or "none"
        raise InputError(f"{path}: expected one class that extends {base.__name__}, found {names}")
    return found[0]


def make(cls: type[T], path: Path) -> T:
    """An instance of a user's class with its default hyperparameters.

    Args:
        cls: The class; see `load_class`.
        path: Its file, for messages.

    Raises:
        InputError: the class cannot be made without arguments.
    """
    try:
        return cls()
    except TypeError as error:
        raise InputError(f"{path}: {cls.__name__}() cannot be made without arguments: {error}") from error


def read_toml(file: Path) -> dict[str, Any]:
    """The table in a TOML file.

    Raises:
        FileError: the file is missing, too large, not text or not TOML.
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
    """One value as the type of its field. The refusal of a wrong value says what was expected and what was given."""
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
    """The error for a value that does not fit its field."""
    return InputError(f"{source}: {key} must be {_expected(msgspec.inspect.type_info(kind))}, got {_shown(raw)}")


def _from_text(text: str, kind: Any) -> object:
    """Text from the command line as a value: None, a TOML array or table, or the text itself."""
    if text.lower() in ("none", "null") and type(None) in _alternatives(kind):
        return None
    if text[:1] in ("[", "{"):
        try:
            return tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            return text
    return text


def _alternatives(kind: Any) -> tuple[Any, ...]:
    """The members of a union type; any other type alone."""
    while typing.get_origin(kind) is typing.Annotated:
        kind = typing.get_args(kind)[0]
    union = typing.get_origin(kind) in (typing.Union, types.UnionType)
    return typing.get_args(kind) if union else (kind,)


def _decode_other(kind: type, value: object) -> Any:
    """Decode a type that msgspec does not know: paths."""
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
    """The bounds of a number in words: " >= 1 and < 10"."""
    signs = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
    bounds = [f"{sign} {getattr(info, name):g}" for name, sign in signs.items() if getattr(info, name) is not None]
    return f" {' and '.join(bounds)}" if bounds else ""


def _shown(raw: object) -> str:
    """A value as a message shows it, in at most 60 characters."""
    text = f'"{raw}"' if isinstance(raw, str) else repr(raw).lower() if isinstance(raw, bool) else repr(raw)
    return text if len(text) <= 60 else text[:57] + "..."


def _last_line(error: BaseException, path: Path) -> int:
    """The last line of the user's file in the traceback; 0 if the file does not occur there."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
