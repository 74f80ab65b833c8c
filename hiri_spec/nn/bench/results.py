"""What was measured, and what it says: medians, ratios against the first network, shares of the peak, the flag."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ...cost import CONVENTION
from ..timing import Spread, compare, spread
from .models import Subject

FOLLOWS_WITHIN = 1.5
"""Time is said to follow MACs if its ratio to the first network departs from the MACs' by at most this factor."""


@dataclass(slots=True)
class Measured:
    """One network in one mode: seconds a call by number of images, a value a round; or why there is none."""

    mode: str
    is_offered: bool = True
    problem: str | None = None
    difference: float | None = None
    seconds: dict[int, list[float]] = field(default_factory=dict)


@dataclass(slots=True)
class KernelTimes:
    """Seconds a call of a dense product, a value a round."""

    name: str
    macs: int
    seconds: list[float]


@dataclass(slots=True)
class Report:
    """All that was measured in one run; `batch` is that of the throughput, 0 if it was left out."""

    settings: dict[str, Any]
    batch: int
    networks: list[tuple[Subject, list[Measured]]]
    kernels: list[KernelTimes]
    was_interrupted: bool = False


@dataclass(frozen=True, slots=True)
class ModeRow:
    """One network in one mode; ratios `of_first` are against the first network in the same mode."""

    mode: str
    is_offered: bool
    problem: str | None
    relative_difference: float | None
    latency_ms: Spread | None = None
    latency_of_first: Spread | None = None
    latency_of_eager: Spread | None = None
    macs_per_second: float | None = None
    share_of_peak: Spread | None = None
    images_per_second: Spread | None = None
    throughput_of_first: Spread | None = None
    rounds_ms: dict[int, list[float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NetworkRow:
    """One network; ratios `of_first` are best mode against the first network's best mode."""

    label: str
    name: str
    source: str
    resolution: tuple[int, int]
    params: int
    macs: int
    macs_of_first: float
    best_mode: str | None
    latency_of_first: Spread | None
    time_over_macs: float | None
    follows_macs: bool | None
    best_throughput_mode: str | None
    throughput_of_first: Spread | None
    modes: list[ModeRow]


@dataclass(frozen=True, slots=True)
class BenchInfo:
    """Everything that a report says, ready to be shown."""

    settings: dict[str, Any]
    peak_kernel: str
    peak_macs_per_second: float
    kernels_macs_per_second: dict[str, float]
    networks: list[NetworkRow]
    follows_macs_within: float = FOLLOWS_WITHIN

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"convention": CONVENTION} | asdict(self)


def get_bench_info(report: Report) -> BenchInfo:
    """Work out what a report says."""
    rates = {kernel.name: kernel.macs / spread(kernel.seconds).median for kernel in report.kernels}
    best = max(report.kernels, key=lambda kernel: rates[kernel.name])
    first, first_modes = report.networks[0]
    rows = []
    for subject, modes in report.networks:
        own, other = find_best(modes, 1), find_best(first_modes, 1)
        own_many, other_many = find_best(modes, report.batch), find_best(first_modes, report.batch)
        of_first = compare(own.seconds[1], other.seconds[1]) if own and other else None
        macs_of_first = subject.macs / first.macs
        over = None if of_first is None else of_first.median / macs_of_first
        rows.append(
            NetworkRow(
                subject.label,
                subject.name,
                subject.source,
                subject.resolution,
                subject.params,
                subject.macs,
                macs_of_first,
                own.mode if own else None,
                of_first,
                over,
                None if over is None else 1 / FOLLOWS_WITHIN <= over <= FOLLOWS_WITHIN,
                own_many.mode if own_many else None,
                _compare_speeds(own_many, other_many, report.batch),
                [_mode_row(subject, each, modes, first_modes, best, report.batch) for each in modes],
            )
        )
    return BenchInfo(report.settings, best.name, rates[best.name], rates, rows)


def find_best(modes: Sequence[Measured], images: int) -> Measured | None:
    """The mode of least median time for so many images, if any was timed."""
    timed = [each for each in modes if images in each.seconds]
    return min(timed, key=lambda each: spread(each.seconds[images]).median, default=None)


def _find(modes: Sequence[Measured], name: str) -> Measured | None:
    return next((each for each in modes if each.mode == name and each.seconds), None)


def _compare_speeds(own: Measured | None, other: Measured | None, images: int) -> Spread | None:
    return compare(other.seconds[images], own.seconds[images]) if own and other else None


def _mode_row(
    subject: Subject,
    own: Measured,
    modes: Sequence[Measured],
    first_modes: Sequence[Measured],
    kernel: KernelTimes,
    batch: int,
) -> ModeRow:
    if not own.seconds:
        return ModeRow(own.mode, own.is_offered, own.problem, own.difference)
    seconds = own.seconds[1]
    same, eager = _find(first_modes, own.mode), _find(modes, "eager")
    # both rates as MACs a second, round by round: (macs / seconds) / (kernel.macs / kernel.seconds)
    share = compare(kernel.seconds, seconds).scaled(subject.macs / kernel.macs)
    many = [batch / each for each in own.seconds[batch]] if batch else []
    return ModeRow(
        own.mode,
        own.is_offered,
        own.problem,
        own.difference,
        spread(seconds).scaled(1e3),
        compare(seconds, same.seconds[1]) if same else None,
        compare(seconds, eager.seconds[1]) if eager else None,
        subject.macs / spread(seconds).median,
        share,
        spread(many) if many else None,
        _compare_speeds(own, same, batch) if batch else None,
        {images: [1e3 * each for each in times] for images, times in own.seconds.items()},
    )
