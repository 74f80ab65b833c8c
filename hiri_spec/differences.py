"""What differs between two specs, value by value, with stages matched up rather than counted off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from .errors import Path, format_path
from .files import to_data
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
    if len(before) == len(after):
        yield from _compare(("stages",), before, after)
        return
    matcher = SequenceMatcher(None, [_likeness(s) for s in before], [_likeness(s) for s in after], autojunk=False)
    for kind, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if kind in ("equal", "replace"):
            shared = min(old_end - old_start, new_end - new_start)
            for offset in range(shared):
                path = ("stages", new_start + offset)
                yield from _compare(path, before[old_start + offset], after[new_start + offset])
            old_start, new_start = old_start + shared, new_start + shared
        for index in range(old_start, old_end):
            yield Change(f"stages[{index}]", before[index], None)
        for index in range(new_start, new_end):
            yield Change(f"stages[{index}]", None, after[index])


def _likeness(stage: Any) -> tuple[Any, ...]:
    """What makes two stages the same stage: their blocks and widths."""
    runs = stage if isinstance(stage, list) else [stage]
    return tuple((run.get("block"), run.get("width")) for run in runs)
