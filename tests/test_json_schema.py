"""The JSON Schema accepts what the language accepts, refuses what an editor should underline, and is committed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from strategies import model_specs

from hiri_spec import ModelSpec, SpecError
from hiri_spec.document import parse
from hiri_spec.files import NOT_SPECS, as_spec
from hiri_spec.json_schema import json_schema
from hiri_spec.saving import to_data

SPECS = Path(__file__).resolve().parent.parent / "specs"
SPEC_FILES = sorted(path for path in SPECS.rglob("*.yaml") if path.relative_to(SPECS).parts[0] not in NOT_SPECS)
SPACE_FILES = sorted((SPECS / "spaces").glob("*.yaml"))
SPEC = jsonschema.Draft202012Validator(json_schema())
SPACE = jsonschema.Draft202012Validator(json_schema(space=True))


@pytest.mark.parametrize("validator", [SPEC, SPACE], ids=["spec", "space"])
def test_the_schema_is_a_schema(validator: Any) -> None:
    validator.check_schema(validator.schema)


@pytest.mark.parametrize(
    ("path", "space"), [("schema.json", False), ("spaces/schema.json", True)], ids=["spec", "space"]
)
def test_the_committed_schema_is_current(path: str, space: bool) -> None:
    assert json.loads((SPECS / path).read_text()) == json_schema(space=space)


@pytest.mark.parametrize("path", SPEC_FILES, ids=lambda path: path.stem)
def test_committed_specs(path: Path) -> None:
    SPEC.validate(parse(path.read_text(), path.name).data)
    first = path.read_text().splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    assert (path.parent / first.partition("=")[2]).resolve() == SPECS / "schema.json"


@pytest.mark.parametrize("path", SPACE_FILES, ids=lambda path: path.stem)
def test_committed_spaces(path: Path) -> None:
    SPACE.validate(parse(path.read_text(), path.name).data)
    assert not SPEC.is_valid(parse(path.read_text(), path.name).data)
    assert "$schema=schema.json" in path.read_text().splitlines()[0]


@settings(deadline=None, max_examples=50)
@given(spec=model_specs())
def test_any_spec(spec: ModelSpec) -> None:
    SPEC.validate(to_data(spec))
    SPACE.validate(to_data(spec))


def change(*path: str | int, to: object) -> Callable[[Any], None]:
    def apply(data: Any) -> None:
        for part in path[:-1]:
            data = data[part]
        data[path[-1]] = to

    return apply


REFUSED = {
    "unknown-block": change("stages", 0, "block", to="hrr"),
    "misspelt-field": change("stages", 0, "dept", to=1),
    "text-depth": change("stages", 0, "depth", to="2"),
    "float-depth": change("stages", 0, "depth", to=2.5),
    "zero-depth": change("stages", 0, "depth", to=0),
    "even-kernel": change("stages", 0, "kernel", to=4),
    "unknown-stem": change("stem", to="vitt"),
    "unknown-downsample": change("stages", 1, "downsample", to="irds"),
    "unknown-norm": change("stages", 0, "norm", to="group"),
    "top-level-field": change("colour", to="red"),
    "small-resolution": change("resolution", to=16),
    "empty-stages": change("stages", to=[]),
    "head-field": change("head", to={"clases": 3}),
}


@pytest.mark.parametrize("spoil", REFUSED.values(), ids=REFUSED)
def test_refused(spoil: Callable[[Any], None]) -> None:
    data = parse((SPECS / "hiri_s.yaml").read_text(), "hiri_s.yaml").data
    SPEC.validate(data)
    spoil(data)
    assert not SPEC.is_valid(data)


def test_every_field_is_explained() -> None:
    for family in ("block", "stem", "downsample", "head"):
        for option in json_schema()["$defs"][family]["anyOf"]:
            for name, field in option.get("properties", {}).items():
                assert "description" in field or "$ref" in field, f"{family} {name}"


@pytest.mark.parametrize(
    ("changes", "is_valid"),
    [
        ({"head": "classifier"}, True),
        ({"head": "nothing"}, False),
        ({"stages": [{"block": "cffn", "depth": 1, "width": 8, "name": "late"}]}, True),
        ({"stages": [{"block": "cffn", "depth": 1, "width": 8, "name": "train"}]}, False),
        ({"stages": [{"block": "cffn", "depth": 10**16, "width": 8}]}, False),
    ],
    ids=["head", "no-head", "name", "reserved-name", "depth"],
)
def test_it_takes_what_the_loader_takes(changes: dict[str, Any], is_valid: bool) -> None:
    data = {"name": "a", "stem": "vit", "stages": [{"block": "cffn", "depth": 1, "width": 8}], **changes}
    assert SPEC.is_valid(data) is is_valid
    if is_valid:
        assert as_spec(data)
    else:
        with pytest.raises(SpecError, match=r"unknown head|is a word of|too large"):
            as_spec(data)
