"""A network under transformation, what was done to it and why, and the YAML that comes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..document import parse
from ..messages import validate
from ..saving import flow_text, to_data
from ..schema import ModelSpec

Stage = list[dict[str, Any]]
"""The runs of a stage as plain data."""


@dataclass(frozen=True, slots=True)
class Note:
    """What a rule changed at a place, and which of the values written there went with it."""

    rule: str
    what: str
    gone: str = ""

    def __str__(self) -> str:
        return f"{self.rule}: {self.what}" + (f" (gone: {self.gone})" if self.gone else "")


@dataclass(slots=True)
class Scaled:
    """A scaled network: its spec and YAML text, which rules changed what, and where each of its stages comes from.

    `notes` are by place: `stem`, `stages[1]`, `head`, `resolution`. `origins[i]` is the stage of the original that
    stage i was, or None for a new one. `header` is the first line of comment of the text.
    """

    original: ModelSpec
    spec: ModelSpec
    notes: dict[str, list[Note]]
    origins: list[int | None]
    header: str
    text: str


@dataclass(slots=True)
class Draft:
    """A network under transformation."""

    original: ModelSpec
    data: dict[str, Any]
    stages: list[Stage]
    added: int = 0
    notes: dict[str, list[Note]] = field(default_factory=dict)

    @classmethod
    def of(cls, original: ModelSpec) -> Draft:
        """One to begin with: the network as it is."""
        data = to_data(original)
        return cls(original, data, [runs_of(stage) for stage in data["stages"]])

    def origin(self, index: int) -> int | None:
        """The stage of the original that a stage was; None for one that was put in front."""
        own = index - (len(self.stages) - len(self.original.stages))
        return own if own >= 0 else None

    def note(self, place: str, rule: str, what: str, gone: str = "") -> None:
        """Tell what a rule changed at a place, for the comments and the report."""
        self.notes.setdefault(place, []).append(Note(rule, what, gone))


def runs_of(stage: Any) -> Stage:
    """The runs of a stage in the light form, where a single one stands for itself, as data that may be changed."""
    return [dict(run) for run in (stage if isinstance(stage, list) else [stage])]


def tell(options: Mapping[str, Any]) -> str:
    """Options as they are written: `kernel: 5, norm: batch`."""
    return ", ".join(f"{key}: {flow_text(value)}" for key, value in options.items())


def finish(draft: Draft, header: str) -> Scaled:
    """Write the network out below a line of comment, and read it as any spec is read."""
    text = "\n".join([f"# {header}", *_lines(draft)]) + "\n"
    document = parse(text, draft.data["name"])
    scaled = validate(document)
    scaled._document = document
    origins = [draft.origin(index) for index in range(len(draft.stages))]
    return Scaled(draft.original, scaled, draft.notes, origins, header, text)


def _lines(draft: Draft) -> Iterator[str]:
    """The network as YAML, each changed line below the rules that changed it."""
    for key, value in draft.data.items():
        if key != "stages":
            yield from (f"# {note}" for note in draft.notes.get(key, ()))
            yield f"{key}: {flow_text(value)}"
            continue
        yield "stages:"
        for index, stage in enumerate(draft.stages):
            yield from (f"  # {note}" for note in draft.notes.get(f"stages[{index}]", ()))
            first, *rest = [flow_text(run) for run in stage]
            yield f"  - - {first}" if rest else f"  - {first}"
            yield from (f"    - {run}" for run in rest)
