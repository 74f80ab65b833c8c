"""ModelSpec: a whole network as data, validated; and the JSON Schema that editors check and complete specs with."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from . import blocks  # noqa: F401 (importing the package registers every part)
from .block import Block, Head, Positive, Stem, reader
from .blocks.classifier import Classifier

SMALLEST_SIDE = 32
Side = Annotated[int, Field(ge=SMALLEST_SIDE)]


def _as_runs(value: object) -> object:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


Stage = Annotated[tuple[Annotated[Block, reader(Block)], ...], BeforeValidator(_as_runs), Field(min_length=1)]


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


class ModelSpec(BaseModel):
    """A network: a stem, stages of runs of blocks, a head, and the image size it is meant for."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]*$")] = Field(description="Name of the network.")
    description: str | None = Field(None, description="One sentence about it.")
    resolution: Annotated[Side | tuple[Side, Side], BeforeValidator(_as_tuple)] = Field(
        224, description="Image size in pixels: a side, or [height, width]; at least 32 a side."
    )
    in_channels: Positive = Field(3, description="Channels of the image.")
    drop_path_rate: float = Field(
        0, ge=0, lt=1, description="Drop path rate of the last block; it grows linearly from 0 at the first."
    )
    stem: Annotated[Stem, reader(Stem)]
    stages: Annotated[tuple[Stage, ...], BeforeValidator(_as_tuple), Field(min_length=1)]
    head: Annotated[Head, reader(Head, default="classifier")] = Classifier(classes=1000)

    _document: Any = PrivateAttr(None)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.resolution if isinstance(self.resolution, tuple) else (self.resolution, self.resolution)

    @model_validator(mode="after")
    def check_chain(self) -> Self:
        """Hold widths, downsampling and names of neighbouring runs against each other."""
        problems: list[InitErrorDetails] = []

        def refuse(loc: tuple[str | int, ...], code: str, message: str) -> None:
            error = PydanticCustomError(code, "{message}", {"message": message})
            problems.append(InitErrorDetails(type=error, loc=("stages", *loc), input=None))

        width = self.stages[0][0].width
        for index, stage in enumerate(self.stages):
            names: set[str] = set()
            for position, run in enumerate(stage):
                if run.downsample is not None and (position or not index):
                    reason = (
                        "only the first run of a stage can downsample; start a new stage for it"
                        if position
                        else "the stem already leads into the first stage; remove the downsample, or put a stage before"
                    )
                    refuse((index, position, "downsample"), "misplaced", reason)
                elif run.width != width and run.downsample is None:
                    where = "the run before" if position else "the stage before"
                    refuse(
                        (index, position, "width"),
                        "width_jump",
                        f"{run.width} differs from the width of {where}, {width}; "
                        + ("runs of one stage share a width" if position else "add a downsample, e.g. irds_b"),
                    )
                width = run.width
                if run.name is not None and run.name in names | {"downsample"}:
                    refuse(
                        (index, position, "name"), "name_taken", f"{run.name!r} is taken in this stage; choose another"
                    )
                names.add(run.name or "")
        if problems:
            raise ValidationError.from_exception_data("ModelSpec", problems)
        return self


def part_schema(base: type[Any]) -> dict[str, Any]:
    """JSON Schema of any registered part of one family, told apart by its key."""
    options = []
    for name, part in sorted(base.registry.items()):
        schema = part.model_json_schema(ref_template="#/$defs/{model}")
        schema.pop("$defs", None)
        schema.pop("title", None)
        schema["properties"] = {
            base.key: {"const": name, "description": (part.__doc__ or "").strip().splitlines()[0]},
            **{key: value for key, value in schema["properties"].items() if key != base.key},
        }
        needs_key = base.key != "head"
        schema["required"] = [base.key] * needs_key + [key for key in schema.get("required", []) if key != base.key]
        options.append(schema)
    if base.key in ("downsample", "stem"):
        shorthand = [name for name, part in base.registry.items() if not _required(part)]
        options.append({"enum": sorted(shorthand), "description": "The same with every field at its default."})
    if base.key == "downsample":
        options.append({"type": "null"})
    return {"anyOf": options}


def _required(part: type[BaseModel]) -> list[str]:
    return [name for name, field in part.model_fields.items() if field.is_required()]


def json_schema(*, space: bool = False) -> dict[str, Any]:
    """JSON Schema of a spec file, or of a search space: the same with choices and ranges in it."""
    from .block import Downsample

    fields = {
        name: ModelSpec.model_json_schema()["properties"][name]
        for name in ("name", "description", "resolution", "in_channels", "drop_path_rate")
    }
    run = {"$ref": "#/$defs/block"}
    runs = {"type": "array", "items": run, "minItems": 1, "description": "Several runs in one stage."}
    stage = {"anyOf": [run, runs]}
    fields |= {
        "stem": {"$ref": "#/$defs/stem"},
        "stages": {"type": "array", "items": stage, "minItems": 1, "description": "One item is one stage."},
        "head": {"$ref": "#/$defs/head"},
        "extends": {"type": "string", "description": "A spec to start from: a path or a built-in name."},
        "set": {
            "type": "object",
            "description": "Values to change in what this spec extends, by dotted path: stages.3.depth: 12",
        },
    }
    parts = {base.key: part_schema(base) for base in (Block, Stem, Downsample, Head)}
    if space:
        fields = {name: _with_choices(schema) if name != "name" else schema for name, schema in fields.items()}
        parts = {name: _with_choices(schema) for name, schema in parts.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "hiri-spec search space" if space else "hiri-spec network",
        "type": "object",
        "properties": fields,
        "additionalProperties": False,
        "anyOf": [{"required": ["extends"]}, {"required": ["name", "stem", "stages"]}],
        "$defs": parts | ({"variation": VARIATION} if space else {}),
    }


VARIATION: dict[str, Any] = {
    "anyOf": [
        {
            "type": "object",
            "properties": {"choice": {"type": "array", "minItems": 1, "description": "One of these values."}},
            "required": ["choice"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {
                "range": {
                    "type": "array",
                    "items": {"type": "number"},
                    "minItems": 2,
                    "maxItems": 3,
                    "description": "[low, high] or [low, high, step]: any value from low to high.",
                }
            },
            "required": ["range"],
            "additionalProperties": False,
        },
    ]
}


def _with_choices(schema: Any) -> Any:
    """Allow a choice or a range wherever the schema takes a value; keys that name a part stay as they are."""
    if isinstance(schema, list):
        return [_with_choices(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {key: _with_choices(value) if key in ("anyOf", "items") else value for key, value in schema.items()}
    if "properties" in changed:
        changed["properties"] = {
            key: value if "const" in value else _with_choices(value) for key, value in changed["properties"].items()
        }
    if "const" in schema or ("enum" in schema and "type" not in schema and "anyOf" not in schema):
        return changed
    if schema.get("type") == "object" or schema.keys() == {"anyOf"}:
        return {"anyOf": [changed, {"$ref": "#/$defs/variation"}]} if "anyOf" in schema else changed
    return {"anyOf": [changed, {"$ref": "#/$defs/variation"}]}
