"""Does a network work under a head: one step of training and one prediction on generated images, timed."""

from __future__ import annotations

import math
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..nn.cuda import check_cuda
from ..schema import ModelSpec
from .assembly import assemble
from .data.shapes import draw
from .data.transform import as_floats
from .scenes import PixelClasses, Target
from .task import Task

IMAGES = 2
OBJECTS = 4
LEARNING_RATE = 1e-4


@dataclass(frozen=True, slots=True)
class Trial:
    """What one step of training and one prediction showed. `found` counts objects, or pixels that got a class.

    `device` is where it ran, `seconds` are by what was done. `peak_bytes` is the most memory that the process held, or
    on CUDA what torch did.
    """

    device: str
    strides: tuple[int, ...]
    left_out: tuple[int, ...]
    params: int
    losses: dict[str, float]
    seconds: dict[str, float]
    found: int
    peak_bytes: int

    @property
    def is_sound(self) -> bool:
        """Whether every loss is a number."""
        return all(math.isfinite(value) for value in self.losses.values())

    def as_dict(self) -> dict[str, Any]:
        """For JSON, which has no NaN."""
        return {
            "device": self.device,
            "strides": list(self.strides),
            "left_out": list(self.left_out),
            "params": self.params,
            "losses": {name: value if math.isfinite(value) else None for name, value in self.losses.items()},
            "seconds": self.seconds,
            "found": self.found,
            "peak_bytes": self.peak_bytes,
            "is_sound": self.is_sound,
        }


def try_task(
    origin: ModelSpec | str,
    task: Task,
    *,
    side: int = 256,
    device: str = "auto",
    seed: int = 0,
    tell: Callable[[str], None] = lambda _: None,
) -> Trial:
    """Build, learn for one step of AdamW from two generated images, and predict; `tell` hears what is being done.

    The images are `side` pixels high and of different widths; `device` is cpu, cuda, or auto: cuda where it is there.
    Raises SpecError for what can't be built, and where there is no such device.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda":
        check_cuda()
        torch.cuda.reset_peak_memory_stats()
    seconds: dict[str, float] = {}

    @contextmanager
    def timed(name: str) -> Iterator[None]:
        tell(name)
        began = time.perf_counter()
        yield
        if device == "cuda":
            torch.cuda.synchronize()
        seconds[name] = time.perf_counter() - began

    torch.manual_seed(seed)
    with timed("build"):
        model = assemble(origin, task).to(device)
    images, targets = draw_scenes(task, side, seed)
    images, targets = [image.to(device) for image in images], [target.to(device) for target in targets]
    optimizer = torch.optim.AdamW((each for each in model.parameters() if each.requires_grad), lr=LEARNING_RATE)
    model.train()
    with timed("forward"):
        losses = model(images, targets)
    with timed("backward"):
        sum(losses.values(), torch.zeros((), device=device)).backward()
    with timed("step"):
        optimizer.step()
    model.eval()
    with timed("prediction"), torch.no_grad():
        answers = model(images)
    return Trial(
        device=device,
        strides=model.maps.strides,
        left_out=model.maps.left_out,
        params=sum(parameter.numel() for parameter in model.parameters()),
        losses={name: float(value.detach()) for name, value in losses.items()},
        seconds=seconds,
        found=sum(each.classes.numel() if isinstance(each, PixelClasses) else len(each.boxes) for each in answers),
        peak_bytes=read_peak(device),
    )


def read_peak(device: str) -> int:
    """Bytes of memory: the most that torch took of a CUDA device, or that this process had resident."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # macOS tells bytes, Linux kibibytes


def draw_scenes(task: Task, side: int, seed: int) -> tuple[list[Tensor], list[Target]]:
    """Images of different widths with shapes drawn on them, and what is in them, of the task's first classes."""
    images: list[Tensor] = []
    targets: list[Target] = []
    for index in range(IMAGES):
        chance = np.random.default_rng((seed, index))
        scene = draw(side, side + index * (side // 8 + 1), chance, OBJECTS).to_scene(task.kind.kind, index)
        images.append(as_floats(scene.image))
        targets.append(_of_classes(scene.target, task.classes))
    return images, targets


def _of_classes(target: Target, classes: int) -> Target:
    """The same where a task has fewer classes than there are shapes."""
    if isinstance(target, PixelClasses):
        return PixelClasses(target.classes % classes)
    return replace(target, labels=target.labels % classes)
