"""The whole measurement: build, convert, check against the plain module, then time everything in turn."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from ...errors import Problem, SpecError
from ..cuda import check_cuda, time_on_cuda
from ..threads import threads_set_to
from ..timing import Limits, interleave, time_call
from .agreement import DisagreementError, check_agreement, get_tolerance, settle_statistics
from .models import Subject, tell
from .modes import Mode, choose_modes
from .peak import make_kernels
from .results import KernelTimes, Measured, Report

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
DEFAULT_BATCH = {"cpu": 8, "cuda": 64}


@dataclass(frozen=True, slots=True)
class Settings:
    """How to measure; `batch` is for the throughput (None: by device; 0: none), `modes` by name (None: the usual)."""

    device: str = "cpu"
    dtype: str = "float32"
    batch: int | None = None
    threads: int | None = None
    modes: Sequence[str] | None = None
    limits: Limits = field(default_factory=Limits)


class Watcher(Protocol):
    """Told how a measurement goes."""

    def noted(self, text: str) -> None:
        """Something about the run that its user should know."""

    def preparing(self, done: int, total: int, what: str) -> None:
        """A network is being made ready in one mode."""

    def timed(self, rounds: int, seconds_left: float) -> None:
        """So many rounds are done, and the rest takes about so long."""


class Unseen:
    """A watcher that shows nothing."""

    def noted(self, text: str) -> None:
        pass

    def preparing(self, done: int, total: int, what: str) -> None:
        pass

    def timed(self, rounds: int, seconds_left: float) -> None:
        pass


def run_bench(subjects: Sequence[Subject], settings: Settings, watcher: Watcher | None = None) -> Report:
    """Measure networks in several modes, all in turn.

    A mode that fails, or computes something else than the plain module, has a `problem` in the report and no times.
    Raises SpecError for a device or a mode that isn't there, and where the plain module itself fails.
    """
    watcher = watcher or Unseen()
    if settings.device == "cuda":
        check_cuda()
    device, dtype = torch.device(settings.device), DTYPES[settings.dtype]
    batch = DEFAULT_BATCH[device.type] if settings.batch is None else settings.batch
    modes, lacks = choose_modes(settings.modes, device, dtype)
    for name, lack in lacks.items():
        watcher.noted(f"{name} is left out: {lack}")
    sizes = sorted({1, batch or 1})
    step = count()
    total = len(subjects) * (1 + len(modes))

    def progress(what: str) -> None:
        watcher.preparing(next(step), total, what)

    with threads_set_to(settings.threads):
        networks: list[tuple[Subject, list[Measured]]] = []
        calls: list[Callable[[], Any]] = []
        places: list[tuple[Measured, int]] = []
        for subject in subjects:
            bound = _prepare(subject, modes, sizes, device, dtype, progress)
            networks.append((subject, [measured for measured, _ in bound]))
            for measured, own in bound:
                calls += own.values()
                places += [(measured, size) for size in own]
        kernels = make_kernels(device, dtype)
        rounds = interleave(
            [*calls, *(kernel.call for kernel in kernels)],
            settings.limits,
            time_call=time_on_cuda if device.type == "cuda" else time_call,
            watch=watcher.timed,
        )
        for index, (measured, size) in enumerate(places):
            measured.seconds[size] = rounds.column(index)
        kernel_times = [
            KernelTimes(kernel.name, kernel.macs, rounds.column(len(places) + index))
            for index, kernel in enumerate(kernels)
        ]
        told = _tell_settings(device, settings.dtype, batch, len(rounds.rows))
    return Report(told, batch, networks, kernel_times, rounds.was_interrupted)


def _prepare(
    subject: Subject,
    modes: Sequence[Mode],
    sizes: Sequence[int],
    device: torch.device,
    dtype: torch.dtype,
    progress: Callable[[str], None],
) -> list[tuple[Measured, dict[int, Callable[[], Any]]]]:
    """What is measured of a network, with the calls by number of images for each mode that can be timed."""
    progress(f"{subject.label} itself")
    module = build_settled(subject, device, dtype)
    images: dict[int, torch.Tensor] = {}
    references: dict[int, torch.Tensor] = {}
    for size in sizes:
        with failures_told(f"{subject.label}, batch {size}"):
            images[size] = make_images(subject, size, device, dtype)
            references[size] = _run_plainly(subject, module, images[size])
    tolerance = get_tolerance(device, dtype)
    prepared = []
    for mode in modes:
        progress(f"{subject.label} {mode.name}")
        measured = Measured(mode.name)
        calls: dict[int, Callable[[], Any]] = {}
        prepared.append((measured, calls))
        if not mode.is_for(subject):
            measured.is_offered = False
            continue
        try:
            converted = mode.convert(module)
            own = {size: mode.bind(converted, images[size]) for size in sizes}
            measured.difference = max(check_agreement(own[size](), references[size], tolerance) for size in sizes)
            calls.update(own)
        except (DisagreementError, SpecError) as error:
            measured.problem = tell(error)
        except Exception as error:  # whatever torch, ONNX or a fuser raises is shown in this mode's place
            measured.problem = f"{type(error).__name__}: {tell(error)}"
    return prepared


def build_settled(subject: Subject, device: torch.device, dtype: torch.dtype) -> nn.Module:
    """The network in eval mode on a device, the same weights every time, batch norms with a batch's statistics."""
    torch.manual_seed(0)
    with failures_told(subject.label):
        module = subject.build().requires_grad_(requires_grad=False).to(device, dtype)
        settle_statistics(module, make_images(subject, 2, device, dtype))
    return module


@contextmanager
def failures_told(what: str) -> Iterator[None]:
    """Turn whatever torch raises in the middle of a network, want of memory above all, into a SpecError."""
    try:
        yield
    except SpecError:
        raise
    except Exception as error:
        raise SpecError(Problem(f"fails: {type(error).__name__}: {tell(error)}", what, code="failed")) from error


def make_images(subject: Subject, count: int, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    """Random images of the network's size, the same on every run."""
    generator = torch.Generator().manual_seed(count)
    return torch.randn(count, subject.channels, *subject.resolution, generator=generator).to(device, dtype)


def _run_plainly(subject: Subject, module: nn.Module, images: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        output = module(images)
    if not isinstance(output, torch.Tensor):
        raise SpecError(Problem("gives no single output; only classifiers are measured", subject.label))
    if not output.isfinite().all():
        raise SpecError(Problem("gives infinite or undefined scores; nothing can be held against them", subject.label))
    return output


def _tell_settings(device: torch.device, dtype: str, batch: int, rounds: int) -> dict[str, Any]:
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else read_cpu_name()
    return {
        "device": device.type,
        "device_name": name,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "dtype": dtype,
        "batch": batch,
        "rounds": rounds,
        "torch": torch.__version__,
    }


def read_cpu_name() -> str:
    """What the processor calls itself."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
