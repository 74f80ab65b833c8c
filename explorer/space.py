"""Search spaces: specs with choices in them, drawn from, decoded and counted."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from hiri_spec import ModelSpec, SpecError
from hiri_spec.document import Document, Origin, get
from hiri_spec.errors import Path as DottedPath
from hiri_spec.errors import Problem, show
from hiri_spec.files import SPECS, load_document, parse_path, to_data, validate
from hiri_spec.schema import Stage

from .choices import (
    Assignment,
    Choice,
    Fields,
    Fixed,
    Items,
    Node,
    Parameter,
    Tree,
    assignments,
    count,
    decisions,
    parse_tree,
)
from .choices import origins as origins_of
from .choices import resolve as resolve_node

SPACES = SPECS / "spaces"
DEFAULT_SPACE = SPACES / "hiri.yaml"
DEPENDS_ON_OTHERS = {"indivisible", "width_jump", "name_taken"}
"""Errors that come of a combination of values, each of which may be right beside others."""

_stage_reader: TypeAdapter[Any] = TypeAdapter(Stage)


class Space:
    """A search space: its parameters, and the networks that they decode to."""

    def __init__(self, document: Document, tree: Tree) -> None:
        self._document = document
        self.file = document.file
        self.root = tree.root
        self.parameters: dict[str, Parameter] = tree.parameters
        self._occurrences = tree.occurrences
        self.is_changed = False
        """Whether stages were left out or values set, so that it is no longer the space of its file."""
        self._stages: dict[tuple[int, tuple[tuple[str, int], ...]], Any] = {}

    @cached_property
    def size(self) -> int:
        """Number of different networks, those counted in that are not feasible."""
        return count(self.root)

    @cached_property
    def fingerprint(self) -> str:
        """Stays the same as long as the space does; comments, layout and the resolution aside."""
        content = {key: value for key, value in self._document.data.items() if key != "resolution"}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def text(self) -> str:
        """The whole space as JSON, of which `read_space_text` makes the same space."""
        return json.dumps(self._document.data)

    def draw(self, rng: random.Random) -> Assignment:
        """An option for every parameter, each as likely as the next."""
        return {name: int(rng.random() * len(p.labels)) for name, p in self.parameters.items()}

    def every(self) -> Iterator[Assignment]:
        """An assignment for each network of the space; see `size` before you ask."""
        zeros = dict.fromkeys(self.parameters, 0)
        return (zeros | active for active in assignments(self.root))

    def spec(self, assignment: Assignment) -> ModelSpec | None:
        """The network that an assignment decodes to, or None for a combination that is no network."""
        data: dict[str, Any] = {}
        for key, node in self.top.items():
            if key != "stages":
                data[key] = resolve_node(node, assignment)
                continue
            stages = [self._runs(stage, assignment) for stage in self._stage_nodes(node, assignment)]
            if None in stages:
                return None
            data[key] = stages
        try:
            return ModelSpec.model_validate(data)
        except ValidationError:
            return None

    def explain(self, assignment: Assignment) -> SpecError | None:
        """What is wrong with an assignment, pointing into the space's file; None if nothing is."""
        data = resolve_node(self.root, assignment)
        places = dict(origins_of(self.root, assignment))
        try:
            validate(Document(data, places, self.file))
        except SpecError as error:
            return error
        return None

    def active(self, assignment: Assignment) -> dict[str, int]:
        """The parameters that have a say under an assignment, with the options taken."""
        return dict(decisions(self.root, assignment))

    def values(self, assignment: Assignment) -> dict[str, Any]:
        """The labels of the active parameters."""
        return self.decode(self.active(assignment))

    def decode(self, assignment: Assignment) -> dict[str, Any]:
        """The labels of the options taken, which are Optuna's values of the parameters."""
        return {name: self.parameters[name].labels[index] for name, index in assignment.items()}

    def encode(self, params: Mapping[str, Any]) -> Assignment:
        """The options that labels stand for."""
        return {name: self.parameters[name].labels.index(value) for name, value in params.items()}

    @cached_property
    def top(self) -> dict[str, Node]:
        """The fields of the spec, as nodes."""
        if not isinstance(self.root, Fields):
            raise SpecError(Problem("a space is a mapping with name, stem and stages", file=self.file))
        return self.root.items

    def _stage_nodes(self, node: Node, assignment: Assignment) -> list[Node]:
        while isinstance(node, Choice):
            node = node.options[assignment[node.parameter.name]]
        return node.items if isinstance(node, Items) else []

    def _runs(self, node: Node, assignment: Assignment) -> Any:
        """The validated runs of one stage, parsed once for each combination of its options; None if not valid."""
        key = (id(node), tuple(decisions(node, assignment)))
        if key not in self._stages:
            try:
                self._stages[key] = _stage_reader.validate_python(resolve_node(node, assignment))
            except ValidationError:
                self._stages[key] = None
        return self._stages[key]

    def check(self) -> None:
        """Try every option once; raises SpecError for one that can't be right in any combination."""
        zeros = dict.fromkeys(self.parameters, 0)
        problems: dict[str, Problem] = {}
        for occurrence in self._occurrences:
            parameter = occurrence.choice.parameter
            indices = range(len(parameter.labels))
            # what is wrong with a number inside a range is wrong with one of its first two or the last
            for index in dict.fromkeys((*indices[:2], indices[-1])) if parameter.is_range else indices:
                error = self.explain({**zeros, **dict(occurrence.conditions), parameter.name: index})
                for problem in error.problems if error else ():
                    if problem.code not in DEPENDS_ON_OTHERS:
                        problems.setdefault(str(problem), problem)
        if problems:
            raise SpecError(problems.values())


