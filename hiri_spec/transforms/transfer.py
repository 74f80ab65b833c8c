"""Which weights an edited network takes over from another: by name, by shape, whole layers, and never by a guess."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..differences import Change, as_text, compare_weights, likeness, pair_stages
from ..errors import Problem, SpecError, suggest
from ..files import to_data
from ..network import segments
from ..quantities import format_amount
from ..schema import ModelSpec
from ..tensors import TensorType, difference, is_learned, tensor_types

Tensors = Mapping[str, TensorType]


@dataclass(frozen=True, slots=True)
class Moved:
    """One tensor: its name (in the other network if it is dropped), its counterpart's, and why it isn't carried."""

    name: str
    counterpart: str | None
    params: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Transfer:
    """What was carried over, what is new in the model, what of the other was dropped; `str` prints it.

    `changes` are the differences from the other spec to the model's that weights depend on, where both are known.
    """

    carried: tuple[Moved, ...]
    new: tuple[Moved, ...]
    dropped: tuple[Moved, ...]
    changes: tuple[Change, ...] = ()

    @property
    def params(self) -> int:
        """Number of parameters carried over."""
        return sum(tensor.params for tensor in self.carried)

    @property
    def new_params(self) -> int:
        """Number of parameters of the model that stay as they were."""
        return sum(tensor.params for tensor in self.new)

    @property
    def dropped_params(self) -> int:
        """Number of parameters of the other network that nothing takes."""
        return sum(tensor.params for tensor in self.dropped)

    def __str__(self) -> str:
        lines = [_total("carried", self.carried)]
        for title, tensors in (("new", self.new), ("dropped", self.dropped)):
            lines += [_total(title, tensors), *_told(tensors)]
        if self.changes:
            lines.append("the specs differ:")
            lines += [f"  {each.path}: {as_text(each.before)} → {as_text(each.after)}" for each in self.changes]
        return "\n".join(lines)


def plan_transfer(
    own: Tensors,
    given: Tensors,
    *,
    own_spec: ModelSpec | None = None,
    other_spec: ModelSpec | None = None,
    places: Mapping[str, str | None] | None = None,
) -> Transfer:
    """What of `given` fits into `own`, tensor by tensor; see `hiri_spec.transfer_weights` for the rules.

    Raises SpecError for `places` that name no module.
    """
    here, back = _match_scopes(own_spec, other_spec) if own_spec and other_spec else ({}, {})
    asked = _checked(places or {}, own, given)
    sources: dict[str, str] = {}
    why: dict[str, str] = {}
    for name, tensor in own.items():
        source, reason = _counterpart(name, here, asked)
        if source is not None and source in given:
            sources[name] = source
            reason = difference(tensor, given[source])
        why[name] = reason if source in given or reason else "no such name in the other"
    _keep_layers_whole(why, sources, given)
    taken = {sources[name] for name in own if not why[name]}
    owners = {source: name for name, source in sources.items()}
    carried = tuple(Moved(name, sources[name], _params(name, own)) for name in own if not why[name])
    new = tuple(Moved(name, sources.get(name), _params(name, own), why[name]) for name in own if why[name])
    dropped = tuple(
        Moved(name, owners.get(name), _params(name, given), _why_dropped(name, owners, why, back))
        for name in _in_order(given, other_spec)
        if name not in taken
    )
    changes = compare_weights(other_spec, own_spec) if own_spec and other_spec else []
    return Transfer(carried, new, dropped, tuple(changes))


def _match_scopes(own: ModelSpec, other: ModelSpec) -> tuple[dict[str, tuple[str | None, str]], dict[str, str]]:
    """For each stem, downsampling, run and head of one spec that of the other, or why there is none; and the reverse.

    Stages keep their place where there are as many, and move along only where blocks and widths are alike.
    """
    kinds, other_kinds = ({each.scope: each.kind for each in segments(spec)} for spec in (own, other))
    alike, other_alike = ([likeness(stage) for stage in to_data(spec)["stages"]] for spec in (own, other))
    stages: dict[str, str] = {}
    for old, new in pair_stages(other_alike, alike):
        if old is not None and new is not None and (old == new or other_alike[old] == alike[new]):
            stages[f"stages.{new}"] = f"stages.{old}"
    there: dict[str, tuple[str | None, str]] = {}
    back: dict[str, str] = {}
    for scope, kind in kinds.items():
        found, why = _moved(scope, stages, other_kinds, "the other")
        if found is not None and other_kinds[found] != kind:
            why = back[found] = f"{kind} here, {other_kinds[found]} there"
            found = None
        there[scope] = (found, why)
    stages_back = {old: new for new, old in stages.items()}
    for scope in other_kinds:
        found, why = _moved(scope, stages_back, kinds, "the model")
        if found is None:
            back[scope] = why
    return there, back


def _moved(scope: str, stages: Mapping[str, str], known: Iterable[str], whose: str) -> tuple[str | None, str]:
    stage, _, run = scope.rpartition(".")
    if not stage:
        return scope, ""
    if stage not in stages:
        return None, f"no stage like it in {whose}"
    found = f"{stages[stage]}.{run}"
    return (found, "") if found in known else (None, f"{whose} has no {run} in {stages[stage]}")


def scope_of(name: str) -> str:
    """The stem, downsampling, run or head that a tensor belongs to: `stages.1.blocks`, `head`."""
    parts = name.split(".")
    return ".".join(parts[: 3 if parts[0] == "stages" else 1])


def _counterpart(
    name: str, scopes: Mapping[str, tuple[str | None, str]], asked: Mapping[str, str | None]
) -> tuple[str | None, str]:
    """The name of a tensor in the other network, or why it has none there."""
    for place in sorted(asked, key=len, reverse=True):
        if name.startswith(f"{place}."):
            source = asked[place]
            return (None, "new as asked for in places") if source is None else (source + name[len(place) :], "")
    scope = scope_of(name)
    found, why = scopes.get(scope, (scope, ""))
    return (None, why) if found is None else (found + name[len(scope) :], "")


def _checked(places: Mapping[str, str | None], own: Tensors, given: Tensors) -> Mapping[str, str | None]:
    for place, source in places.items():
        for path, tensors, whose in ((place, own, "model"), (source, given, "other")):
            if path is not None and not any(name.startswith(f"{path}.") for name in tensors):
                modules = {".".join(name.split(".")[: path.count(".") + 1]) for name in tensors}
                message = f"{path!r} is no module with weights in the {whose}; {suggest(path, modules)}"
                raise SpecError(Problem(message, "places"))
    return places


def _keep_layers_whole(why: dict[str, str], sources: Mapping[str, str], given: Tensors) -> None:
    """Leave a layer new as a whole where a tensor of it doesn't fit, or has no counterpart on either side."""
    layers, given_layers = _layers(why), _layers(given)
    for names in layers.values():
        found = {sources[name] for name in names if name in sources}
        others = [each for place in {_layer(source) for source in found} for each in given_layers[place]]
        unlike = [f"{_last(name)} is {why[name] if name in sources else 'missing'}" for name in names if why[name]] + [
            f"{_last(name)} is only there" for name in others if name not in found
        ]
        for name in names if unlike else ():
            why[name] = why[name] or f"its layer is another there: {unlike[0]}"


