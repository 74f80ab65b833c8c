"""What the text reports, as `reported.yaml` holds it: read strictly, so that a slip in it can't switch a check off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from hiri_spec import SpecError
from hiri_spec.document import Document, get, parse
from hiri_spec.errors import Problem, show, suggest

REPORTED = Path(__file__).with_name("reported.yaml")

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Amount = Annotated[float, Field(gt=0)]
Side = Annotated[int, Field(ge=32)]


class Entry(BaseModel):
    """A mapping of the file: its own fields and no others, each of its own type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Deviation(Entry):
    """A reported cost that is not met: the GMACs counted instead, to three decimals, and why."""

    ours: Amount
    reason: Text


class Row(Entry):
    """A row of a table: a spec at a resolution (its own by default) and what is reported of it.

    `below`, `above` (in MACs), `params_below` and `time_over` (what its time is a multiple of) name a row before it.
    """

    label: Text
    spec: Text
    what: Text | None = None
    resolution: Side | None = None
    gflops: Amount | None = None
    more_gflops_than: Amount | None = None
    less_gflops_than: Amount | None = None
    below: Text | None = None
    above: Text | None = None
    params_below: Text | None = None
    top1: Amount | None = None
    latency_ms: Amount | None = None
    time_over: Text | None = None
    deviation: Deviation | None = None

    @model_validator(mode="after")
    def check_deviation(self) -> Self:
        """Only a reported cost can be deviated from."""
        if self.deviation is not None and self.gflops is None:
            raise ValueError("a deviation without a reported cost; add `gflops: …`, or remove the deviation")
        return self


class Rows(Entry):
    """A table of rows."""

    title: Text
    rows: Annotated[list[Row], Field(min_length=1)]
    notes: list[Text] = []

    @model_validator(mode="after")
    def check_labels(self) -> Self:
        """Labels are unique, and a row is compared with rows before it."""
        before: list[str] = []
        for row in self.rows:
            if row.label in before:
                raise ValueError(f"two rows are labelled {row.label!r}; give each its own label")
            for field in ("below", "above", "params_below", "time_over"):
                name = getattr(row, field)
                if name is not None and name not in before:
                    raise ValueError(f"row {row.label!r} is {field} {name!r}, which is no row before it")
            before.append(row.label)
        return self


class Line(Entry):
    """A line of a picture through reported costs, by the labels of their rows."""

    label: Text
    rows: Annotated[list[Text], Field(min_length=2)]


class Figure(Rows):
    """A table of rows that is drawn, too."""

    reported_lines: list[Line]

    @model_validator(mode="after")
    def check_lines(self) -> Self:
        """A line goes through rows of which a cost is reported."""
        known = [row.label for row in self.rows if row.gflops is not None]
        for line in self.reported_lines:
            for label in line.rows:
                if label not in known:
                    raise ValueError(f"{line.label!r} goes through {label!r}, of which no cost is reported")
        return self


class Backbones(Entry):
    """Networks before and after scaling up; `most`: the largest ratio of costs that passes."""

    title: Text
    backbones: Annotated[list[Text], Field(min_length=1)]
    resolution: Side
    most: Amount


class Published(Entry):
    """A published network, its cost and its accuracy on ImageNet-1K; one of several sizes that a line joins, or not."""

    network: Text
    label: Text
    gflops: Amount
    top1: Amount
    source: Text
    is_joined: bool = True


class Chart(Entry):
    """Published points of a picture."""

    title: Text
    points: Annotated[list[Published], Field(min_length=1)]


class Norms(Entry):
    """A network whose norms are timed, and how much faster they are reported to make it."""

    title: Text
    spec: Text
    resolution: Side
    faster_percent: Amount


class Reported(Entry):
    """The whole file."""

    table7: Rows
    table8: Rows
    table9: Backbones
    stages: Rows
    large: Rows
    figure1: Figure
    figure6: Chart
    norms: Norms


_IN_LISTS: dict[str, type[Entry]] = {"rows": Row, "points": Published, "reported_lines": Line, "deviation": Deviation}


def read_reported(path: Path = REPORTED) -> Reported:
    """The data file; raises SpecError, with its line, for whatever is wrong with it."""
    document = parse(path.read_text(encoding="utf-8"), path.name)
    try:
        return Reported.model_validate(document.data)
    except ValidationError as error:
        raise SpecError(_problems(error, document)) from None


def _problems(error: ValidationError, document: Document) -> Iterator[Problem]:
    for detail in error.errors(include_url=False):
        path, kind = detail["loc"], detail["type"]
        if kind == "extra_forbidden":
            yield document.problem(path, f"no such field; {suggest(path[-1], _fields(path[:-1]))}")
        elif kind == "missing":
            yield document.problem(path[:-1], f"{path[-1]} is missing; add `{path[-1]}: …`")
        elif kind == "value_error":
            yield document.problem(path, str(detail["ctx"]["error"]))
        else:
            yield document.problem(
                path, f"{show(get(document.data, path))}: {detail['msg'][0].lower()}{detail['msg'][1:]}"
            )


def _fields(path: tuple[str | int, ...]) -> list[str]:
    """The fields that a mapping of the file may have."""
    names = [part for part in path if isinstance(part, str)]
    if not names:
        return list(Reported.model_fields)
    model = _IN_LISTS.get(names[-1]) or Reported.model_fields[names[0]].annotation
    return list(model.model_fields) if model is not None else []
