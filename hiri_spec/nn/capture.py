"""Model → program of torch.export, with batch, height and width left open; and where that fails."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, cast

import torch
from torch import nn
from torch.export import Dim, ExportedProgram
from torch.fx.experimental import _config as shapes_config

from ..quantities import SMALLEST_SIDE

Dynamic = Literal["size", "batch", "none"]
"""What a program leaves open: batch, height and width; the batch alone; or nothing."""

OPEN_SIZE = (1021, 1373)
"""Height and width shown to torch.export in place of any: not to fit a window, a stride or a grid by chance."""
OPEN_BATCH = 3


class ExporterError(Exception):
    """An exporter of torch's gave up: the module it was at, the reason in a line, and all that it said."""

    def __init__(self, place: str, reason: str, error: BaseException) -> None:
        self.place = place
        self.log = "".join(traceback.format_exception(error))
        super().__init__(reason)


class Sides(NamedTuple):
    """The smallest and the largest height or width that a program takes, in pixels; None for no limit."""

    smallest: int
    largest: int | None


def capture(model: nn.Module, channels: int, size: tuple[int, int], dynamic: Dynamic) -> ExportedProgram:
    """Trace a model by torch.export, for images of a size, which doesn't matter where sizes are left open.

    Raises ExporterError.
    """
    batch = 1 if dynamic == "none" else OPEN_BATCH
    image = torch.zeros(batch, channels, *(OPEN_SIZE if dynamic == "size" else size))
    dimensions = {"size": (0, 2, 3), "batch": (0,), "none": ()}[dynamic]
    try:
        # Without the two settings a program holds for images alike to the one shown: torch asks how tensors of its
        # sizes lie in memory, and takes the answer for good. (torch.onnx.export itself sets the first.)
        with cast(Any, shapes_config).patch(backed_size_oblivious=True):
            program = torch.export.export(
                model,
                (image,),
                dynamic_shapes=(dict.fromkeys(dimensions, Dim.DYNAMIC),),
                prefer_deferred_runtime_asserts_over_guards=True,
            )
    except Exception as error:
        raise ExporterError(find_place(model, error), reason_of(error), error) from error
    program.example_inputs = None  # a large image that would be saved along
    for module in program.graph_module.modules():
        for node in module.graph.nodes if isinstance(module, torch.fx.GraphModule) else ():
            node.meta.pop("stack_trace", None)  # names files of this machine
    return program


def read_sides(program: ExportedProgram) -> Sides:
    """The sides that a program of open sizes takes: any of ours, unless torch.export saw fit to limit them."""
    (image,) = (node for node in program.graph.nodes if node.name in program.graph_signature.user_inputs)
    limits = [program.range_constraints[side.node.expr] for side in image.meta["val"].shape[-2:]]
    largest = [int(limit.upper) for limit in limits if limit.upper.is_Integer]
    return Sides(max(SMALLEST_SIDE, *(int(limit.lower) for limit in limits)), min(largest, default=None))


def find_place(model: nn.Module, error: BaseException) -> str:
    """The innermost module whose code an error went through, by its path in the model; empty if there is none."""
    paths = {id(module): path for path, module in model.named_modules()}
    place = ""
    for each in causes(error):
        for frame, _ in traceback.walk_tb(each.__traceback__):
            place = paths.get(id(frame.f_locals.get("self")), "") or place
        if place:
            break
    return place


def reason_of(error: BaseException) -> str:
    """The first line of what an error says, or of what caused it if something did."""
    *_, deepest = causes(error)
    lines = [line.strip() for line in str(deepest).splitlines() if line.strip()]
    return lines[0] if lines else type(deepest).__name__


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error, what caused it, and so on."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__
