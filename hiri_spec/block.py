"""Base classes of everything that can stand in a spec, and the registry that finds them by name.

A part is a Pydantic class with typed fields and one method, `wire`, that lays primitive operations onto a symbolic
feature map. There is no other place where a part's formula or module is written.
"""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, NoReturn, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema
from pydantic.fields import FieldInfo
from pydantic_core import InitErrorDetails, PydanticCustomError

from .errors import Problem, SpecError, show, suggest
from .feature_map import FeatureMap, start
from .graph import MAX_PART_NODES, Graph, Shapes, TooManyNodesError, streams_of
from .quantities import MAX_NAME, MAX_NUMBER

Positive = Annotated[int, Field(ge=1, le=MAX_NUMBER)]
PositiveFloat = Annotated[float, Field(gt=0, le=MAX_NUMBER, allow_inf_nan=False)]


def as_tuple(value: object) -> object:
    """What YAML writes as a list, for a field that is a tuple."""
    return tuple(value) if isinstance(value, list) else value


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise PydanticCustomError(
            "even", "{value} is even; use {lower} or {upper}", {"value": value, "lower": value - 1, "upper": value + 1}
        )
    return value


OddInt = Annotated[int, Field(ge=1, le=MAX_NUMBER, json_schema_extra={"not": {"multipleOf": 2}}), AfterValidator(_odd)]


def _usable(name: str) -> str:
    if name in RESERVED_NAMES or keyword.iskeyword(name):
        raise PydanticCustomError(
            "reserved", "{name} is a word of Python or torch; use another, such as {name}_blocks", {"name": name}
        )
    return name


RESERVED_NAMES = frozenset(
    """
    add_module apply bfloat16 buffers call_super_init children compile cpu cuda double downsample dump_patches
    eval extra_repr float forward get_buffer get_extra_state get_parameter get_submodule grad_checkpointing half
    ipu load_state_dict modules mtia named_buffers named_children named_modules named_parameters parameters
    register_backward_hook register_buffer register_forward_hook register_forward_pre_hook
    register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook
    register_load_state_dict_pre_hook register_module register_parameter register_state_dict_post_hook
    register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory smart_apply state_dict to
    to_empty train training type xpu zero_grad
    """.split()  # noqa: SIM905 (a list of them would fill a page)
)
"""What a torch module calls its own things; a run of blocks is an attribute beside them. A test compares with torch.

`smart_apply` is there once transformers is imported, which gives it to all modules.
"""
RunName = Annotated[
    str,
    Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=MAX_NAME),
    AfterValidator(_usable),
    WithJsonSchema({"part": "run_name"}),
]
NormName = Literal["batch", "layer"]
ActivationName = Literal["gelu", "relu", "silu"]
Norm = Annotated[NormName, Field(description="Normalisation: over the batch or over each position's channels.")]
Activation = Annotated[ActivationName, Field(description="Activation function.")]


def reject(field: str, code: str, message: str, value: object = None, *, beside: str = "") -> NoReturn:
    """Refuse a value from inside a validator, naming the field, so that the error points at its line.

    `beside` names a field that it doesn't go with: the error points there if that is what was changed last.
    """
    error = PydanticCustomError(code, "{message}", {"message": message, "beside": beside})
    raise ValidationError.from_exception_data("part", [InitErrorDetails(type=error, loc=(field,), input=value)])


def check_heads(width: int, heads: int) -> None:
    """Refuse a width that heads do not divide, from inside a validator."""
    if width % heads:
        lower = width // heads * heads
        choices = " or ".join(str(choice) for choice in (lower, lower + heads) if choice)
        message = f"{width} is not a multiple of heads={heads}; use {choices}"
        reject("width", "indivisible", message, width, beside="heads")


class Part(BaseModel):
    """Anything a spec names by a key: a block, a stem, a downsampling, a head."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    key: ClassVar[str] = ""
    """The field whose value names the part, e.g. `block` in `block: hr`."""
    registry: ClassVar[dict[str, type[Any]]] = {}
    takes_streams: ClassVar[bool] = False
    """Whether `wire` is given, and may return, a tuple of maps: several streams, the largest first (HRNet)."""
    not_wired: ClassVar[frozenset[str]] = frozenset()
    """Fields that don't change what `wire` does, so that equal wirings are traced once."""

    def wire(self, *args: Any) -> FeatureMap | tuple[FeatureMap, ...]:
        """Lay the part onto a feature map and return what comes out."""
        raise NotImplementedError(f"{type(self).__name__} has no wire method")

    @property
    def wiring(self) -> tuple[Any, ...]:
        """What decides the graph of this part: its class and every field that `wire` can read."""
        values = self.__dict__
        return (type(self), *[values[name] for name in values if name not in self.not_wired])


