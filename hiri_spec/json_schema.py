"""The JSON Schema with which editors check and complete specs and search spaces."""

from __future__ import annotations

import keyword
from typing import Any

from pydantic import BaseModel

from .block import RESERVED_NAMES, Block, Downsample, Head, Stem
from .quantities import MAX_NAME
from .schema import ModelSpec


def part_schema(base: type[Any]) -> dict[str, Any]:
    """JSON Schema of any registered part of one family, told apart by its key."""
    options = []
    for name, part in sorted(base.registry.items()):
        schema = part.model_json_schema(ref_template="#/$defs/{model}")
        schema.pop("$defs", None)
        schema.pop("title", None)
        schema["properties"] = {
            base.key: {"const": name, "description": (part.__doc__ or "").strip().splitlines()[0]},
            **{key: _refer(value) for key, value in schema["properties"].items() if key != base.key},
        }
        needs_key = base.key != "head"
        schema["required"] = [base.key] * needs_key + [key for key in schema.get("required", []) if key != base.key]
        options.append(schema)
    if base is not Block:
        shorthand = [name for name, part in base.registry.items() if not _required(part)]
        options.append({"enum": sorted(shorthand), "description": "The same with every field at its default."})
    if base.key == "downsample":
        options.append({"type": "null"})
    return {"anyOf": options}


def _refer(schema: dict[str, Any]) -> dict[str, Any]:
    """Point at the definition of a part; Pydantic refuses a reference to what it did not define itself."""
    if "anyOf" in schema:
        schema = {**schema, "anyOf": [_refer(option) for option in schema["anyOf"]]}
    if "part" not in schema:
        return schema
    described = {"description": schema["description"]} if "description" in schema else {}
    return {"$ref": f"#/$defs/{schema['part']}"} | described


def _required(part: type[BaseModel]) -> list[str]:
    return [name for name, field in part.model_fields.items() if field.is_required()]


def json_schema(*, space: bool = False) -> dict[str, Any]:
    """JSON Schema of a spec file, or of a search space: the same with choices and ranges in it."""
    own = ModelSpec.model_json_schema()["properties"]
    fields = {name: own[name] for name in ("name", "description", "resolution", "in_channels", "drop_path_rate")}
    run = {"$ref": "#/$defs/block"}
    runs = {"type": "array", "items": run, "minItems": 1, "description": "Several runs in one stage."}
    stage = {"anyOf": [run, runs]}
    fields |= {
        "stem": {"$ref": "#/$defs/stem", "description": "What turns the image into the first feature map."},
        "stages": {"type": "array", "items": stage, "minItems": 1, "description": "One item is one stage."},
        "head": {"$ref": "#/$defs/head", "description": "What turns the last feature map into scores."},
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
        "$defs": {"run_name": RUN_NAME} | parts | ({"variation": VARIATION} if space else {}),
    }


RUN_NAME: dict[str, Any] = {
    "type": "string",
    "pattern": r"^[a-z][a-z0-9_]*$",
    "maxLength": MAX_NAME,
    "not": {"enum": sorted({*RESERVED_NAMES, *keyword.kwlist})},
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
