"""Whatever is handed to the public names: a SpecError with the actual value, never a stray exception."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import hiri_spec
from hiri_spec import SpecError

SPEC: Any = {
    "name": "small",
    "resolution": 32,
    "stem": "vit",
    "stages": [{"block": "cffn", "depth": 2, "width": 16}],
}


def changed(**fields: Any) -> Any:
    """The spec with other values in its only run."""
    return {**SPEC, "stages": [{**SPEC["stages"][0], **fields}]}


CASES: dict[str, tuple[Callable[[], Any], str]] = {
    "depth": (
        lambda: hiri_spec.cost(changed(depth=10**400)),
        r"stages\[0\]\.depth: 10+… is too large; use 1e\+15 or less",
    ),
    "width": (lambda: hiri_spec.cost(changed(width=-(10**5000))), "a number of thousands of digits is too small"),
    "expansion": (lambda: hiri_spec.cost(changed(expansion=1e308)), r"expansion: 1e\+308 is too large"),
    "sides": (lambda: hiri_spec.cost(SPEC, 10**400), "resolution: 10+… is too large; use at most 10,000,000 a side"),
    "own-sides": (lambda: hiri_spec.cost({**SPEC, "resolution": 10**30}), "resolution: 10+ is too large"),
    "size": (lambda: hiri_spec.cost(SPEC, "224"), "resolution: '224' is no image size"),
    "none": (lambda: hiri_spec.cost(None), "null is no spec; give a path, a built-in name, a dict or a ModelSpec"),
    "number": (lambda: hiri_spec.graph(5), "5 is no spec"),
    "list": (lambda: hiri_spec.build([1]), r"\[1\] is no spec"),
    "load": (lambda: hiri_spec.load({}), r"\{\} is no spec"),
    "save": (lambda: hiri_spec.save(SPEC, None), "null is no path to write to; give one"),
    "keys": (lambda: hiri_spec.cost({**SPEC, 5: 1}), "the key 5 is not text; name a field"),
    "batch-text": (lambda: hiri_spec.cost(SPEC, batch="x"), "batch: 'x' is no number of images"),
    "batch-part": (lambda: hiri_spec.cost(SPEC, batch=1.5), "batch: 1.5 is no number of images"),
    "batch-truth": (lambda: hiri_spec.cost(SPEC, batch=True), "batch: true is no number of images"),
    "set-list": (
        lambda: hiri_spec.load("hiri_s", set=["a=b"]),
        r"set: \['a=b'\] sets nothing; give \{'stages.3.depth': 12\}",
    ),
    "set-key": (lambda: hiri_spec.load("hiri_s", set={5: 1}), r"set: \{5: 1\} sets nothing"),
    "classes": (lambda: hiri_spec.build(SPEC, classes=-1), "^classes: -1 is too small; use 1 or more"),
    "in-channels": (lambda: hiri_spec.build(SPEC, in_channels="3"), "^in_channels: '3' is not a whole number"),
    "drop-path": (lambda: hiri_spec.build(SPEC, drop_path_rate=1.0), "^drop_path_rate: 1.0 is too large"),
    "indices": (lambda: hiri_spec.build(SPEC, features_only=True, out_indices="0"), "out_indices: '0' does not fit"),
    "index": (lambda: hiri_spec.build(SPEC, features_only=True, out_indices=[0.5]), "does not fit 1 stage"),
    "limit": (lambda: hiri_spec.build(SPEC, max_macs=float("nan")), "more than the limit of nan"),
    "name": (
        lambda: hiri_spec.cost({**SPEC, "name": "a/b"}),
        "name: 'a/b' is not a usable name; use letters, digits, dots, hyphens",
    ),
    "run-name": (
        lambda: hiri_spec.cost(changed(name="A")),
        r"stages\[0\]\.name: 'A' is not a usable name; use lower-case",
    ),
    "blocks": (
        lambda: hiri_spec.build(changed(depth=20_000_000, width=8)),
        "operations, more than the limit of .* max_operations=…",
    ),
}


@pytest.mark.parametrize(("call", "message"), CASES.values(), ids=CASES)
def test_misuse(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        call()


def test_the_number_of_operations_can_be_raised() -> None:
    with pytest.raises(SpecError, match="max_operations=…"):
        hiri_spec.build(SPEC, max_operations=10)
    assert hiri_spec.build(SPEC, max_operations=100)
