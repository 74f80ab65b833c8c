"""What the JSON Schema of the language allows at a path of a spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from hiri_spec.document import get
from hiri_spec.errors import Path
from hiri_spec.files import parse_path
from hiri_spec.json_schema import json_schema

Schema = Mapping[str, Any]


@cache
def _whole() -> Schema:
    return json_schema()


def schemas_at(path: Path, data: Any) -> list[Schema]:
    """Every form that the value at a path may have, without references and alternatives; none where nothing may stand.

    `data` is the spec around: parts that it names narrow down what is inside them. Below `set`, a dotted path leads to
    where it points.
    """
    if path[:1] == ("set",) and len(path) > 1:
        path = (*parse_path(str(path[1])), *path[2:])
    forms = list(_forms(_whole()))
    here = data
    for part in path:
        if not forms:  # the rest of the path, however long, leads nowhere
            break
        inside = []
        for form in forms:
            if isinstance(part, str) and _may_be(form, here, part):
                inside += [form["properties"][part]] if part in form.get("properties", ()) else []
            elif isinstance(part, int) and "items" in form:
                inside.append(form["items"])
            elif isinstance(part, int) and part < len(form.get("prefixItems", ())):
                inside.append(form["prefixItems"][part])
        forms = [form for schema in inside for form in _forms(schema)]
        here = get(here, (part,))
    return forms


def properties_of(forms: list[Schema], here: Any) -> dict[str, tuple[Schema, bool]]:
    """Fields of a mapping that may have several forms, each with whether it is needed in all; what is written decides.

    The field that names the part comes first, then those that are needed.
    """
    fitting = [form for form in forms if "properties" in form and _may_be(form, here, None)]
    found: dict[str, Schema] = {}
    for form in fitting:
        for name, schema in form["properties"].items():
            found.setdefault(name, schema)
    needed = set.intersection(*[_needed(form, here) for form in fitting]) if fitting else set()
    fields = {name: (schema, name in needed) for name, schema in found.items()}
    return dict(sorted(fields.items(), key=lambda item: ("const" not in item[1][0], not item[1][1])))


def _needed(form: Schema, here: Any) -> set[str]:
    """Fields without which a mapping is not of a form; of alternatives, the one that it has most of."""
    written = here.keys() if isinstance(here, Mapping) else set()
    alternatives = [set(option.get("required", ())) for option in form.get("anyOf", ())]
    return max(alternatives, key=lambda one: (len(one & written), len(one)), default=set()) | {
        *form.get("required", ())
    }


def _forms(schema: Schema) -> Iterator[Schema]:
    """The alternatives of a schema, references followed."""
    if "$ref" in schema:
        target = _whole()["$defs"][schema["$ref"].rpartition("/")[2]]
        around = {key: value for key, value in schema.items() if key != "$ref"}
        yield from ({**around, **form} for form in _forms(target))
    elif "anyOf" in schema and "properties" not in schema:
        around = {key: value for key, value in schema.items() if key != "anyOf"}
        for option in schema["anyOf"]:
            yield from ({**around, **form} for form in _forms(option))
    else:
        yield schema


def _may_be(form: Schema, here: Any, asked: str | None) -> bool:
    """Whether a mapping, as far as it is written, may have a form: no constant field but the one asked for differs."""
    if "properties" not in form:
        return False
    for name, schema in form["properties"].items():
        if "const" in schema and name != asked and isinstance(here, Mapping):
            written = here.get(name)
            if written is not None and written != schema["const"]:
                return False
    return True