class Block(Part):
    """A run of `depth` equal blocks; `wire(x)` lays one of them and keeps the shape."""

    key: ClassVar[str] = "block"
    registry: ClassVar[dict[str, type[Any]]] = {}
    takes_streams: ClassVar[bool] = False
    """Whether `wire` is given, and may return, a tuple of maps: several streams, the largest first (HRNet)."""
    not_wired: ClassVar[frozenset[str]] = frozenset({"depth", "downsample", "name"})

    depth: Positive = Field(description="How many of these blocks follow one another.")
    width: Positive = Field(description="Channels of the feature map.")
    norm: Norm = "batch"
    activation: Activation = "gelu"
    layer_scale: PositiveFloat | None = Field(None, description="Initial value of a learned scale on each branch.")
    downsample: DownsampleField = Field(None, description="What leads from the stage before into this one.")
    name: RunName | None = Field(
        None, description="Key of this run's weights; set it to keep them apart from edits of the stage."
    )

    @property
    def stream_count(self) -> int:
        """How many streams it takes and gives."""
        return 1


class Stem(Part):
    """What turns the image into the first feature map; `wire(x, channels)` gives it the width of the first stage."""

    key: ClassVar[str] = "stem"
    registry: ClassVar[dict[str, type[Any]]] = {}
    has_own_width: ClassVar[bool] = False
    """Whether it gives a width of its own, from which the first stage's downsampling leads on."""

    norm: Norm = "batch"


class Downsample(Part):
    """What halves the feature map between two stages; `wire(x, channels)` gives it the new width."""

    key: ClassVar[str] = "downsample"
    registry: ClassVar[dict[str, type[Any]]] = {}
    adds_stream: ClassVar[bool] = False
    """Whether one stream more comes out than goes in."""

    norm: Norm = "batch"


class Head(Part):
    """What turns the last feature map into scores; `wire(x)` returns a vector."""

    key: ClassVar[str] = "head"
    registry: ClassVar[dict[str, type[Any]]] = {}

    classes: Positive = Field(1000, description="Number of classes.")


def fields_of(part: type[BaseModel]) -> dict[str, FieldInfo]:
    """Fields of a Pydantic class; mypy can't see `model_fields` on a type variable."""
    return part.model_fields


PartType = TypeVar("PartType", bound=type[Part])


def register(part: PartType) -> PartType:
    """Class decorator: make a part known by the default of its key field; a name already taken is an error."""
    name = fields_of(part)[part.key].default
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
                "not_a_mapping",
                "{message}",
                {"message": f"{show(value)} is no {base.key}; write a mapping like {example}"},
            )
        name = value.get(base.key, default)
        if name is None:
            known = ", ".join(sorted(base.registry))
            reject(base.key, "missing", f"which {base.key}? add {base.key}: one of {known}", value)
        part = base.registry.get(name) if isinstance(name, str) else None
        if part is None:
            reject(base.key, "unknown", f"unknown {base.key} {show(name)}; {suggest(name, base.registry)}", name)
        return part.model_validate(value)

    return BeforeValidator(read)


DownsampleField = Annotated[Downsample | None, reader(Downsample), WithJsonSchema({"part": "downsample"})]
Block.model_rebuild()


def trace(part: Part, shape: Shapes, channels: int | None = None) -> Graph:
    """Lay one part onto fresh inputs, one a stream, and return the graph.

    Raises SpecError for a part that repeats itself without bounds.
    """
    graph = Graph()
    streams = tuple([start(stream, graph) for stream in streams_of(shape)])
    x: Any = streams if part.takes_streams else streams[0]
    try:
        y = part.wire(x) if channels is None else part.wire(x, channels)
    except TooManyNodesError:
        what = f"{part.key} {getattr(part, part.key)}"
        message = f"{what} has more than {MAX_PART_NODES:,} operations; lower the numbers in it"
        raise SpecError(Problem(message, code="too_large")) from None
    graph.outputs.extend([stream.index for stream in y] if isinstance(y, tuple) else [y.index])
    return graph
