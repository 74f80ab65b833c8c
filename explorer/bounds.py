"""The cheapest and the dearest network of a space, exactly: stage by stage, keeping the best for each way to go on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from hiri_spec import ModelSpec
from hiri_spec.block import Block
from hiri_spec.cost import part_cost, run_cost
from hiri_spec.schema import Stage

from .choices import Choice, Fields, Items, Node
from .space import Space, sketch

Measure = Literal["macs", "params"]
MONOTONE = ("depth", "expansion")
"""Fields in which cost only grows, so that just their ends matter."""
_stage_reader: TypeAdapter[Any] = TypeAdapter(Stage)


@dataclass(frozen=True, slots=True)
class Bound:
    """The least or the most that a network of a space costs, and that network in a few letters."""

    value: int
    sketch: str


def bound(space: Space, measure: Measure, *, most: bool = False) -> Bound | None:
    """The least (or most) MACs or parameters at the space's resolution; None for a space without any network."""
    sign = -1 if most else 1
    best: tuple[int, ModelSpec] | None = None
    others = {key: node for key, node in space.top.items() if key != "stages"}
    for values in product(*[list(variants(node, most)) for node in others.values()]):
        rest = dict(zip(others, values, strict=True))
        for stages in _stage_lists(space.top["stages"]):
            options = [[runs for runs in map(_read, variants(node, most)) if runs] for node in stages]
            found = _best_chain(rest, options, measure, sign)
            if found is not None and (best is None or sign * found[0] < sign * best[0]):
                best = found
    return None if best is None else Bound(best[0], sketch(best[1]))


def _best_chain(
    rest: dict[str, Any], options: list[list[tuple[Block, ...]]], measure: Measure, sign: int
) -> tuple[int, ModelSpec] | None:
    """Dynamic programme over the stages; a state is the map's shape and whether a Transformer has been seen."""
    states: dict[tuple[Any, ...], tuple[int, tuple[tuple[Block, ...], ...]]] = {}
    for position, stage_options in enumerate(options):
        following: dict[tuple[Any, ...], tuple[int, tuple[tuple[Block, ...], ...]]] = {}
        for runs in stage_options:
            starts = states.items() if position else _stem_state(rest, runs, measure)
            for (shape, seen), (value, before) in starts:
                went = _through(runs, shape, seen, value, measure)
                if went is not None:
                    state, total = went
                    known = following.get(state)
                    if known is None or sign * total < sign * known[0]:
                        following[state] = (total, (*before, runs))
        states = following
    best = None
    for (shape, _), (value, stages) in states.items():
        try:
            spec = ModelSpec.model_validate({**rest, "stages": stages})
        except ValidationError:
            continue
        total = value + getattr(part_cost(spec.head, shape), measure)
        if best is None or sign * total < sign * best[0]:
            best = (total, spec)
    return best


def _stem_state(rest: dict[str, Any], runs: tuple[Block, ...], measure: Measure) -> Iterator[Any]:
    """The state behind the stem, as one item; the stem is as wide as the first stage."""
    try:
        spec = ModelSpec.model_validate({**rest, "stages": (runs,)})
    except ValidationError:
        return
    one = part_cost(spec.stem, (spec.in_channels, *spec.size), runs[0].width)
    yield (one.output, False), (getattr(one, measure), ())


def _through(
    runs: tuple[Block, ...], shape: Any, seen_transformer: bool, value: int, measure: Measure
) -> tuple[tuple[Any, bool], int] | None:
    """Follow one stage; None where widths don't meet or an HR block follows a Transformer."""
    for run in runs:
        kind = getattr(run, "block", "")
        if (run.downsample is None and run.width != shape[0]) or (kind == "hr" and seen_transformer):
            return None
        seen_transformer = seen_transformer or kind == "transformer"
        one = run_cost(run, shape)
        value, shape = value + getattr(one, measure), one.output
    return (shape, seen_transformer), value


def variants(node: Node, most: bool) -> Iterator[Any]:
    """Every value that a node can take, but of a field in which cost only grows just the end that counts."""
    if isinstance(node, Choice):
        options = node.options
        labels = node.parameter.labels
        if node.parameter.field in MONOTONE and all(isinstance(label, int | float) for label in labels):
            pick = max if most else min
            options = [options[pick(range(len(labels)), key=lambda index: labels[index])]]
        for option in options:
            yield from variants(option, most)
    elif isinstance(node, Fields):
        for values in product(*[list(variants(item, most)) for item in node.items.values()]):
            yield dict(zip(node.items, values, strict=True))
    elif isinstance(node, Items):
        yield from map(list, product(*[list(variants(item, most)) for item in node.items]))
    else:
        yield getattr(node, "value", None)


def _stage_lists(node: Node) -> Iterator[list[Node]]:
    if isinstance(node, Choice):
        for option in node.options:
            yield from _stage_lists(option)
    elif isinstance(node, Items):
        yield node.items


def _read(data: Any) -> tuple[Block, ...] | None:
    try:
        runs: tuple[Block, ...] = _stage_reader.validate_python(data)
    except ValidationError:
        return None
    return runs
