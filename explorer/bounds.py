"""The cheapest and the dearest network of a space, exactly: run by run, keeping the best for each way to go on."""

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
Stages = tuple[tuple[Block, ...], ...]
States = dict[tuple[Any, bool], tuple[int, Stages]]
"""By the map's shape and whether a Transformer has been seen: the best value so far, and the stages that give it."""


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
            # a stage's runs are followed one by one: their combinations would be too many to list
            options = [[[_blocks(run, most) for run in _run_nodes(form)] for form in _forms(node)] for node in stages]
            found = _best_chain(rest, options, measure, sign)
            if found is not None and (best is None or sign * found[0] < sign * best[0]):
                best = found
    return None if best is None else Bound(best[0], sketch(best[1]))


def _best_chain(
    rest: dict[str, Any], options: list[list[list[list[Block]]]], measure: Measure, sign: int
) -> tuple[int, ModelSpec] | None:
    """Dynamic programme over the runs of each form of each stage."""
    states: States = {}
    for position, forms in enumerate(options):
        following: States = {}
        for runs in forms:
            here = states
            for place, blocks in enumerate(runs):
                there: States = {}
                for block in blocks:
                    starts = here if position or place else _stem_state(rest, block, measure)
                    for state, (value, before) in starts.items():
                        went = _through(block, *state, value, measure)
                        if went is not None:
                            stages = (*before, (block,)) if not place else (*before[:-1], (*before[-1], block))
                            _keep(there, went[0], (went[1], stages), sign)
                here = there
            for state, found in here.items():
                _keep(following, state, found, sign)
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


def _keep(states: States, state: tuple[Any, bool], found: tuple[int, Stages], sign: int) -> None:
    """Note a way to reach a state if it is the best so far."""
    if state not in states or sign * found[0] < sign * states[state][0]:
        states[state] = found


def _stem_state(rest: dict[str, Any], first: Block, measure: Measure) -> States:
    """The state behind the stem, which is as wide as the first stage."""
    try:
        spec = ModelSpec.model_validate({**rest, "stages": ((first,),)})
    except ValidationError:
        return {}
    one = part_cost(spec.stem, (spec.in_channels, *spec.size), first.width)
    return {(one.output, False): (getattr(one, measure), ())}


def _through(
    run: Block, shape: Any, seen_transformer: bool, value: int, measure: Measure
) -> tuple[tuple[Any, bool], int] | None:
    """Follow one run; None where widths don't meet or an HR block follows a Transformer."""
    kind = getattr(run, "block", "")
    if (run.downsample is None and run.width != shape[0]) or (kind == "hr" and seen_transformer):
        return None
    one = run_cost(run, shape)
    return (one.output, seen_transformer or kind == "transformer"), value + getattr(one, measure)


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


def _forms(node: Node) -> Iterator[Node]:
    """The forms of a stage: where it is a choice, those that it chooses from."""
    if isinstance(node, Choice):
        for option in node.options:
            yield from _forms(option)
    else:
        yield node


def _run_nodes(stage: Node) -> list[Node]:
    return stage.items if isinstance(stage, Items) else [stage]


def _blocks(run: Node, most: bool) -> list[Block]:
    """Every valid form of a run, but for depth and expansion the end that counts."""
    blocks = []
    for data in variants(run, most):
        try:
            (block,) = _stage_reader.validate_python(data)
        except ValidationError:
            continue
        blocks.append(block)
    return blocks
