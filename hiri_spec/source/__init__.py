"""A spec as one file of PyTorch source: text from the graph, without torch."""

from __future__ import annotations

from ..cost import MAX_MACS, MAX_OPERATIONS, MAX_PARAMS, check_affordable
from ..files import SpecLike, as_spec
from ..graph import Shapes
from ..network import segments, trace_part
from .classes import ClassWriter
from .library import imports, needed
from .naming import name_nested, name_network, name_parts
from .network import write_demo, write_header, write_network
from .templates import Templates

__all__ = ["to_source"]


def to_source(
    spec: SpecLike,
    *,
    class_name: str | None = None,
    max_params: float = MAX_PARAMS,
    max_macs: float = MAX_MACS,
    max_operations: float = MAX_OPERATIONS,
) -> str:
    """A spec as readable PyTorch source that imports nothing but torch; `class_name` is by default the spec's name.

    Its model takes the state dict of what `build` makes and gives the same output, bit for bit. Raises SpecError for a
    wrong spec, for one over a limit, as `build` does, and for a name that a class can't have.
    """
    from .. import __version__

    spec = as_spec(spec)
    check_affordable(spec, max_params=max_params, max_macs=max_macs, max_operations=max_operations)
    templates = Templates()
    shape: Shapes = (spec.in_channels, *spec.size)
    placed = []
    for segment in segments(spec):
        traced = trace_part(segment.part, shape, segment.channels)
        shape = traced.output_shape
        placed.append((segment, templates.add(segment.part, traced)))
    templates.add_nested()
    taken = name_parts(list(templates.parts.values()))
    name_nested(list(templates.nested.values()), templates, taken)
    name = name_network(spec, class_name, taken)
    classes = ClassWriter(templates)
    network = write_network(name, spec, placed, classes)
    body = "\n\n".join([*classes.texts, network, write_demo(name, spec)])
    text = "\n\n".join([*needed(body), body])
    return f"{write_header(name, spec, __version__)}\n{imports(text)}\n\n{text}"
