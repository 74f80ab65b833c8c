"""A network under transformation, what was done to it and why, and the YAML that comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..document import parse
from ..messages import validate
from ..saving import flow_text
from ..schema import ModelSpec

Stage = list[dict[str, Any]]
"""The runs of a stage as plain data."""


@dataclass(slots=True)
class Scaled:
    """A scaled network: its spec, which rules changed what, and where each of its stages comes from.

    `origins[i]` is the stage of the original whose blocks stage i has unchanged, or None.
    """

    original: ModelSpec
    spec: ModelSpec
    notes: dict[str, list[str]]
    origins: list[int | None]
    text: str


@dataclass(slots=True)
class Draft:
    """A network under transformation."""

    original: ModelSpec
    data: dict[str, Any]
    stages: list[Stage]
    added: int = 0
    notes: dict[str, list[str]] = field(default_factory=dict)
    changed: set[int] = field(default_factory=set)

    def note(self, place: str, rule: str, what: str) -> None:
        """Tell what a rule changed at a place, for the comments and the report."""
        self.notes.setdefault(place, []).append(f"{rule}: {what}")


def runs_of(stage: Any) -> Stage:
    """The runs of a stage in the light form, where a single one stands for itself, as data that may be changed."""
    return [dict(run) for run in (stage if isinstance(stage, list) else [stage])]


def finish(draft: Draft) -> Scaled:
    """Write the network out, and read it as any spec is read."""
    text = _written(draft)
    document = parse(text, draft.data["name"])
    scaled = validate(document)
    scaled._document = document
    front = len(draft.stages) - len(draft.original.stages)
    origins = [
        index - front if index >= front and index not in draft.changed else None for index in range(len(draft.stages))
    ]
    return Scaled(draft.original, scaled, draft.notes, origins, text)


def _written(draft: Draft) -> str:
    """The scaled network as YAML, each changed line with the rules that changed it."""
    lines = [f"# {draft.original.name} taken to a higher resolution by hiri-spec scale; comments name the rules."]
    lines += [f"{key}: {flow_text(draft.data[key])}" for key in ("name", "resolution")]
    special = ("name", "resolution", "stem", "stages", "head")
    lines += [f"{key}: {flow_text(value)}" for key, value in draft.data.items() if key not in special]
    lines += [f"# {note}" for note in draft.notes.get("stem", ())]
    lines.append(f"stem: {flow_text(draft.data['stem'])}")
    lines.append("stages:")
    for index, stage in enumerate(draft.stages):
        if f"stages[{index}]" in draft.notes:
            lines.append(f"  # {'; '.join(draft.notes[f'stages[{index}]'])}")
        data = [flow_text(run) for run in stage]
        lines += [f"  - {data[0]}"] if len(data) == 1 else [f"  - - {data[0]}", *(f"    - {run}" for run in data[1:])]
    lines.append(f"head: {flow_text(draft.data['head'])}")
    return "\n".join(lines) + "\n"
