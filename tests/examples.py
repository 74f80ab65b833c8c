"""Examples of every registered part, with each of its fields varied, found by looking at the registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from hiri_spec.block import Block, Downsample, Head, Part, Stem
from hiri_spec.blocks.classifier import Classifier
from hiri_spec.schema import ModelSpec

FAMILIES: tuple[type[Part], ...] = (Block, Stem, Downsample, Head)
REQUIRED = {"depth": 1, "width": 24, "heads": 3, "streams": 3}
VARIED: dict[str, tuple[Any, ...]] = {
    "expansion": (2, 2.5),
    "kernel": (1, 5),
    "reduction": (2, 3),
    "layer_scale": (1e-5,),
    "drop_rate": (0.5,),
    "classes": (7,),
    "heads": (1, 12),
    "pool": (3,),
    "window": (4,),
}
assert ModelSpec  # importing the schema registers every part


def part_examples() -> Iterator[tuple[str, Part]]:
    """Each part with the defaults, then with one field varied at a time, under a readable id."""
    for family in FAMILIES:
        for name, part in sorted(family.registry.items()):
            required = {key: REQUIRED[key] for key, field in part.model_fields.items() if field.is_required()}
            yield name, part(**required)
            for key, field in part.model_fields.items():
                if key == family.key:
                    continue
                is_literal = get_origin(field.annotation) is Literal
                options = get_args(field.annotation) if is_literal else VARIED.get(key, ())
                for value in options:
                    if value != field.default:
                        yield f"{name}-{key}={value}", part(**{**required, key: value})
    yield "classifier-pool_first", Classifier(norm="layer", pool_first=True)


EXAMPLES = list(part_examples())
IDS = [name for name, _ in EXAMPLES]


def input_shape(part: Part, height: int, width: int) -> tuple[int, int, int]:
    """A shape that a part takes: an image for a stem, its own width for a block, 24 channels for the rest."""
    channels = 3 if isinstance(part, Stem) else part.width if isinstance(part, Block) else 24
    return channels, height, width


def input_shapes(part: Part, height: int, width: int) -> tuple[tuple[int, int, int], ...]:
    """The shapes that a part takes: one, or that of each stream, each half the size of the one before."""
    channels, height, width = input_shape(part, height, width)
    count = getattr(part, "streams", 2) if part.takes_streams else 1
    return tuple((channels * 2**i, -(-height // 2**i), -(-width // 2**i)) for i in range(count))


def output_channels(part: Part) -> int | None:
    """The width that a stem or a downsampling is told to give."""
    return 16 if isinstance(part, Stem | Downsample) else None
