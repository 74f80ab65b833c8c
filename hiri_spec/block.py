"""Base classes of everything that can stand in a spec, and the registry that finds them by name.

A part is a Pydantic class with typed fields and one method, `wire`, that lays primitive operations onto a symbolic
feature map. There is no other place where a part's formula or module is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, NoReturn, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema
from pydantic_core import InitErrorDetails, PydanticCustomError

from .errors import suggest
from .feature_map import FeatureMap
from .graph import Graph

Positive = Annotated[int, Field(ge=1)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise PydanticCustomError("even", "{value} is even; use {lower} or {upper}", {
            "value": value, "lower": value - 1, "upper": value + 1})
    return value


OddInt = Annotated[int, Field(ge=1, json_schema_extra={"not": {"multipleOf": 2}}), AfterValidator(_odd)]
NormName = Literal["batch", "layer"]
ActivationName = Literal["gelu", "relu", "silu"]


def reject(field: str, code: str, message: str, value: object = None) -> NoReturn:
    """Refuse a value from inside a validator, naming the field, so that the error points at its line."""
    error = PydanticCustomError(code, "{message}", {"message": message})
    raise ValidationError.from_exception_data("part", [InitErrorDetails(type=error, loc=(field,), input=value)])


class Part(BaseModel):
    """Anything a spec names by a key: a block, a stem, a downsampling, a head."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    key: ClassVar[str] = ""
    """The field whose value names the part, e.g. `block` in `block: hr`."""
    registry: ClassVar[dict[str, type[Any]]] = {}
    not_wired: ClassVar[frozenset[str]] = frozenset()
    """Fields that don't change what `wire` does, so that equal wirings are traced once."""

    @cached_property
    def wiring(self) -> tuple[Any, ...]:
        """What decides the graph of this part: its class and every field that `wire` can read."""
        return (type(self), *[value for name, value in self if name not in self.not_wired])


class Block(Part):
    """A run of `depth` equal blocks; `wire` lays one of them."""

    key: ClassVar[str] = "block"
    registry: ClassVar[dict[str, type[Any]]] = {}
    not_wired: ClassVar[frozenset[str]] = frozenset({"depth", "downsample", "name"})

    depth: Positive = Field(description="How many of these blocks follow one another.")
    width: Positive = Field(description="Channels of the feature map.")
    norm: NormName = Field("batch", description="Normalisation: over the batch or over each position's channels.")
    activation: ActivationName = "gelu"
    layer_scale: PositiveFloat | None = Field(None, description="Initial value of a learned scale on each branch.")
    downsample: DownsampleField = Field(None, description="What leads from the stage before into this one.")
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")] | None = Field(
        None, description="Key of this run's weights; set it to keep them apart from edits of the stage."
    )

    def wire(self, x: FeatureMap) -> FeatureMap:
        """Lay one block onto `x`; the output has the shape of the input."""
        raise NotImplementedError


class Stem(Part):
    """What turns the image into the first feature map, as wide as the first stage."""

    key: ClassVar[str] = "stem"
    registry: ClassVar[dict[str, type[Any]]] = {}

    norm: NormName = "batch"

    def wire(self, x: FeatureMap, channels: int) -> FeatureMap:
        """Lay the stem onto the image; the output has `channels` channels."""
        raise NotImplementedError


class Downsample(Part):
    """What halves the feature map between two stages and sets the new width."""

    key: ClassVar[str] = "downsample"
    registry: ClassVar[dict[str, type[Any]]] = {}

    norm: NormName = "batch"

    def wire(self, x: FeatureMap, channels: int) -> FeatureMap:
        """Lay the downsampling onto `x`; the output has `channels` channels."""
        raise NotImplementedError


class Head(Part):
    """What turns the last feature map into scores."""

    key: ClassVar[str] = "head"
    registry: ClassVar[dict[str, type[Any]]] = {}

    classes: Positive = Field(1000, description="Number of classes.")

    def wire(self, x: FeatureMap) -> FeatureMap:
        """Lay the head onto the last stage's output; the output is a vector of class scores."""
        raise NotImplementedError


PartType = TypeVar("PartType", bound=type[Part])


def register(part: PartType) -> PartType:
    """Class decorator: make a part known by the default of its key field; a name already taken is an error."""
    name = part.model_fields[part.key].default
    taken = part.registry.get(name)
    if taken is not None:
        raise ValueError(f"{part.key} {name!r} is already registered by {taken.__module__}; choose another name")
    part.registry[name] = part
    return part


def reader(base: type[Part], default: str | None = None) -> BeforeValidator:
    """The validator that picks the registered class by the key and hands it the mapping."""

    def read(value: object) -> object:
        if value is None or isinstance(value, base):
            return value
        if isinstance(value, str) and base is not Block:
            value = {base.key: value}
        if not isinstance(value, Mapping):
            example = f"{{{base.key}: {next(iter(base.registry), '…')}, …}}"
            raise PydanticCustomError(
                "not_a_mapping", "{message}", {"message": f"{value!r} is not a {base.key}; write a mapping like {example}"}
            )
        name = value.get(base.key, default)
        if name is None:
            known = ", ".join(sorted(base.registry))
            reject(base.key, "missing", f"which {base.key}? add {base.key}: one of {known}", value)
        part = base.registry.get(name) if isinstance(name, str) else None
        if part is None:
            reject(base.key, "unknown", f"unknown {base.key} {name!r}; {suggest(name, base.registry)}", name)
        return part.model_validate(value)

    return BeforeValidator(read)


DownsampleField = Annotated[
    Downsample | None, reader(Downsample), WithJsonSchema({"$ref": "#/$defs/downsample"})
]
Block.model_rebuild()


def trace(part: Part, *shapes: tuple[int, ...], channels: int | None = None) -> Graph:
    """Lay one part onto fresh inputs of the given shapes and return the graph."""
    from .feature_map import start

    x = start(shapes[0])
    y = part.wire(x) if channels is None else part.wire(x, channels)  # type: ignore[attr-defined]
    x.graph.outputs.append(y.index)
    return x.graph
