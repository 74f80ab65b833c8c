"""The ways to run a network: a mode is a list of steps, each of which changes the module, the images or what runs it.

`eager` is no step at all; `fused+channels_last+compiled` is three. A further way is one more class in STEPS.
"""

from __future__ import annotations

import copy
import importlib.util
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn

from ...errors import Problem, SpecError, suggest
from ..backbone import Backbone
from ..cuda import record_graph
from ..fusion import fuse
from ..tuning import tune
from .models import Subject
from .onnx import NEEDED, run_in_onnxruntime

EAGER = "eager"
Call = Callable[[], Any]
ON_CPU = ("eager", "channels_last", "fused", "fused+channels_last", "tuned", "onnx")
ON_CUDA = (*ON_CPU[:5], "graph", "channels_last+graph", "fused+graph", "fused+channels_last+graph", "tuned+graph")


ISOLATED: dict[str, Any] = (
    {"isolate_recompiles": True} if "isolate_recompiles" in inspect.signature(torch.compile).parameters else {}
)
"""All specs' models share one `forward`, of which torch compiles eight variants and then no more: four models at two
batch sizes. A newer torch can count for each model by itself; with an older one, the fifth model's mode fails."""


class Step:
    """One change to how a network runs."""

    name: ClassVar[str]
    excludes: ClassVar[tuple[str, ...]] = ()
    specs_only: ClassVar[bool] = False
    runs_elsewhere: ClassVar[bool] = False
    """Whether something else than torch's own interpreter calls the operators."""

    def lack(self, device: torch.device, dtype: torch.dtype) -> str | None:
        """What it lacks on this machine, if anything."""
        return None

    def convert(self, module: nn.Module) -> nn.Module:
        """The module as it is run then; the given one is left as it is."""
        return module

    def fit(self, module: nn.Module, images: Tensor) -> nn.Module:
        """The module as it is run on images of one size and number."""
        return module

    def place(self, images: Tensor) -> Tensor:
        """The images as they are given to it then."""
        return images

    def bind(self, module: nn.Module, images: Tensor) -> Call:
        """A call that runs the module on the images once."""

        def run() -> Any:
            with torch.inference_mode():
                return module(images)

        return run


class Fused(Step):
    """Norms and branches folded into convolutions: `hiri_spec.nn.fusion`, for networks built from specs."""

    name = "fused"
    specs_only = True

    def convert(self, module: nn.Module) -> nn.Module:
        return fuse(cast(Backbone, module))


class Tuned(Step):
    """Each run in the layout and with the products that are fastest: `hiri_spec.nn.tuning`, for specs; fuses too."""

    name = "tuned"
    excludes = ("fused", "channels_last", "compiled", "onnx")
    specs_only = True

    def fit(self, module: nn.Module, images: Tensor) -> nn.Module:
        height, width = images.shape[-2:]
        return tune(cast(Backbone, module), resolution=(height, width), batch=len(images)).model


class ChannelsLast(Step):
    """Weights and images with a position's channels side by side."""

    name = "channels_last"

    def convert(self, module: nn.Module) -> nn.Module:
        return copy.deepcopy(module).to(memory_format=torch.channels_last)

    def place(self, images: Tensor) -> Tensor:
        return images.contiguous(memory_format=torch.channels_last)


class Compiled(Step):
    """torch.compile, as one graph for each shape."""

    name = "compiled"

    def convert(self, module: nn.Module) -> nn.Module:
        # frozen weights are packed for oneDNN once; on CUDA there is nothing to pack
        options: dict[str, Any] = {"freezing": next(module.parameters()).device.type == "cpu"}
        # fullgraph: without it, torch runs what it can't compile (or what it grew tired of compiling) eagerly, unsaid
        return cast(nn.Module, torch.compile(module, dynamic=False, fullgraph=True, options=options, **ISOLATED))


