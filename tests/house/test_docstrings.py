"""Every public class, function and method of the library says what it is, itself or by the method that it overrides."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import catallax


def public(owner: object, module: str) -> Iterator[tuple[str, object]]:
    """The public classes and functions that a module, or a class of it, defines."""
    for name, member in list(vars(owner).items()):
        value = getattr(member, "fget", None) or inspect.unwrap(getattr(member, "__func__", member))
        kind = inspect.isclass(value) or inspect.isroutine(value)
        if kind and not name.startswith("_") and getattr(value, "__module__", "") == module:
            yield name, member


def undocumented() -> Iterator[str]:
    for found in pkgutil.walk_packages(catallax.__path__, "catallax."):
        if found.name.endswith("__main__"):
            continue
        module = importlib.import_module(found.name)
        for name, value in public(module, found.name):
            if not inspect.getdoc(value):
                yield f"{found.name}.{name}"
            if inspect.isclass(value):
                for method, _ in public(value, found.name):
                    if not any(
                        inspect.getdoc(vars(base).get(method)) for base in value.__mro__ if method in vars(base)
                    ):
                        yield f"{found.name}.{name}.{method}"


def test_every_public_name_is_documented_where_it_is_first_defined():
    missing = sorted(undocumented())
    assert not missing, "write a docstring for: " + ", ".join(missing)
