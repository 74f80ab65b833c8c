"""What differs between two specs, value by value, with stages matched up rather than counted off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from .errors import Path, format_path
from .files import to_data
from .network import run_names
from .saving import flow_text
from .schema import ModelSpec


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: `before` is None for what was added, `after` for what was removed. Paths are the newer spec's."""

    path: str
    before: Any
    after: Any


def compare(before: ModelSpec, after: ModelSpec) -> list[Change]:
    """Every difference from one spec to another, in the order of the file."""
    old, new = to_data(before), to_data(after)
    old_stages, new_stages = old.pop("stages"), new.pop("stages")
    return [*_compare((), old, new), *_compare_stages(old_stages, new_stages)]


def _compare(path: Path, before: Any, after: Any) -> Iterator[Change]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys([*before, *after]):
            yield from _compare((*path, key), before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _compare((*path, index), old, new)
    elif before != after:
        yield Change(format_path(path), before, after)


def _compare_stages(before: list[Any], after: list[Any]) -> Iterator[Change]:
    for old, new in pair_stages([likeness(stage) for stage in before], [likeness(stage) for stage in after]):
        if old is not None and new is not None:
            yield from _compare(("stages", new), before[old], after[new])
        elif old is not None:
            yield Change(f"stages[{old}]", before[old], None)
        elif new is not None:
            yield Change(f"stages[{new}]", None, after[new])


def pair_stages(before: list[Any], after: list[Any]) -> Iterator[tuple[int | None, int | None]]:
    """Match up stages by what they are like: pairs of indices, None for a stage that has no counterpart.

    As many stages on both sides are taken in order; else equal ones go together, then what is left between them.
    """
    if len(before) == len(after):
        yield from ((index, index) for index in range(len(before)))
        return
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for kind, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        shared = min(old_end - old_start, new_end - new_start) if kind in ("equal", "replace") else 0
        yield from ((old_start + offset, new_start + offset) for offset in range(shared))
        yield from ((index, None) for index in range(old_start + shared, old_end))
        yield from ((None, index) for index in range(new_start + shared, new_end))


def likeness(stage: Any) -> tuple[Any, ...]:
    """What makes two stages the same stage: their blocks and widths."""
    runs = stage if isinstance(stage, list) else [stage]
    return tuple((run.get("block"), run.get("width")) for run in runs)


def as_text(value: Any) -> str:
    """One side of a change as YAML in one line; a dash for what isn't there."""
    return "–" if value is None else flow_text(value)


def compare_weights(before: ModelSpec, after: ModelSpec, *, with_classes: bool = True) -> list[Change]:
    """The differences that keep the weights of one from being the other's.

    Left out are name, description, resolution, drop rates and the value that a layer scale begins at; a run's name
    counts as the one under which its weights are kept. `with_classes` is for models with a classifier.
    """
    return compare(_as_kept(before, with_classes), _as_kept(after, with_classes))


def _as_kept(spec: ModelSpec, with_classes: bool) -> ModelSpec:
    """A spec with everything that no weight depends on at one and the same value."""
    stages = []
    for stage in spec.stages:
        unnamed = tuple(run.model_copy(update={"name": None}) for run in stage)
        runs = []
        for run, name, usual in zip(stage, run_names(stage), run_names(unnamed), strict=True):
            scale = None if run.layer_scale is None else 1.0
            runs.append(run.model_copy(update={"name": None if name == usual else name, "layer_scale": scale}))
        stages.append(tuple(runs))
    same: dict[str, Any] = {"drop_rate": 0.0} if "drop_rate" in type(spec.head).model_fields else {}
    head = spec.head.model_copy(update=same if with_classes else {**same, "classes": 1})
    plain = {"name": "network", "description": None, "resolution": 224, "drop_path_rate": 0.0}
    return spec.model_copy(update={**plain, "stages": tuple(stages), "head": head})
