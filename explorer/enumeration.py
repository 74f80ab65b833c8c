"""Costing networks by the hundred thousand: each stage's options are parsed once, and nothing is validated whole.

What a stage costs depends on its runs and on the map that it is handed, so that a network's cost is a sum of few
numbers that are known after the first time.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from hiri_spec import ModelSpec
from hiri_spec.block import Block, Part
from hiri_spec.cost import part_cost, run_cost
from hiri_spec.schema import Stage

from .choices import Assignment, Choice, Fields, Items, Node, assignments, count, decisions, resolve
from .space import Space

MOST_OPTIONS = 20_000
"""Forms of a stage that are kept ready; of more, so many are drawn."""

_stage_reader: TypeAdapter[Any] = TypeAdapter(Stage)

State = tuple[Any, bool]
"""The map behind a stage, and whether a Transformer has been seen."""
Step = tuple[State, int, int] | None
"""The state behind a stage, its MACs and its parameters; None where it can't follow."""


@dataclass(frozen=True, slots=True)
class Costed:
    """A network by the options of its parts, and what it costs."""

    parts: tuple[Assignment, ...]
    macs: int
    params: int

    @property
    def assignment(self) -> Assignment:
        """The options of all parameters in force."""
        return {name: option for part in self.parts for name, option in part.items()}


class _Option:
    """One form of a stage, which is parsed when it is first needed."""

    __slots__ = ("_node", "_runs", "_steps", "assignment")

    def __init__(self, node: Node, assignment: Assignment) -> None:
        self._node, self.assignment = node, assignment
        self._runs: tuple[Block, ...] | None = None
        self._steps: dict[State, Step] = {}

    @property
    def runs(self) -> tuple[Block, ...]:
        """Its runs; none if it is not valid."""
        if self._runs is None:
            try:
                self._runs = tuple(_stage_reader.validate_python(resolve(self._node, self.assignment)))
            except ValidationError:
                self._runs = ()
        return self._runs

    def step(self, state: State) -> Step:
        """What is behind it, for the map that it is handed."""
        try:
            return self._steps[state]
        except KeyError:
            step = self._steps[state] = self._follow(state)
            return step

    def _follow(self, state: State) -> Step:
        shape, seen_transformer = state
        macs = params = 0
        for run in self.runs:
            kind = getattr(run, "block", "")
            if (run.downsample is None and run.width != shape[0]) or (kind == "hr" and seen_transformer):
                return None
            more_params, more_macs, shape = run_cost(run, shape)
            macs, params = macs + more_macs, params + more_params
            seen_transformer = seen_transformer or kind == "transformer"
        return ((shape, seen_transformer), macs, params) if self.runs else None


@dataclass(slots=True)
class _Frame:
    """What stands around the stages: stem, head and image, under one choice of their options."""

    assignment: Assignment
    stem: Part
    head: Part
    image: tuple[int, int, int]
    starts: dict[int, tuple[State, int, int]] = field(default_factory=dict)
    """Behind the stem, by the width of the first stage."""
    ends: dict[Any, tuple[int, int]] = field(default_factory=dict)
    """What the head costs, by the map that it is handed."""

    def start(self, width: int) -> tuple[State, int, int]:
        """Behind the stem."""
        if width not in self.starts:
            one = part_cost(self.stem, self.image, width)
            self.starts[width] = (one.output, False), one.macs, one.params
        return self.starts[width]

    def end(self, shape: Any) -> tuple[int, int]:
        """MACs and parameters of the head."""
        if shape not in self.ends:
            one = part_cost(self.head, shape)
            self.ends[shape] = one.macs, one.params
        return self.ends[shape]


@dataclass(frozen=True, slots=True)
class _Form:
    """Networks of one list of stages: what each stage can be, and what can stand around."""

    assignment: Assignment
    """The options that lead to this list."""
    stages: list[list[_Option]]
    frames: list[_Frame]


