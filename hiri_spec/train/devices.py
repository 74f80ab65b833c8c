"""Where training runs: one device, or several processes with a device each."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState
from accelerate.utils import LoggerType, parse_flag_from_env
from torch import Tensor, nn

from ..errors import Problem, SpecError, suggest

DEVICES = ("auto", "cpu", "cuda")
TRACKERS = tuple(str(each) for each in LoggerType if each != LoggerType.ALL)

OTHER_WAYS = {"ACCELERATE_USE_FSDP": "FSDP", "ACCELERATE_USE_DEEPSPEED": "DeepSpeed"}
"""Settings of accelerate's launcher under which no process has the whole network, so that no average can be kept."""


def check_device(device: str, mixed_precision: str) -> None:
    """Refuse a device that isn't there, or that can't compute in a precision."""
    if device not in DEVICES:
        raise SpecError(Problem(f"{device!r} is none of {', '.join(DEVICES)}; {suggest(device, DEVICES)}", "--device"))
    has_cuda = torch.cuda.is_available()
    if device == "cuda" and not has_cuda:
        raise SpecError(Problem("there is no CUDA device here; leave it out, or use cpu", "--device", code="no_device"))
    if mixed_precision == "fp16" and (device == "cpu" or not has_cuda):
        message = "fp16 needs a CUDA device; use bf16 or no"
        raise SpecError(Problem(message, "mixed_precision", code="no_device"))


def check_tracker(tracker: str | None) -> None:
    """Refuse a tracker that accelerate doesn't know or that isn't installed."""
    if tracker is None:
        return
    from accelerate.tracking import get_available_trackers

    if tracker not in TRACKERS:
        message = f"accelerate knows no tracker {tracker!r}; {suggest(tracker, TRACKERS)}"
        raise SpecError(Problem(message, "--tracker"))
    if tracker not in [str(each) for each in get_available_trackers()]:
        raise SpecError(Problem(f"{tracker} is not installed; pip install {tracker}", "--tracker", code="missing"))


def check_launcher() -> None:
    """Refuse the settings of OTHER_WAYS."""
    for name, what in OTHER_WAYS.items():
        if parse_flag_from_env(name):
            message = f"{name} asks accelerate for {what}, and networks are not cut up here; start it by torchrun alone"
            raise SpecError(Problem(message, name, code="no_device"))


def is_on_cpu(device: str) -> bool:
    """Whether one of DEVICES is the CPU here."""
    return device == "cpu" or not torch.cuda.is_available()


@contextmanager
def opened_accelerator(
    device: str, *, mixed_precision: str, accumulate: int, tracker: str | None, logs: str
) -> Iterator[Accelerator]:
    """accelerate's object for this process; torchrun's environment makes it one of several.

    Raises SpecError under the settings of OTHER_WAYS.
    """
    check_launcher()
    is_distributed = int(os.environ.get("WORLD_SIZE", "1")) > 1
    accelerator = Accelerator(
        cpu=is_on_cpu(device),
        mixed_precision=mixed_precision,
        gradient_accumulation_steps=accumulate,
        log_with=tracker,
        project_dir=logs if tracker is not None else None,
    )
    try:
        with warnings.catch_warnings():
            # depthwise convolutions on the CPU; their gradients are copied, and no slower for it
            warnings.filterwarnings("ignore", message="Grad strides do not match bucket view strides")
            yield accelerator
    finally:
        accelerator.free_memory()
        if not is_distributed:
            # accelerate keeps device and precision for all that the process does later
            AcceleratorState._reset_state(reset_partial_state=True)
            GradientState._reset_state()


def average_buffers(model: nn.Module, accelerator: Accelerator) -> None:
    """Give the buffers that training changes, batch norm's statistics, the mean of all processes, in one exchange.

    Norms in eval mode, frozen ones, keep theirs, which are the same everywhere and stay so to the last bit.
    """
    if accelerator.num_processes == 1:
        return
    buffers = [buffer for buffer in _changing_buffers(model) if buffer.is_floating_point()]
    if buffers:
        joined: Any = torch.cat([buffer.reshape(-1) for buffer in buffers])
        means = accelerator.reduce(joined, reduction="mean").split([buffer.numel() for buffer in buffers])
        for buffer, mean in zip(buffers, means, strict=True):
            buffer.copy_(mean.view_as(buffer))


def _changing_buffers(model: nn.Module) -> Iterator[Tensor]:
    for module in model.modules():
        if module.training:
            yield from module.buffers(recurse=False)
