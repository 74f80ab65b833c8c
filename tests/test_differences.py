"""What differs between two specs, with stages matched up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from strategies import model_specs

import hiri_spec
from hiri_spec import ModelSpec
from hiri_spec.differences import Change, compare


@settings(deadline=None)
@given(spec=model_specs())
def test_a_spec_does_not_differ_from_itself(spec: ModelSpec) -> None:
    assert compare(spec, spec) == []


@settings(deadline=None)
@given(before=model_specs(), after=model_specs())
def test_different_specs_differ(before: ModelSpec, after: ModelSpec) -> None:
    changes = compare(before, after)
    assert bool(changes) == (before != after)
    assert all(change.before != change.after for change in changes)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"stages.3.depth": 12}, [Change("stages[3].depth", 9, 12)]),
        ({"stages.2.kernel": 5}, [Change("stages[2].kernel", None, 5)]),
        ({"head.classes": 10}, [Change("head.classes", 1000, 10)]),
        ({"resolution": [448, 672]}, [Change("resolution", 448, [448, 672])]),
        ({"stages.1.downsample": "irds_b"}, [Change("stages[1].downsample", "irds_a", "irds_b")]),
    ],
    ids=["value", "default", "head", "resolution", "downsample"],
)
def test_one_change(changes: dict[str, Any], expected: list[Change]) -> None:
    spec = hiri_spec.load("hiri_s")
    assert compare(spec, hiri_spec.load("hiri_s", set=changes)) == expected


def test_a_stage_put_in_front_moves_the_others_along() -> None:
    changes = compare(hiri_spec.load("hiri_s"), hiri_spec.load("hiri_s_6stage"))
    added = [change for change in changes if change.before is None and change.path.startswith("stages[")]
    assert Change("stages[0]", None, {"block": "hr", "depth": 2, "width": 16}) in added
    assert not [change for change in changes if change.path.startswith(("stages[4]", "stages[5]"))]


def test_a_stage_taken_away() -> None:
    changes = compare(hiri_spec.load("hiri_s_6stage"), hiri_spec.load("hiri_s"))
    assert Change("stages[0]", {"block": "hr", "depth": 2, "width": 16}, None) in changes