def load_space(
    path: str | Path | None = None,
    *,
    stages: Sequence[int] | None = None,
    resolution: tuple[int, int] | None = None,
    set: Mapping[str, Any] | None = None,
) -> Space:
    """Read a search space, a file or one of ours by its name, keep some numbers of stages only, set the resolution.

    Raises SpecError, with file and line, for a space that is wrong or in which nothing varies.
    """
    file = DEFAULT_SPACE if path is None else _find(path)
    try:
        document = load_document(file, set=set)
    except SpecError as error:
        if error.problems[0].code == "not_a_spec":
            names = ", ".join(sorted(space.stem for space in SPACES.glob("*.yaml")))
            message = f"{show(str(path))} is no file, nor one of our spaces; give a path, or one of {names}"
            raise SpecError(Problem(message, "--space", code="not_a_spec")) from None
        raise SpecError(_with_way(problem, file, set or {}) for problem in error.problems) from None
    if not isinstance(document.data, dict):
        raise document.error((), "a space is a mapping with name, stem and stages")
    document.data = dict(document.data)
    if resolution is not None:
        document.data["resolution"] = resolution[0] if resolution[0] == resolution[1] else list(resolution)
        document.origins[("resolution",)] = Origin("--resolution")
    if stages is not None:
        _keep_stages(document, stages)
    tree = parse_tree(document)
    if not tree.parameters:
        message = "nothing varies in this space; write {choice: […]} or {range: [low, high]} where a value may vary"
        raise document.error((), message)
    varying = [name for name in tree.parameters if name.split(".")[0] == "resolution"]
    if varying:
        # costs of different image sizes can't be held against one budget, nor scores against each other
        raise document.error(("resolution",), "all networks of a search see one image size; write one value")
    space = Space(document, tree)
    space.is_changed = bool(set) or stages is not None
    space.check()
    return space


def read_space_text(text: str, file: str) -> Space:
    """A space from its own text; `file` is what messages call it."""
    document = Document(json.loads(text), {}, file)
    return Space(document, parse_tree(document))


def _find(path: str | Path) -> str | Path:
    """A space of ours where that is the name of one, and of no file."""
    own = SPACES / f"{path}.yaml"
    return own if Path(path).name == str(path) and own.is_file() and not Path(path).exists() else path


