"""Which weights of a network its scaled form keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..graph import Node, Op
from ..network import graph, segments
from .draft import Scaled


@dataclass(frozen=True, slots=True)
class Carried:
    """What part of a scaled network's parameters comes from the original.

    `places` maps the module path of each layer kept to its path in the original; `reasons` counts the parameters of
    everything else by stem, stage and head, and by why they are new.
    """

    places: Mapping[str, str]
    params: int
    reasons: Mapping[str, Mapping[str, int]]

    @property
    def new(self) -> dict[str, int]:
        """How many parameters are new in the stem, each stage and the head."""
        return {part: sum(counts.values()) for part, counts in self.reasons.items()}


def find_carried(scaled: Scaled) -> Carried:
    """Match the layers of parts of the same kind by name, kind and shape."""
    layers = {node.name: node.op for node in graph(scaled.original) if node.params}
    before = {segment.scope: type(segment.part) for segment in segments(scaled.original)}
    after = {segment.scope: type(segment.part) for segment in segments(scaled.spec)}
    places: dict[str, str] = {}
    reasons: dict[str, dict[str, int]] = {}
    params = 0
    for node in graph(scaled.spec):
        if not node.params:
            continue
        scope, layer = _split(node.name)
        old_scope = _old_scope(scope, scaled.origins)
        old = f"{old_scope}.{layer}"
        is_same_kind = before.get(old_scope) is after[scope]
        if is_same_kind and layers.get(old) == node.op:
            places[node.name] = old
            params += node.params
            continue
        reason = _why_changed(node, layers.get(old), scope, scaled) if is_same_kind else _why_replaced(scope, scaled)
        counts = reasons.setdefault(_part(scope), {})
        counts[reason] = counts.get(reason, 0) + node.params
    return Carried(places, params, reasons)


def _split(name: str) -> tuple[str, str]:
    """The module path of a part of the network, and the rest of a layer's name."""
    words = name.split(".")
    count = 3 if words[0] == "stages" else 1
    return ".".join(words[:count]), ".".join(words[count:])


def _part(scope: str) -> str:
    return ".".join(scope.split(".")[:2])


def _old_scope(scope: str, origins: list[int | None]) -> str:
    """Where a part was in the original; empty for one in a new stage."""
    words = scope.split(".")
    if words[0] != "stages":
        return scope
    origin = origins[int(words[1])]
    return "" if origin is None else f"stages.{origin}.{words[2]}"


def _told(scope: str, scaled: Scaled, *rules: str) -> str:
    """What some rules did there."""
    words = scope.split(".")
    place = f"stages[{words[1]}]" if words[0] == "stages" else scope
    return "; ".join(f"{note.rule}: {note.what}" for note in scaled.notes.get(place, ()) if note.rule in rules)


def _why_replaced(scope: str, scaled: Scaled) -> str:
    if scope == "stem":
        return _told(scope, scaled, "stem")
    if not _old_scope(scope, scaled.origins):
        return _told(scope, scaled, "stage", "blocks")
    return _told(scope, scaled, *(("stage", "downsample") if scope.endswith(".downsample") else ("blocks",)))


def _why_changed(node: Node, old: Op | None, scope: str, scaled: Scaled) -> str:
    """Why a layer of a part that is still of its kind is new."""
    if old is None:
        return _told(scope, scaled, "streams") or "there are more blocks than before"
    differing = _differing(node.op, old)
    if "norm" in differing and (told := _told(scope, scaled, "norm")):
        return told
    if differing <= {"channels_in", "channels_out", "channels", "groups"}:
        ends = [end for end, name in (("input", "channels_in"), ("output", "channels_out")) if name in differing]
        return f"its {ends[0]} is of another width" if len(ends) == 1 else "of another width"
    return f"of another {', '.join(sorted(differing))}"


def _differing(new: Op, old: Op) -> set[str]:
    """The fields in which two operations of a kind differ."""
    if type(new) is not type(old):
        return {"kind"}
    return {name for name in new.__slots__ if getattr(new, name) != getattr(old, name)}  # type: ignore[attr-defined]
