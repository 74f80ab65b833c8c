"""The design of HIRI-ViT as rules that take any network to a higher resolution (Yao et al. 2024, section 3).

With one more stage in front, each old stage sees the map sizes it saw before, so that the cost is about kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import log2
from typing import Any

from ..document import parse
from ..errors import Problem, SpecError, suggest
from ..files import SpecLike, as_spec
from ..messages import validate
from ..network import Resolution, read_resolution
from ..quantities import format_resolution
from ..saving import flow_text, to_data
from ..schema import ModelSpec

Stage = list[dict[str, Any]]
"""The runs of a stage as plain data."""
STEM_WIDTH = 32
"""Width inside the HR-stem of HIRI-ViT's calibrated networks; a narrower first stage has a stem as narrow."""
BLOCKS_FOR_ONE = 2
"""HR blocks that stand for one block replaced (Table VII, row 10)."""
GRID = 32
"""A new stage is half as wide as the next, down to a multiple of this, the calibrated networks' width of a head."""
EARLY_STAGES = 3
"""Stages with batch norm in a five-stage network."""

RULES = {
    "stem": "the stem becomes an HR-stem",
    "stage": "one more stage in front for each doubling, so that the old ones see the map sizes they saw",
    "blocks": "the stages in front, and what was the first one, are made of HR blocks, two for each block replaced",
    "streams": "the first stream of an HRNet, the one of high resolution, is made of HR blocks",
    "downsample": "downsamplings become IRDS, a in front, b for the last two",
    "norm": "batch norm in the early stages; the late ones keep theirs",
}
"""What each rule does, by its name; each can be switched off."""


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
class _Draft:
    """A network under transformation."""

    data: dict[str, Any]
    stages: list[Stage]
    added: int = 0
    notes: dict[str, list[str]] = field(default_factory=dict)
    changed: set[int] = field(default_factory=set)

    def note(self, place: str, rule: str, what: str) -> None:
        self.notes.setdefault(place, []).append(f"{rule}: {what}")


def scale_up(spec: SpecLike, *, resolution: Resolution = 448, without: Sequence[str] = ()) -> ModelSpec:
    """The spec of a network for a higher resolution at about the old cost; `without` names rules to leave out.

    Raises SpecError for a resolution not above the spec's own, an unknown rule, or a network that a rule can't serve.
    """
    return scale(spec, resolution=resolution, without=without).spec


def scale(spec: SpecLike, *, resolution: Resolution = 448, without: Sequence[str] = ()) -> Scaled:
    """As `scale_up`, with what changed and why."""
    original = as_spec(spec)
    size = read_resolution(original, resolution)
    unknown = [name for name in without if name not in RULES]
    if unknown:
        raise SpecError(Problem(f"unknown rule {unknown[0]!r}; {suggest(unknown[0], RULES)}", "--without"))
    ratio = min(new / old for new, old in zip(size, original.size, strict=True))
    if ratio <= 1:
        message = (
            f"{format_resolution(size)} is not above the spec's own {format_resolution(original.size)}; ask for more"
        )
        raise SpecError(Problem(message, "resolution"))
    draft = _Draft(to_data(original), [[dict(run) for run in _runs(stage)] for stage in to_data(original)["stages"]])
    draft.added = 0 if "stage" in without else max(1, round(log2(ratio)))
    if original.stem.has_own_width:
        _unpack_stem(draft, without)
    for name, apply in _APPLY.items():
        if name not in without:
            apply(draft, original)
    side = size[0] if size[0] == size[1] else list(size)
    draft.data |= {"name": f"{original.name}_{format_resolution(size)}", "resolution": side}
    draft.data.pop("description", None)
    text = _written(draft, original)
    document = parse(text, draft.data["name"])
    scaled = validate(document)
    scaled._document = document
    front = len(draft.stages) - len(original.stages)
    origins = [
        index - front if index >= front and index not in draft.changed else None for index in range(len(draft.stages))
    ]
    return Scaled(original, scaled, draft.notes, origins, text)


def _runs(stage: Any) -> list[dict[str, Any]]:
    return stage if isinstance(stage, list) else [stage]


def _unpack_stem(draft: _Draft, without: Sequence[str]) -> None:
    """HRNet's stem holds its first stage, of bottlenecks: take it out, for it to become HR blocks."""
    together = ("stem", "stage", "blocks")
    left_out = [name for name in together if name in without]
    if left_out and len(left_out) < len(together):
        message = f"rule {left_out[0]}: HRNet's stem holds its first stage, so stem, stage and blocks go together"
        raise SpecError(Problem(f"{message}; leave out all three, or none", "stem"))
    if not left_out:
        stem = draft.data["stem"]
        draft.stages.insert(0, [{"block": "cffn", "depth": stem.get("depth", 4), "width": stem.get("inner", 64)}])


