"""Which weights of a network its scaled form keeps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..network import graph
from .draft import Scaled


@dataclass(frozen=True, slots=True)
class Carried:
    """What part of a scaled network's parameters comes from the original.

    `places` maps the module path of each layer kept to its path in the original; `new` counts the parameters of
    everything else by stem, stage and head.
    """

    places: Mapping[str, str]
    params: int
    new: Mapping[str, int]


def find_carried(scaled: Scaled) -> Carried:
    """Match the layers of the stages that the rules left alone, and of the head, by name and kind."""
    before = {node.name: node.op for node in graph(scaled.original) if node.params}
    places: dict[str, str] = {}
    new: dict[str, int] = {}
    params = 0
    for node in graph(scaled.spec):
        if not node.params:
            continue
        old = next((name for name in _old_names(node.name, scaled.origins) if before.get(name) == node.op), None)
        if old is None:
            part = ".".join(node.name.split(".")[: 2 if node.name.startswith("stages.") else 1])
            new[part] = new.get(part, 0) + node.params
        else:
            places[node.name] = old
            params += node.params
    return Carried(places, params, new)


def _old_names(name: str, origins: list[int | None]) -> Iterator[str]:
    first, *rest = name.split(".")
    if first != "stages":
        yield name
    elif (origin := origins[int(rest[0])]) is not None:
        yield ".".join((first, str(origin), *rest[1:]))