def _layers(names: Iterable[str]) -> dict[str, list[str]]:
    """Names of tensors by the layer that they belong to."""
    layers: dict[str, list[str]] = {}
    for name in names:
        layers.setdefault(_layer(name), []).append(name)
    return layers


def _layer(name: str) -> str:
    return name.rpartition(".")[0]


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _why_dropped(name: str, owners: Mapping[str, str], why: Mapping[str, str], back: Mapping[str, str]) -> str:
    if name in owners and why[owners[name]]:
        return why[owners[name]]
    return back.get(scope_of(name), "no such name in the model")


def _in_order(given: Tensors, spec: ModelSpec | None) -> list[str]:
    """Names in the order of the network, if its spec is known; files have them in one of their own."""
    order = {name: index for index, name in enumerate(tensor_types(spec))} if spec else {}
    return sorted(given, key=lambda name: order.get(name, len(order)))


def _params(name: str, tensors: Tensors) -> int:
    return tensors[name].size if is_learned(name) else 0


def _total(title: str, tensors: Iterable[Moved]) -> str:
    listed = list(tensors)
    amount = format_amount(sum(tensor.params for tensor in listed))
    return f"{title}: {len(listed):,} tensor{'s' * (len(listed) != 1)}, {amount} parameters"


def _told(tensors: Iterable[Moved]) -> list[str]:
    """A line for each reason in each run, and one with an example for all that differ from their counterparts."""
    groups: dict[tuple[str, str], list[Moved]] = {}
    for tensor in tensors:
        groups.setdefault((scope_of(tensor.name), "" if tensor.counterpart else tensor.why), []).append(tensor)
    lines = []
    for (_, reason), members in groups.items():
        title = _total(_common_path([tensor.name for tensor in members]), members)
        example = max(members, key=lambda tensor: tensor.params)
        lines.append(f"  {title}: {reason or f'{example.why}, as of {example.name}'}")
    return lines


def _common_path(names: list[str]) -> str:
    """The longest module path, or the whole name, that all names share."""
    shared = []
    for parts in zip(*(name.split(".") for name in names), strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return ".".join(shared)