def _add_stages(draft: _Draft, original: ModelSpec) -> None:
    for _ in range(draft.added):
        first = draft.stages[0]
        half = first[0]["width"] // 2
        if half < 1:
            raise SpecError(Problem("rule stage: the first stage is too narrow to halve", "stages[0].width"))
        depth = sum(run["depth"] for run in first if run["block"] != "norm")
        if not depth:
            raise SpecError(Problem("rule stage: no blocks here for a new stage to go before", "stages[0]"))
        block = first[0]["block"]
        front = {"block": block if block == "hr" else "cffn", "depth": depth, "width": half // GRID * GRID or half}
        first[0]["downsample"] = "strided"
        draft.stages.insert(0, [front])
    for index in range(draft.added):
        draft.note(f"stages[{index}]", "stage", "new")


def _make_hr(draft: _Draft, original: ModelSpec) -> None:
    for index in range(draft.added + 1):
        stage = draft.stages[index]
        blocks = [run for run in stage if run["block"] not in ("norm", "hr")]
        if not blocks:
            continue
        if index < draft.added:
            why = "two for each block of the old first stage"
        elif original.stem.has_own_width:
            why = f"the stem's {sum(run['depth'] for run in blocks)} bottlenecks before"
        else:
            why = " + ".join(f"{run['block']} x{run['depth']}" for run in blocks) + " before"
        depth = BLOCKS_FOR_ONE * sum(run["depth"] for run in blocks)
        hr = {"block": "hr", "depth": depth, "width": stage[0]["width"]}
        if "downsample" in stage[0]:
            hr["downsample"] = stage[0]["downsample"]
        draft.stages[index] = [hr]
        draft.changed.add(index)
        draft.note(f"stages[{index}]", "blocks", f"hr x{depth}, {why}")


def _make_streams(draft: _Draft, original: ModelSpec) -> None:
    for index, stage in enumerate(draft.stages):
        for run in stage:
            if run["block"] == "streams" and run.get("high") != "hr":
                run["high"] = "hr"
                draft.note(f"stages[{index}]", "streams", "the first stream became hr")


def _make_irds(draft: _Draft, original: ModelSpec) -> None:
    downsampled = [index for index, stage in enumerate(draft.stages) if "downsample" in stage[0]]
    for place, index in enumerate(downsampled):
        run = draft.stages[index][0]
        old = run["downsample"]
        name = old if isinstance(old, str) else old["downsample"]
        if name == "add_stream":
            continue
        new = "irds_a" if place <= draft.added else "irds_b"
        if name != new:
            run["downsample"] = new
            draft.note(f"stages[{index}]", "downsample", f"{name} became {new}")


def _make_norms(draft: _Draft, original: ModelSpec) -> None:
    for index in range(min(draft.added + EARLY_STAGES - 1, len(draft.stages))):
        for run in draft.stages[index]:
            for key, of_block in _norms(run).items():
                if of_block != "batch":
                    run[key] = "batch"
                    draft.changed.add(index)
                    draft.note(f"stages[{index}]", "norm", f"{run['block']}'s {key} became batch")


def _norms(run: dict[str, Any]) -> dict[str, str]:
    """The norms of a run that may become batch norms: not the one before attention."""
    from ..block import Block

    fields = Block.registry[run["block"]].model_fields
    keys = ("mlp_norm",) if run["block"] == "transformer" else () if "heads" in fields else ("norm",)
    return {key: run.get(key, fields[key].default) for key in keys if key in fields}


def _make_stem(draft: _Draft, original: ModelSpec) -> None:
    old = draft.data["stem"]
    width = min(old.get("width", STEM_WIDTH), draft.stages[0][0]["width"])
    draft.data["stem"] = {"stem": "hr", "width": width}
    draft.note("stem", "stem", f"{old['stem']} became hr")


_APPLY: dict[str, Callable[[_Draft, ModelSpec], None]] = {
    "stage": _add_stages,
    "blocks": _make_hr,
    "streams": _make_streams,
    "downsample": _make_irds,
    "norm": _make_norms,
    "stem": _make_stem,
}


def _written(draft: _Draft, original: ModelSpec) -> str:
    """The scaled network as YAML, each changed line with the rules that changed it."""
    lines = [f"# {original.name} taken to a higher resolution by hiri-spec scale; comments name the rules."]
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