class Onnx(Step):
    """ONNX Runtime on the CPU, with as many threads as torch has."""

    name = "onnx"
    excludes = ("channels_last", "compiled", "graph")
    runs_elsewhere = True

    def lack(self, device: torch.device, dtype: torch.dtype) -> str | None:
        missing = [package for package in NEEDED if importlib.util.find_spec(package) is None]
        if missing:
            return f"onnx needs {', '.join(missing)}: pip install 'hiri-spec[export]'"
        if device.type != "cpu" or dtype != torch.float32:
            return "onnx is measured on the CPU in float32 only"
        return None

    def bind(self, module: nn.Module, images: Tensor) -> Call:
        return run_in_onnxruntime(module, images)


class Graph(Step):
    """All of a pass's launches recorded once as a CUDA graph."""

    name = "graph"
    excludes = ("onnx",)
    runs_elsewhere = True

    def lack(self, device: torch.device, dtype: torch.dtype) -> str | None:
        return None if device.type == "cuda" else "graph means CUDA graphs: it needs --device cuda"

    def bind(self, module: nn.Module, images: Tensor) -> Call:
        return record_graph(super().bind(module, images))


STEPS: dict[str, Step] = {step.name: step for step in (Fused(), Tuned(), ChannelsLast(), Compiled(), Onnx(), Graph())}
"""In the order in which they are taken."""


@dataclass(frozen=True, slots=True)
class Mode:
    """A way to run a network: its steps, in order; none is eager."""

    steps: tuple[Step, ...] = ()

    @property
    def name(self) -> str:
        """The steps with + between."""
        return "+".join(step.name for step in self.steps) or EAGER

    def lack(self, device: torch.device, dtype: torch.dtype) -> str | None:
        """What it lacks on this machine, if anything."""
        return next((lack for step in self.steps if (lack := step.lack(device, dtype)) is not None), None)

    @property
    def runs_elsewhere(self) -> bool:
        """Whether something else than torch's own interpreter calls the operators."""
        return any(step.runs_elsewhere for step in self.steps)

    def is_for(self, subject: Subject) -> bool:
        """Whether the network can be run so."""
        return subject.source == "spec" or not any(step.specs_only for step in self.steps)

    def convert(self, module: nn.Module) -> nn.Module:
        """The module as it is run in this mode; the given one is left as it is."""
        for step in self.steps:
            module = step.convert(module)
        return module

    def bind(self, module: nn.Module, images: Tensor) -> Call:
        """A call that takes nothing and runs a converted module once on the images."""
        for step in self.steps:
            module = step.fit(module, images)
            images = step.place(images)
        own = [step for step in self.steps if step.runs_elsewhere]
        return (own[-1] if own else Step()).bind(module, images)


def read_mode(text: str) -> Mode:
    """The mode that a name such as `fused+channels_last` stands for; raises SpecError for an unknown one."""
    names = text.replace("+", " ").split()
    for name in names:
        if name not in STEPS and name != EAGER:
            raise SpecError(Problem(f"{name!r} is no mode; {suggest(name, [*STEPS, EAGER])}", "--modes"))
    steps = tuple(step for step in STEPS.values() if step.name in names)
    for step in steps:
        for other in step.excludes:
            if other in names:
                raise SpecError(Problem(f"{step.name} and {other} don't go together; leave one out", "--modes"))
    if not names:
        raise SpecError(Problem(f"{text!r} names no mode; known: {', '.join((EAGER, *STEPS))}", "--modes"))
    return Mode(steps)


def choose_modes(
    asked: Sequence[str] | None, device: torch.device, dtype: torch.dtype
) -> tuple[list[Mode], dict[str, str]]:
    """The modes asked for or else the usual ones of a device, and which of the usual ones this machine lacks, with why.

    Raises SpecError where what was asked for can't be had.
    """
    usual = ON_CUDA if device.type == "cuda" else ON_CPU
    modes = list({mode.name: mode for mode in map(read_mode, usual if asked is None else asked)}.values())
    lacks = {mode.name: lack for mode in modes if (lack := mode.lack(device, dtype)) is not None}
    if asked is not None and lacks:
        raise SpecError(Problem(lack, "--modes", code="no_mode") for lack in dict.fromkeys(lacks.values()))
    return [mode for mode in modes if mode.name not in lacks], lacks
