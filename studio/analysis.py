"""The text of a spec, as it is being typed → the spec, its cost at several sizes, and its mistakes at their places."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath

from hiri_spec.block import Part
from hiri_spec.cost import MAX_MACS, MAX_OPERATIONS, MAX_PARAMS, Cost, cost, part_cost
from hiri_spec.errors import Path, Problem, SpecError, format_path
from hiri_spec.files import load_text
from hiri_spec.graph import Graph, Shapes
from hiri_spec.network import trace_part
from hiri_spec.schema import ModelSpec

from .places import Places

MAX_CHARACTERS = 100_000
"""A longer text takes too long to be read at each keystroke."""
MAX_DIFFERENT_OPERATIONS = 20_000
"""Operations of the parts that differ, which are what takes time to count."""
NOT_READ = frozenset(
    {
        "not_yaml",
        "too_large",
        "too_many_values",
        "too_deep",
        "tag",
        "not_finite",
        "key_not_text",
        "duplicate_key",
        "merge",
        "unknown_alias",
        "recursive_alias",
    }
)
"""Codes of what keeps a text from being read as YAML at all."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A mistake in a text: `line` from 1 on; `start` and `end` are indices into the text, what to underline."""

    line: int
    start: int
    end: int
    message: str
    path: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a text says. Without mistakes there is a spec and a cost for each size; with any, neither."""

    text: str
    spec: ModelSpec | None
    costs: tuple[Cost, ...]
    marks: tuple[Mark, ...]


def analyse(
    text: str, *, file: FilePath, roots: Sequence[FilePath], sizes: Sequence[tuple[int, int]] | None = None
) -> Analysis:
    """Read the text of a spec that belongs into `file`, and cost it at `sizes`, (height, width), or at its own.

    It finds the mistakes that loading the file would find, and networks beyond the limits of building at its own size
    or at any of `sizes`. `extends` reads the built-in specs and what lies in `roots`. No text raises, runs code, or
    takes longer than these limits allow.
    """
    shown = os.fspath(file)
    try:
        if len(text) > MAX_CHARACTERS:
            message = f"{len(text):,} characters; the studio follows a spec of at most {MAX_CHARACTERS:,}"
            raise SpecError(Problem(message, file=shown, line=1, code="too_large"))
        spec = load_text(text, file=file, roots=roots)
        _check_limits(spec)
        costs = tuple(_cost_within_limits(spec, size) for size in ([spec.size] if sizes is None else sizes))
    except SpecError as error:
        is_yaml = not any(problem.file == shown and problem.code in NOT_READ for problem in error.problems)
        places = Places(text, can_be_read=is_yaml)
        return Analysis(text, None, (), tuple(_mark(problem, places, shown) for problem in error.problems))
    return Analysis(text, spec, costs, ())


def _mark(problem: Problem, places: Places, file: str) -> Mark:
    """A problem at its place in the text; one in a file that this one extends, at `extends`."""
    if problem.file in ("", file):
        line, start, end = places.find(problem.path, problem.line, is_key=problem.code == "extra_forbidden")
        return Mark(line, start, end, " ".join(problem.message.splitlines()), problem.path)
    line, start, end = places.find("extends", None)
    return Mark(line, start, end, " ".join(str(problem).splitlines()), problem.path)


@dataclass(frozen=True, slots=True)
class _Share:
    """What one part of a network adds."""

    path: Path
    params: int
    macs: int
    operations: int


def _check_limits(spec: ModelSpec) -> None:
    """Refuse a network of too many different parts before time is spent on it, and what no machine holds."""
    height, width = spec.size
    shares = list(_shares(spec))
    for name, what, limit in (
        ("params", "parameters", MAX_PARAMS),
        ("macs", f"MACs at {height}x{width}", MAX_MACS),
        ("operations", "operations", MAX_OPERATIONS),
    ):
        amounts: list[int] = [getattr(share, name) for share in shares]
        total = sum(amounts)
        if total > limit:
            largest = shares[amounts.index(max(amounts))]
            message = f"{total:.3g} {what} in all, most of them here; lower widths and depths, the limit is {limit:.3g}"
            raise SpecError(Problem(message, format_path(largest.path), code="too_large"))


def _cost_within_limits(spec: ModelSpec, size: tuple[int, int]) -> Cost:
    """The cost at a size; raises SpecError where that is more than is built at any."""
    found = cost(spec, size)
    if found.macs > MAX_MACS:
        height, width = size
        message = f"{found.macs:.3g} MACs at {height}x{width}, the limit is {MAX_MACS:.3g}; use a smaller resolution"
        raise SpecError(Problem(message, "resolution", code="too_large"))
    return found


def _shares(spec: ModelSpec) -> Iterator[_Share]:
    shape: Shapes = (spec.in_channels, *spec.size)
    seen: dict[int, Graph] = {}
    different = 0
    for path, part, channels, repeats in _parts(spec):
        try:
            traced = trace_part(part, shape, channels)
        except SpecError as error:
            raise SpecError(Problem(error.problems[0].message, format_path(path), code="too_large")) from None
        if id(traced) not in seen:
            seen[id(traced)] = traced
            different += len(traced)
        if different > MAX_DIFFERENT_OPERATIONS:
            message = f"more than {MAX_DIFFERENT_OPERATIONS:,} different operations up to here; write a smaller network"
            raise SpecError(Problem(message, format_path(path), code="too_large"))
        one = part_cost(part, shape, channels)
        yield _Share(path, one.params * repeats, one.macs * repeats, len(traced) * repeats)
        shape = one.output


def _parts(spec: ModelSpec) -> Iterator[tuple[Path, Part, int | None, int]]:
    """The parts in order, each with its path in the spec, the width it is told to give, and its repeats."""
    yield ("stem",), spec.stem, spec.stages[0][0].width, 1
    for index, stage in enumerate(spec.stages):
        for position, run in enumerate(stage):
            path: Path = ("stages", index, position) if len(stage) > 1 else ("stages", index)
            if run.downsample is not None:
                yield (*path, "downsample"), run.downsample, run.width, 1
            yield path, run, None, run.depth
    yield ("head",), spec.head, None, 1