def _with_way(problem: Problem, file: str | Path, changes: Mapping[str, Any]) -> Problem:
    """Where a path of --set stops at a choice, also tell how it goes on through it."""
    if problem.code != "no_such_path" or problem.path not in changes:
        return problem
    data = load_document(file).data
    ways = list(_paths_through(data, parse_path(problem.path)))
    # where the field is written already, it is one that the block has
    ways = [way for way in ways if way[-1] in get(data, way[:-1])] or ways
    if not ways:
        return problem
    way = ".".join(map(str, ways[0]))
    places = f"{len(ways)} such places, each to be set by itself" if len(ways) > 1 else "one such place"
    message = (
        f"in a space a path leads through the choices, here to {places}; write {way}={show(changes[problem.path])}"
    )
    return replace(problem, message=message)


def _paths_through(data: Any, wanted: DottedPath, before: DottedPath = ()) -> Iterator[DottedPath]:
    """Every path in a space's data that a path of the spec stands for: the same, led through the choices on its way."""
    if isinstance(data, Mapping) and isinstance(data.get("choice"), list):
        if wanted:
            for index, option in enumerate(data["choice"]):
                yield from _paths_through(option, wanted, (*before, "choice", index))
    elif wanted and isinstance(data, Mapping):
        if len(wanted) == 1 and isinstance(wanted[0], str):
            yield (*before, *wanted)
        elif wanted[0] in data:
            yield from _paths_through(data[wanted[0]], wanted[1:], (*before, wanted[0]))
    elif wanted and isinstance(data, list) and isinstance(wanted[0], int) and wanted[0] < len(data):
        inside = data[wanted[0]]
        yield from _paths_through(inside, wanted[1:], (*before, wanted[0])) if wanted[1:] else [(*before, *wanted)]


def _keep_stages(document: Document, wanted: Sequence[int]) -> None:
    node = document.data.get("stages")
    lists = node["choice"] if isinstance(node, dict) and isinstance(node.get("choice"), list) else [node]
    lengths = [len(item) for item in lists if isinstance(item, list)]
    if len(lengths) < len(lists):
        return  # not lists of stages: validation says so with its line
    missing = sorted({*wanted} - {*lengths})
    if missing or not wanted:
        offered = ", ".join(map(str, sorted({*lengths})))
        asked = ", ".join(map(str, missing)) or "nothing"
        raise SpecError(Problem(f"{document.file} has no networks of {asked} stages; it offers {offered}", "--stages"))
    kept = [index for index, length in enumerate(lengths) if length in wanted]
    if len(kept) < len(lists):
        old = {path: origin for path, origin in document.origins.items() if path[:2] == ("stages", "choice")}
        for place, index in enumerate(kept):
            for path, origin in old.items():
                if path[2:3] == (index,):
                    document.origins[("stages", "choice", place, *path[3:])] = origin
        document.data["stages"] = {"choice": [lists[index] for index in kept]}


def is_ordered(spec: ModelSpec) -> bool:
    """Whether no HR block stands after a Transformer: high resolution first, attention late, as in the paper."""
    seen_transformer = False
    for stage in spec.stages:
        for run in stage:
            kind = getattr(run, "block", "")
            if kind == "hr" and seen_transformer:
                return False
            seen_transformer = seen_transformer or kind == "transformer"
    return True


def network_hash(spec: ModelSpec) -> str:
    """What two specs share if they are the same network, whatever they are called and wherever they come from."""
    network = {key: value for key, value in to_data(spec).items() if key not in ("name", "description")}
    return hashlib.sha256(json.dumps(network, sort_keys=True).encode()).hexdigest()[:16]


def sketch(spec: ModelSpec) -> str:
    """A network in a few letters: HR2 HR2 C4 T9 T4."""
    short = {"cffn": "C", "transformer": "T", "ffn": "F"}
    stages = []
    for stage in spec.stages:
        kinds = [(getattr(run, "block", "?"), run.depth) for run in stage]
        stages.append("+".join(f"{short.get(kind, kind.upper())}{depth}" for kind, depth in kinds))
    return " ".join(stages)


__all__ = [
    "DEFAULT_SPACE",
    "Assignment",
    "Fixed",
    "Space",
    "is_ordered",
    "load_space",
    "network_hash",
    "read_space_text",
    "sketch",
]
