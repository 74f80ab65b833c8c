"""What the constructor of a class takes: the values that differ between its uses, each named once.

Values that are the same in all uses are written as they are; those that are equal use by use share an argument; widths
that are a multiple of the channels that come in are written as one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .layers import RATE, Hole, Symbol

Values = tuple[Any, ...]
TYPES = {bool: "bool", int: "int", float: "float", Symbol: "type[nn.Module]"}


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a constructor, with its value in each use."""

    name: str
    values: Values
    is_width: bool

    @property
    def is_rate(self) -> bool:
        """Whether it is the rate of drop path, which has a default."""
        return RATE in self.values

    @property
    def declaration(self) -> str:
        """As it stands in the head of the constructor."""
        if self.is_rate:
            return f"{self.name}: float = 0.0"
        kinds = dict.fromkeys(TYPES[type(value)] for value in self.values)
        return f"{self.name}: {' | '.join(kinds)}"


class Arguments:
    """Collects the arguments of one class from its holes.

    `incoming` and `outgoing`: channels of each map that comes in and goes out, in each use; `fields`: the fields that
    the parts of the spec share around all uses, with their value in each. `shown`: which of these are arguments even
    where they don't differ; `shows_widths`: whether the widths of what comes in and goes out are.
    """

    def __init__(
        self,
        incoming: Sequence[Values],
        outgoing: Sequence[Values],
        fields: Mapping[str, Values],
        *,
        shown: Collection[str] = (),
        shows_widths: bool = False,
    ) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._fields = fields
        self._shown = shown
        self._shows_widths = shows_widths
        self._found: dict[Hashable, Argument] = {}

    def __iter__(self) -> Iterator[Argument]:
        """In the order of the constructor: widths, as they are met, then what is given by name, rates last."""
        return iter(sorted(self._found.values(), key=lambda each: (not each.is_width, each.is_rate)))

    def text(self, hole: Hole, child: str) -> str:
        """How the value of a hole is written in the constructor; `child`: the name of the module that it is for."""
        factor = self._factor(hole)
        if _is_constant(hole.values) and not self._is_shown(hole, factor):
            return literal(hole.values[0])
        if factor is not None:
            channels = Hole("channels", self._incoming[0], is_width=True)
            return f"{factor} * {self._argument(channels, child).name}"
        for argument in self._found.values():
            if not hole.is_width and _multiple(hole.values, argument.values) == -1:
                return f"-{argument.name}"
        return hole.form.format(self._argument(hole, child).name)

    def _factor(self, hole: Hole) -> int | None:
        """How many times the channels that come in a width is, if that is how it is written."""
        if not hole.is_width or (hole.values in self._outgoing and len(self._incoming) == 1):
            return None
        factor = _multiple(hole.values, self._incoming[0])
        return factor if factor is not None and factor > 1 else None

    def _is_shown(self, hole: Hole, factor: int | None) -> bool:
        """Whether a value is an argument though it is the same in all uses."""
        if hole.is_width:
            ends = (*self._incoming[:1], *self._outgoing)
            return self._shows_widths and (factor is not None or hole.values in ends)
        return hole.name in self._shown and hole.values == self._fields.get(hole.name)

    def _argument(self, hole: Hole, child: str) -> Argument:
        """The argument with the values of a hole; what doesn't vary is shared only by what counts the same."""
        what = ("width" if hole.is_width else hole.name) if _is_constant(hole.values) else ""
        key = tuple(map(_typed, hole.values)), what
        if key not in self._found:
            self._found[key] = Argument(self._name(hole, child), hole.values, hole.is_width)
        return self._found[key]

    def _name(self, hole: Hole, child: str) -> str:
        values = hole.values
        fields = [
            field
            for field, own in self._fields.items()
            if field not in ("width", "classes") and [*map(_typed, own)] == [*map(_typed, values)]
        ]
        if not hole.is_width:
            names = [hole.name] if hole.name in fields or not fields else fields
        elif values == self._incoming[0]:
            names = ["channels"]
        elif values in self._outgoing:
            place = self._outgoing.index(values) if len(self._outgoing) > 1 else ""
            names = [f"out_channels{place}"]
        elif values in self._incoming:
            names = [f"channels{self._incoming.index(values)}"]
        else:
            names = [*fields, "hidden"]
        taken = {argument.name for argument in self._found.values()}
        return next(name for name in [*names, *_more_names(f"{child}_{hole.name}")] if name not in taken)


def _more_names(name: str) -> list[str]:
    return [name, *(f"{name}_{number}" for number in range(2, 100))]


def _typed(value: Any) -> tuple[type, Any]:
    return type(value), value


def _is_constant(values: Values) -> bool:
    return RATE not in values and len(set(map(_typed, values))) == 1


def _multiple(values: Values, base: Values) -> int | None:
    """How many times the base all values are; None where they aren't, or are no integers."""
    if any(type(value) is not int for value in (*values, *base)) or not base[0]:
        return None
    factor = values[0] // base[0]
    return factor if all(value == factor * own for value, own in zip(values, base, strict=True)) else None


def literal(value: Any) -> str:
    """A value as Python text; floats as people write them."""
    return value if isinstance(value, Symbol) else re.sub(r"e([-+])0*(\d)", r"e\1\2", repr(value))
