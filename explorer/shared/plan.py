"""What a shared study says of its search, so that a worker needs no file and no setting of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hiri_spec import SpecError
from hiri_spec.errors import Problem

from ..budget import Budget
from ..evaluators import Chosen, choose
from ..quest import Quest
from ..space import Space, read_space_text
from ..study import Direction, directions_of

PLAN = "plan"
"""The user attribute of the study that has what its settings only name."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One search: its settings, as a journal has them too, and what it takes to go on with it anywhere."""

    settings: dict[str, Any]
    space: str
    """The space's text."""
    space_file: str
    evaluator_settings: dict[str, Any]
    interval_s: float
    """How often processes give signs of life."""

    @classmethod
    def of(cls, settings: Mapping[str, Any], space: Space, chosen: Chosen, interval_s: float) -> Plan:
        """The plan of a search that is about to start."""
        return cls(dict(settings), space.text, space.file, dict(chosen.settings), interval_s)

    @classmethod
    def read(cls, attributes: Mapping[str, Any], settings: dict[str, Any], where: str) -> Plan:
        """The plan that a study has; raises SpecError for one that is not whole."""
        names = ("space", "space_file", "evaluator_settings", "interval_s")
        kept = attributes.get(PLAN)
        if not isinstance(kept, dict) or kept.keys() != {*names}:
            raise SpecError(Problem("the study has no plan of a search; another version may have begun it", file=where))
        return cls(settings, *(kept[name] for name in names))

    @property
    def attributes(self) -> dict[str, Any]:
        """What a study keeps of it beside the settings."""
        return {
            "space": self.space,
            "space_file": self.space_file,
            "evaluator_settings": self.evaluator_settings,
            "interval_s": self.interval_s,
        }

    @property
    def directions(self) -> list[Direction]:
        """Of its objectives."""
        return directions_of(self.settings["objective"])

    @property
    def budget(self) -> Budget:
        """The limits of its networks."""
        return Budget(self.settings["budget"], self.settings["max_params"])

    def quest(self) -> Quest:
        """What is looked for; raises SpecError where the evaluator is a user's own that is not on this machine."""
        chosen = choose(self.settings["evaluator"], self.evaluator_settings)
        return Quest(read_space_text(self.space, self.space_file), self.budget, chosen, self.settings)