class Enumeration:
    """The networks of a space with what they cost; those that are none, or not in order, are passed over."""

    def __init__(self, space: Space, seed: int = 0) -> None:
        self._rng = random.Random(f"enumeration {seed}")
        self.looked_at = 0
        """Candidates that were gone through, those that are no networks too."""
        self._forms = [self._form(space, path, nodes) for path, nodes in _lists(space.top["stages"])]

    def every(self) -> Iterator[Costed]:
        """Each network once; of a stage of more than MOST_OPTIONS forms, those with the ones that were drawn."""
        for form in self._forms:
            for frame in form.frames:
                for first in form.stages[0]:
                    if first.runs:
                        start = frame.start(first.runs[0].width)
                        yield from self._through(form, frame, first, start, (form.assignment, frame.assignment))

    def _through(
        self, form: _Form, frame: _Frame, option: _Option, before: tuple[State, int, int], parts: tuple[Assignment, ...]
    ) -> Iterator[Costed]:
        """Every network that goes on with an option of a stage; `parts` has two entries more than there are stages."""
        step = option.step(before[0])
        if step is None:
            self.looked_at += 1
            return
        here = step[0], before[1] + step[1], before[2] + step[2]
        parts = (*parts, option.assignment)
        place = len(parts) - 2
        if place < len(form.stages):
            for following in form.stages[place]:
                yield from self._through(form, frame, following, here, parts)
        else:
            self.looked_at += 1
            macs, params = frame.end(here[0][0])
            yield Costed(parts, here[1] + macs, here[2] + params)

    def draw(self, count: int) -> Iterator[Costed]:
        """So many draws, each list of stages, each stage's form and what stands around as likely as the next."""
        pick, forms = self._rng.random, self._forms
        for _ in range(count):
            self.looked_at += 1
            form = forms[int(pick() * len(forms))]
            frame = form.frames[int(pick() * len(form.frames))]
            options = [stage[int(pick() * len(stage))] for stage in form.stages]
            if not options[0].runs:
                continue
            state, macs, params = frame.start(options[0].runs[0].width)
            for option in options:
                step = option.step(state)
                if step is None:
                    break
                state, more_macs, more_params = step
                macs += more_macs
                params += more_params
            else:
                more_macs, more_params = frame.end(state[0])
                parts = (form.assignment, frame.assignment, *(option.assignment for option in options))
                yield Costed(parts, macs + more_macs, params + more_params)

    def _form(self, space: Space, path: Assignment, nodes: list[Node]) -> _Form:
        stages = [self._options(space, node) for node in nodes]
        return _Form(path, stages, list(_frames(space, stages)))

    def _options(self, space: Space, node: Node) -> list[_Option]:
        if count(node) <= MOST_OPTIONS:
            return [_Option(node, assignment) for assignment in assignments(node)]
        drawn = (dict(decisions(node, space.draw(self._rng))) for _ in range(MOST_OPTIONS))
        return [_Option(node, assignment) for assignment in drawn]


def _lists(node: Node, path: Assignment | None = None) -> Iterator[tuple[Assignment, list[Node]]]:
    """The lists of stages that a space offers, and the options that lead to each."""
    if isinstance(node, Choice):
        for index, option in enumerate(node.options):
            yield from _lists(option, {**(path or {}), node.parameter.name: index})
    elif isinstance(node, Items):
        yield path or {}, node.items


def _frames(space: Space, stages: list[list[_Option]]) -> Iterator[_Frame]:
    """What can stand around stages; it is checked with whatever first stage is in order."""
    first = next((option.runs for option in stages[0] if option.runs), None)
    around = Fields(space.root.origin, {name: node for name, node in space.top.items() if name != "stages"})
    for assignment in assignments(around) if first is not None else ():
        with suppress(ValidationError):
            spec = ModelSpec.model_validate({**resolve(around, assignment), "stages": (first,)})
            yield _Frame(assignment, spec.stem, spec.head, (spec.in_channels, *spec.size))
