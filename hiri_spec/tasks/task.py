"""Task: a head on a backbone as data: which host, how many classes, which levels, what the backbone's norms do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from ..block import Positive, as_tuple, reject
from ..document import Document
from ..errors import Problem, SpecError, show, suggest
from ..messages import validate_as
from ..train.plan import Fields
from .heads import HEADS, Head

Norms = Literal["frozen", "trained", "synchronised"]
Strides = Annotated[tuple[Positive, ...], BeforeValidator(as_tuple)]

ONE_CLASS = (
    "one class leaves nothing to tell apart; write the background as a class of its own, with a name "
    "(in ADE20K's layout 0 is none: pixels of 0 are ignored, and classes count from 1)"
)
"""What is told of a single class of pixels."""


class Task(Fields):
    """What is put on a backbone. See docs/dense.md for what each choice costs."""

    head: str = Field(description=f"One of {', '.join(HEADS)}.")
    host: str | None = Field(None, description="The library that the head is taken from; null: the head's first.")
    classes: Positive = Field(80, description="Classes of objects, or of pixels; the background is none of them.")
    strides: Strides | None = Field(
        None,
        description="Strides of the backbone's maps that feed the neck; null: the head's usual ones, and where the "
        "backbone has a map at the stride of one of the neck's own, that instead.",
    )
    regions: Annotated[int, Field(ge=8, le=2000)] | None = Field(
        None,
        description="Regions of an image that a head with two stages learns from, and those that Sparse R-CNN looks "
        "for; null: 512, and 300. Fewer are cheaper where images have few objects.",
    )
    norms: Norms = Field(
        "trained",
        description="The backbone's batch norms. frozen: as they are, for batches of a few images on pretrained "
        "weights; trained: each process by its own images; synchronised: by the images of all, on CUDA devices.",
    )

    @model_validator(mode="after")
    def check(self) -> Self:
        """Hold fields against each other."""
        if self.head not in HEADS:
            reject("head", "no_head", f"{self.head!r} is no head; {suggest(self.head, HEADS)}", self.head)
        hosts = HEADS[self.head].hosts
        if self.host is not None and self.host not in hosts:
            message = f"{self.host!r} has no {self.head} here; {suggest(self.host, hosts)}"
            reject("host", "no_host", message, self.host)
        if self.classes == 1 and self.kind.is_segmentation:
            reject("classes", "one_class", ONE_CLASS, self.classes)
        if self.regions is not None and HEADS[self.head].regions is None:
            reject("regions", "no_regions", f"{self.head} looks at whole maps; leave it out", self.regions)
        if self.strides is not None and any(b != 2 * a for a, b in zip(self.strides, self.strides[1:], strict=False)):
            message = f"{show(list(self.strides))} must double from each to the next, as in [8, 16, 32]"
            reject("strides", "strides", message, list(self.strides))
        return self

    @property
    def kind(self) -> Head:
        """The head's entry in the catalogue."""
        return HEADS[self.head]

    @property
    def own_host(self) -> str:
        """The host, the given one or the head's first."""
        return self.host or self.kind.hosts[0]


def read_task(values: Mapping[str, Any]) -> Task:
    """Fields by name → a task; raises SpecError for those that are wrong."""
    return validate_as(Task, Document(dict(values), {}, ""), "task", "head")


def default_norms(weights: object) -> Norms:
    """What the backbone's batch norms do unless someone says: frozen on given weights, trained on fresh ones.

    Detectors learn from one or two images a process, whose statistics are poor; those of pretrained weights are good.
    Fresh weights have none that would be worth keeping.
    """
    return "trained" if weights is None else "frozen"


def choose_strides(task: Task, available: Sequence[int], name: str) -> tuple[int, ...]:
    """Strides of the maps of a backbone `name`, which has those `available`, that feed the task's neck.

    Raises SpecError where the backbone lacks one that is asked for, or has none of the usual ones but for one.
    """
    if task.strides is not None:
        lacking = [stride for stride in task.strides if stride not in available]
        if lacking:
            has = ", ".join(map(str, available))
            message = f"{name} has no map of stride {lacking[0]}; it has those of {has}"
            raise SpecError(Problem(message, "strides", code="no_stride"))
        if len(task.strides) < 2:
            message = f"{show(list(task.strides))} is one map, and a neck joins two or more"
            raise SpecError(Problem(message, "strides", code="too_few"))
        return task.strides
    usual, extra = task.kind.strides, task.kind.extra_strides
    lacking = [stride for stride in usual if stride not in available]
    if lacking:
        has, wanted = ", ".join(map(str, available)), ", ".join(map(str, usual))
        message = (
            f"{task.head} reads maps of stride {wanted}, and {name} has those of {has}; name others with strides, "
            "each twice the one before"
        )
        raise SpecError(Problem(message, "strides", code="no_stride"))
    chosen = list(usual)
    for stride in extra:  # without a gap: a neck makes its own from its last
        if stride not in available:
            break
        chosen.append(stride)
    return tuple(chosen)
