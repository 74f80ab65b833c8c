"""ModelSpec: what it takes, what it normalises, when two are equal."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

import hiri_spec
from hiri_spec import ModelSpec
from hiri_spec.blocks.transformer import Transformer
from hiri_spec.files import as_spec

DATA = {"name": "a", "stem": "vit", "stages": [{"block": "ffn", "depth": 1, "width": 8}]}


def test_one_run_and_a_list_of_one_run_are_the_same_stage() -> None:
    listed = {**DATA, "stages": [[{"block": "ffn", "depth": 1, "width": 8}]]}
    assert ModelSpec.model_validate(DATA) == ModelSpec.model_validate(listed)


def test_defaults() -> None:
    spec = ModelSpec.model_validate(DATA)
    assert (spec.size, spec.in_channels, spec.head.classes, spec.drop_path_rate) == ((224, 224), 3, 1000, 0)


def test_sizes() -> None:
    assert as_spec({**DATA, "resolution": [64, 96]}).size == (64, 96)
    assert as_spec({**DATA, "resolution": 64}) != as_spec({**DATA, "resolution": [64, 64]})


def test_equality_ignores_where_a_spec_was_read() -> None:
    assert hiri_spec.load("hiri_s") == ModelSpec.model_validate(dict(hiri_spec.load("hiri_s")))
    assert hiri_spec.load("hiri_s") != hiri_spec.load("hiri_b")
    assert hiri_spec.load("hiri_s") != "hiri_s"


def test_a_spec_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        hiri_spec.load("hiri_s").name = "other"


def test_parts_of_code_and_of_data_mix() -> None:
    run = Transformer(depth=2, width=8, heads=2)
    assert ModelSpec(name="a", stem=as_spec(DATA).stem, stages=((run,),)).stages[0][0] is run
