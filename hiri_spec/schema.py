"""ModelSpec: a whole network as data, validated."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from . import blocks  # noqa: F401 (importing the package registers every part)
from .block import Block, Head, Positive, Stem, as_tuple, reader
from .blocks.classifier import Classifier
from .errors import show
from .quantities import LARGEST_SIDE, MAX_NAME, SMALLEST_SIDE

Side = Annotated[int, Field(ge=SMALLEST_SIDE, le=LARGEST_SIDE)]


def _as_runs(value: object) -> object:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


Stage = Annotated[tuple[Annotated[Block, reader(Block)], ...], BeforeValidator(_as_runs), Field(min_length=1)]


def _as_size(value: object) -> object:
    """Refuse what is no image size here: Pydantic would complain once for each form that a size can have."""
    sides = value if isinstance(value, list | tuple) and len(value) == 2 else (value,)
    if not all(isinstance(side, int) and not isinstance(side, bool) for side in sides):
        message = f"{show(value)} is no image size; write a side or [height, width] in pixels, like 448 or [512, 1024]"
    elif min(sides) < SMALLEST_SIDE:
        message = f"{show(value)} is too small; use {SMALLEST_SIDE} or more a side"
    elif max(sides) > LARGEST_SIDE:
        message = f"{show(value)} is too large; use at most {LARGEST_SIDE:,} a side"
    else:
        return tuple(value) if isinstance(value, list) else value
    raise PydanticCustomError("resolution", "{message}", {"message": message})


Size = Annotated[Side | tuple[Side, Side], BeforeValidator(_as_size)]


def _one_map(streams: int, instead: str) -> str:
    return f"takes one map, and {streams} streams come in; use {instead}"


class ModelSpec(BaseModel):
    """A network: a stem, stages of runs of blocks, a head, and the image size it is meant for."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]*$", max_length=MAX_NAME)] = Field(
        description="Name of the network."
    )
    description: str | None = Field(None, description="One sentence about it.")
    resolution: Size = Field(224, description="Image size in pixels: a side, or [height, width]; at least 32 a side.")
    in_channels: Positive = Field(3, description="Channels of the image.")
    drop_path_rate: float = Field(
        0, ge=0, lt=1, description="Drop path rate of the last block; it grows linearly from 0 at the first."
    )
    stem: Annotated[Stem, reader(Stem), WithJsonSchema({"part": "stem"})]
    stages: Annotated[tuple[Stage, ...], BeforeValidator(as_tuple), Field(min_length=1), WithJsonSchema({})]
    head: Annotated[Head, reader(Head, default="classifier"), WithJsonSchema({"part": "head"})] = Classifier(
        classes=1000
    )

    _document: Any = PrivateAttr(None)

    def __eq__(self, other: object) -> bool:
        """Equal as networks, whatever files they were read from."""
        return isinstance(other, ModelSpec) and self.__dict__ == other.__dict__

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.resolution if isinstance(self.resolution, tuple) else (self.resolution, self.resolution)

    @model_validator(mode="after")
    def check_chain(self) -> Self:
        """Hold widths, downsampling and names of neighbouring runs against each other."""
        problems: list[InitErrorDetails] = []

        def refuse(loc: tuple[str | int, ...], code: str, message: str, top: str = "stages") -> None:
            error = PydanticCustomError(code, "{message}", {"message": message})
            problems.append(InitErrorDetails(type=error, loc=(top, *loc), input=None))

        width = self.stages[0][0].width
        streams = 1
        for index, stage in enumerate(self.stages):
            names: set[str] = set()
            for position, run in enumerate(stage):
                is_first = not index and not position
                if run.downsample is not None and (position or (is_first and not self.stem.has_own_width)):
                    reason = (
                        "only the first run of a stage can downsample; start a new stage for it"
                        if position
                        else "the stem already leads into the first stage; remove the downsample, or put a stage before"
                    )
                    refuse((index, position, "downsample"), "misplaced", reason)
                elif run.downsample is None and is_first and self.stem.has_own_width:
                    reason = (
                        "the stem gives a width of its own; add a downsample that leads on from it, e.g. add_stream"
                    )
                    refuse((index, position, "width"), "width_jump", reason)
                elif run.width != width and run.downsample is None:
                    where = "the run before" if position else "the stage before"
                    refuse(
                        (index, position, "width"),
                        "width_jump",
                        f"{run.width} differs from the width of {where}, {width}; "
                        + ("runs of one stage share a width" if position else "add a downsample, e.g. irds_b"),
                    )
                width = run.width
                if run.downsample is not None:
                    if streams > 1 and not run.downsample.takes_streams:
                        refuse((index, position, "downsample"), "streams", _one_map(streams, "add_stream"))
                    streams += run.downsample.adds_stream
                if run.takes_streams and run.stream_count != streams:
                    message = f"{run.stream_count} differs from the {streams} that come in; add one with add_stream"
                    refuse((index, position, "streams"), "streams", message)
                elif streams > 1 and not run.takes_streams:
                    refuse((index, position, "block"), "streams", _one_map(streams, "streams"))
                if run.name is not None and run.name in names | {"downsample"}:
                    refuse(
                        (index, position, "name"), "name_taken", f"{run.name!r} is taken in this stage; choose another"
                    )
                names.add(run.name or "")
        if streams > 1 and not self.head.takes_streams:
            refuse((), "streams", _one_map(streams, "hrnet"), top="head")
        if problems:
            raise ValidationError.from_exception_data("ModelSpec", problems)
        return self
