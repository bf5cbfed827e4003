"""The commands that compute nothing: list, show, cite."""

from typing import Annotated, Any

from cyclopts import Parameter

from catallax.cli.errors import CommandError
from catallax.cli.options import Common
from catallax.cli.output import columns, emit
from catallax.experiments import catalogue


def list_experiments(*, common: Common | None = None) -> int:
    """List the experiments.

    Args:
        common: Options of every command.
    """
    rows = [(name, entry.summary) for name, entry in catalogue.CATALOGUE.items()]
    answer = {
        "schema": "catallax-list-1",
        "status": "done",
        "experiments": [{"name": name, "summary": summary} for name, summary in rows],
    }
    emit(answer, columns(rows), as_json=common is not None and common.json)
    return 0


def show(name: str, /, *, common: Common | None = None) -> int:
    """Show an experiment: settings, scales, markets, claims and sources.

    Args:
        name: Name of the experiment.
        common: Options of every command.
    """
    if name not in catalogue.CATALOGUE:
        raise CommandError(catalogue.unknown(name))
    experiment = catalogue.load(name)
    settings = _settings(experiment.settings)
    cells = [
        {"name": cell.name, "label": cell.label, "lanes": dict(cell.lanes)}
        for cell in experiment.build_cells(experiment.settings())
    ]
    scales = {
        key: {"steps": scale.steps, "replications": scale.replications, "block": scale.block}
        for key, scale in experiment.scales.items()
    }
    claims = [{"id": claim.id, "source": claim.source, "statement": claim.statement} for claim in experiment.claims]
    answer = {
        "schema": "catallax-show-1",
        "status": "done",
        "experiment": experiment.name,
        "title": experiment.title,
        "summary": experiment.summary,
        "sources": list(experiment.sources),
        "settings": settings,
        "scales": scales,
        "cells": cells,
        "claims": claims,
    }
    emit(answer, _show_text(answer), as_json=common is not None and common.json)
    return 0


def cite(
    name: Annotated[str | None, Parameter(help="An experiment, or a BibTeX key.")] = None,
    /,
    *,
    keys: Annotated[bool, Parameter(name="--list", negative="", help="List all keys.")] = False,
    common: Common | None = None,
) -> int:
    """Print the BibTeX of what an experiment rests on.

    Args:
        name: Experiment or key; the software alone if left out.
        keys: List all keys instead.
        common: Options of every command.
    """
    from catallax.lab import cite as references

    if keys:
        chosen = list(references.entries())
        text = "\n".join(chosen)
    else:
        chosen = _keys_of(name, references)
        text = references.cite(chosen)
    entries = {key: references.entries()[key] for key in chosen}
    answer = {"schema": "catallax-cite-1", "status": "done", "entries": entries}
    emit(answer, text, as_json=common is not None and common.json)
    return 0


def _keys_of(name: str | None, references: Any) -> list[str]:
    """The BibTeX keys behind an experiment, a key, or nothing."""
    if name is None:
        return list(references.SOFTWARE)
    if name in catalogue.CATALOGUE:
        return references.keys_of(catalogue.load(name))
    if "." in name:  # keys have no dot, experiments do
        raise CommandError(catalogue.unknown(name))
    references.cite([name])
    return [name]


def _settings(kind: Any) -> list[dict[str, Any]]:
    """The name, the type in words and the default of each setting."""
    import msgspec

    schema = msgspec.json.schema(kind, schema_hook=lambda other: {"type": other.__name__.lower()})
    definitions = schema.get("$defs", {})
    properties = definitions[kind.__name__]["properties"]
    defaults = kind()
    return [
        {"name": key, "type": _words(form, definitions), "default": getattr(defaults, key)}
        for key, form in properties.items()
    ]


def _words(form: dict[str, Any], definitions: dict[str, Any]) -> str:
    """A JSON schema in words: "integer >= 1", "profit | crossing"."""
    if "$ref" in form:
        form = definitions[form["$ref"].rsplit("/", 1)[-1]]
    if "enum" in form:
        return " | ".join(str(value) for value in form["enum"])
    if "anyOf" in form:
        return " | ".join(_words(part, definitions) for part in form["anyOf"])
    if form.get("type") == "array":
        items = form.get("items") or {}
        return f"list of {_words(items, definitions)}" if items else "list"
    signs = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
    bounds = " and ".join(f"{sign} {form[key]}" for key, sign in signs.items() if key in form)
    return " ".join(part for part in (str(form.get("type", "any")), bounds) if part)


def _show_text(answer: dict[str, Any]) -> str:
    """The answer of `show` as text."""
    sections: list[tuple[str, list[tuple[str, ...]]]] = [
        ("settings", [(s["name"], s["type"], f"default {s['default']}") for s in answer["settings"]]),
        (
            "scales",
            [(key, f"{s['steps']} steps", f"{s['replications']} replications") for key, s in answer["scales"].items()],
        ),
        ("cells", [(c["name"], c["label"]) for c in answer["cells"]]),
        ("claims", [(c["id"], c["statement"], f"[{c['source']}]") for c in answer["claims"]]),
        ("sources", [(key,) for key in answer["sources"]]),
    ]
    parts = [f"{answer['experiment']}: {answer['title']}", answer["summary"]]
    parts += [f"{head}\n{_indent(columns(rows))}" for head, rows in sections if rows]
    return "\n\n".join(parts)


def _indent(text: str) -> str:
    """Text moved two columns to the right."""
    return "\n".join(f"  {line}" for line in text.splitlines())
