"""The cheapest and the dearest network of a space: run by run, keeping the best for each way to go on.

Where there are too many ways, a wider run and a wider map are taken to cost no less, and only the ends are followed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod
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
MAX_WAYS = 20_000
"""The most steps from one run to the next that are costed: some seconds."""
_stage_reader: TypeAdapter[Any] = TypeAdapter(Stage)
Stages = tuple[tuple[Block, ...], ...]
States = dict[tuple[Any, bool], tuple[int, Stages]]
"""By the map's shape and whether a Transformer has been seen: the best value so far, and the stages that give it."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The least or the most that a network of a space costs, and that network in a few letters."""

    value: int
    sketch: str


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked for, and whether only the ends of widths are followed."""

    measure: Measure
    most: bool
    is_coarse: bool

    @property
    def sign(self) -> int:
        """Makes the best the least."""
        return -1 if self.most else 1


def bound(space: Space, measure: Measure, *, most: bool = False) -> Bound | None:
    """The least (or most) MACs or parameters at the space's resolution; None for a space without any network.

    Ask `is_boundable` first: a space of too many ways takes hours.
    """
    question = _Question(measure, most, _ways(space, is_coarse=False) > MAX_WAYS)
    best: tuple[int, ModelSpec] | None = None
    others = {key: node for key, node in space.top.items() if key != "stages"}
    for values in product(*[list(variants(node, most)) for node in others.values()]):
        rest = dict(zip(others, values, strict=True))
        for stages in _stage_lists(space.top["stages"]):
            found = _best_chain(rest, [[_run_nodes(form) for form in _forms(node)] for node in stages], question)
            if found is not None and (best is None or question.sign * found[0] < question.sign * best[0]):
                best = found
    return None if best is None else Bound(best[0], sketch(best[1]))


def is_boundable(space: Space) -> bool:
    """Whether the bounds of a space are found in bounded time."""
    return min(_ways(space, is_coarse=False), _ways(space, is_coarse=True)) <= MAX_WAYS


def _ways(space: Space, *, is_coarse: bool) -> int:
    """About how many steps from one run to the next there are to cost; those seen before count a hundredth."""
    ways = 0
    for stages in _stage_lists(space.top["stages"]):
        before = 1
        for node in stages:
            forms = [_run_nodes(form) for form in _forms(node)]
            for runs in forms:
                here = before
                for run in runs:
                    ways += here * _count(run, is_coarse)
                    here = 1 if is_coarse else _width_count(run)
            before = 1 if is_coarse else sum(_width_count(runs[-1]) for runs in forms if runs)
    tops = prod(_count(node, is_coarse=False) for key, node in space.top.items() if key != "stages")
    return ways + ways * (tops - 1) // 100


def _best_chain(
    rest: dict[str, Any], stages: list[list[list[Node]]], question: _Question
) -> tuple[int, ModelSpec] | None:
    """Dynamic programme over the runs of each form of each stage."""
    states: States = {}
    for position, forms in enumerate(stages):
        after = [runs[0] for runs in stages[position + 1] if runs] if position + 1 < len(stages) else []
        following: States = {}
        for runs in forms:
            here = states
            for place, run in enumerate(runs):
                # a stage's runs are followed one by one: their combinations would be too many to list
                is_first = not position and not place
                nexts = runs[place + 1 : place + 2] or after
                # widths that have to meet others are not free to be the least or the most
                is_free = question.is_coarse and all(map(_downsamples, nexts))
                there: States = {}
                for block in _blocks(run, question.most, is_free and (is_first or _downsamples(run))):
                    starts = _stem_state(rest, block, question.measure) if is_first else here
                    for state, (value, before) in starts.items():
                        went = _through(block, *state, value, question.measure)
                        if went is not None:
                            built = (*before, (block,)) if not place else (*before[:-1], (*before[-1], block))
                            _keep(there, went[0], (went[1], built), question.sign)
                here = _ends(there, question) if is_free else there
            for state, found in here.items():
                _keep(following, state, found, question.sign)
        states = following
    best = None
    for (shape, _), (value, built) in states.items():
        try:
            spec = ModelSpec.model_validate({**rest, "stages": built})
        except ValidationError:
            continue
        total = value + getattr(part_cost(spec.head, shape), question.measure)
        if best is None or question.sign * total < question.sign * best[0]:
            best = (total, spec)
    return best


def _ends(states: States, question: _Question) -> States:
    """Leave out states that another one beats in value and in channels, on a map of the same size."""
    best: dict[Any, int] = {}
    kept: States = {}
    for state, found in sorted(states.items(), key=lambda item: question.sign * _channels(item[0][0])):
        (shape, seen), value = state, question.sign * found[0]
        size = (shape[1:] if isinstance(shape[0], int) else shape, seen)
        if size not in best or value < best[size]:
            best[size] = value
            kept[state] = found
    return kept


def _channels(shape: Any) -> int:
    return shape[0] if isinstance(shape[0], int) else 0


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
        if node.parameter.field in MONOTONE and _is_ordered(node):
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


def _downsamples(run: Node) -> bool:
    """Whether a run begins with a downsampling in all of its forms, and so takes any width."""
    if isinstance(run, Choice):
        return all(map(_downsamples, run.options))
    down = run.items.get("downsample") if isinstance(run, Fields) else None
    options = down.options if isinstance(down, Choice) else [down]
    return all(option is not None and getattr(option, "value", option) is not None for option in options)


def _blocks(run: Node, most: bool, is_free: bool) -> Iterator[Block]:
    """Every valid form of a run, but for depth and expansion the end that counts; so for the width, where it is free.

    A width's end is the first that is valid beside the other fields: heads must divide it.
    """
    for form in _forms(run):
        width = form.items.get("width") if is_free and isinstance(form, Fields) else None
        if not isinstance(form, Fields) or not isinstance(width, Choice) or not _is_ordered(width):
            yield from filter(None, map(_block, variants(form, most)))
            continue
        others = Fields(form.origin, {key: item for key, item in form.items.items() if key != "width"})
        ends = sorted(width.parameter.labels, reverse=most)
        for data in variants(others, most):
            block = next(filter(None, (_block({**data, "width": end}) for end in ends)), None)
            if block is not None:
                yield block


def _block(data: Any) -> Block | None:
    try:
        (block,) = _stage_reader.validate_python(data)
    except ValidationError:
        return None
    return block  # type: ignore[no-any-return]


def _is_ordered(choice: Choice) -> bool:
    return all(isinstance(label, int | float) for label in choice.parameter.labels)


def _count(node: Node, is_coarse: bool) -> int:
    """How many variants a node has, or those of free width only."""
    if isinstance(node, Choice):
        if node.parameter.field in (*MONOTONE, *(("width",) if is_coarse else ())) and _is_ordered(node):
            return 1
        return sum(_count(option, is_coarse) for option in node.options)
    items = node.items.values() if isinstance(node, Fields) else node.items if isinstance(node, Items) else ()
    return prod(_count(item, is_coarse) for item in items)


def _width_count(run: Node) -> int:
    """How many widths a run can have."""
    width = run.items.get("width") if isinstance(run, Fields) else None
    return sum(_width_count(form) for form in run.options) if isinstance(run, Choice) else _count(width or run, False)
