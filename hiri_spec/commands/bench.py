"""`hiri-spec bench`: latency and throughput of networks in several modes, measured in turn, beside their MACs."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from ..command_line import JsonOption, console
from ..errors import Problem, SpecError, suggest
from ..quantities import parse_resolutions

if TYPE_CHECKING:
    from ..nn.bench import Limits, Profile, Settings, Subject

PLAIN_SECONDS = 10.0
PROFILE_TOP = 15


def bench(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NETWORK…",
            help="YAML files, built-in names, timm's names (timm:NAME where both have it); each may end in @SIZE.",
        ),
    ],
    resolution: Annotated[
        str | None,
        typer.Option("--resolution", "-r", metavar="SIZE", help="Image size of those without @SIZE; else their own."),
    ] = None,
    modes: Annotated[
        str | None,
        typer.Option(
            metavar="MODES",
            help="With commas between: eager, or any of fused, tuned, channels_last, compiled (a minute each), "
            "onnx, graph (CUDA) joined by +. By default all sensible ones but compiled.",
        ),
    ] = None,
    batch: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Images at once for the throughput; 0 leaves it out.")
    ] = None,
    device: Annotated[str, typer.Option(metavar="cpu|cuda", help="Where to run.")] = "cpu",
    dtype: Annotated[str, typer.Option(metavar="float32|bfloat16", help="Of weights and images.")] = "float32",
    threads: Annotated[int | None, typer.Option(metavar="N", min=1, help="Of torch and ONNX Runtime.")] = None,
    rounds: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Stop after so many; by default 20, within 60 s.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(metavar="S", min=0, help="Stop when these have gone, after three rounds or more.")
    ] = None,
    profile: Annotated[
        bool, typer.Option("--profile", help="Instead: where the time of one network goes, by operator.")
    ] = False,
    top: Annotated[int, typer.Option(metavar="N", min=1, help="Operators that --profile shows.")] = PROFILE_TOP,
    as_json: JsonOption = False,
) -> None:
    """Measure networks in turn in one run: latency at batch 1, throughput, ratios to the first, share of the peak.

    Status 1 if a mode fails or computes something else than the plain model.
    """
    asked = None if modes is None else [part.strip() for part in modes.split(",") if part.strip()]
    _check(names, device, dtype, asked, profile=profile)
    size = _read_size(resolution)
    # torch and timm take seconds to import: after the mistakes that can be told without them
    from ..nn.bench import Settings, read_subjects

    screen = Screen()
    subjects = read_subjects(names, size)
    for subject in subjects:
        if subject.note is not None:
            screen.noted(subject.note)
    settings = Settings(device, dtype, batch, threads, asked, _limits(rounds, seconds))
    if profile:
        _profile(subjects[0], settings, top, as_json)
    else:
        _measure(subjects, settings, screen, as_json)


def _check(names: list[str], device: str, dtype: str, asked: list[str] | None, *, profile: bool) -> None:
    for value, flag, options in ((device, "--device", ("cpu", "cuda")), (dtype, "--dtype", ("float32", "bfloat16"))):
        if value not in options:
            raise SpecError(Problem(f"{value!r} is none of {', '.join(options)}; {suggest(value, options)}", flag))
    if asked is not None and not asked:
        raise SpecError(Problem("names no mode; write them like eager,fused+channels_last", "--modes"))
    if profile and len(names) > 1:
        raise SpecError(Problem(f"one network at a time, not {len(names)}", "--profile"))


def _read_size(text: str | None) -> tuple[int, int] | None:
    sizes = [] if text is None else parse_resolutions(text)
    if len(sizes) > 1:
        raise SpecError(Problem("one size for all networks; give single ones theirs with NAME@SIZE", "--resolution"))
    return sizes[0] if sizes else None


def _limits(rounds: int | None, seconds: float | None) -> Limits:
    from ..nn.bench import Limits

    return Limits() if rounds is None and seconds is None else Limits(rounds, seconds)


def _measure(subjects: list[Subject], settings: Settings, screen: Screen, as_json: bool) -> None:
    from ..nn.bench import get_bench_info, run_bench
    from .bench_tables import latency_table, networks_table, tell_footer, tell_settings, throughput_table

    with screen:
        report = run_bench(subjects, settings, screen)
    info = get_bench_info(report)
    if as_json:
        sys.stdout.write(json.dumps(info.as_dict(), indent=2) + "\n")
    else:
        out = console()
        out.print(tell_settings(info), soft_wrap=True)
        out.print("", networks_table(info), "", latency_table(info), "", sep="\n")
        if report.batch:
            out.print(throughput_table(info), "", sep="\n")
        for line in tell_footer(info):
            out.print(line, style="dim", soft_wrap=True)
    failed = [(network.label, mode) for network in info.networks for mode in network.modes if mode.problem is not None]
    for label, mode in failed:
        sys.stderr.write(f"error: {label} {mode.mode}: {mode.problem}\n")
    if report.was_interrupted:
        sys.stderr.write(f"stopped after {len(report.kernels[0].seconds)} rounds\n")
        raise typer.Exit(130)
    if failed:
        raise typer.Exit(1)


def _profile(subject: Subject, settings: Settings, top: int, as_json: bool) -> None:
    from ..nn.bench import profile_network
    from .bench_tables import profile_table

    profiles: list[Profile] = []
    for name in settings.modes or ["eager"]:
        sys.stderr.write(f"profiling {subject.label} {name} …\n")
        profiles.append(profile_network(subject, name, settings=settings, top=top))
    if as_json:
        sys.stdout.write(json.dumps([each.as_dict() for each in profiles], indent=2) + "\n")
        return
    out = console()
    for each in profiles:
        out.print(profile_table(each))
        out.print()


class Screen:
    """Shows how it goes on stderr: a live line on a terminal, a line now and then elsewhere."""

    def __init__(self) -> None:
        self._console = console(stderr=True)
        self._live: Any = None
        self._last = float("-inf")

    def __enter__(self) -> Screen:
        if self._console.is_terminal:
            from rich.live import Live

            # no refreshing by a thread of its own, which would be measured too
            self._live = Live("", console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def noted(self, text: str) -> None:
        """Something about the run that its user should know."""
        self._console.print(f"note: {text}", soft_wrap=True, markup=False)

    def preparing(self, done: int, total: int, what: str) -> None:
        """A network is being made ready in one mode."""
        self._show(f"preparing {done + 1}/{total}: {what}")

    def timed(self, rounds: int, seconds_left: float) -> None:
        """So many rounds are done."""
        self._show(f"round {rounds} done, about {seconds_left:.0f} s left")

    def _show(self, line: str) -> None:
        if self._live is not None:
            self._live.update(escape(line), refresh=True)
        elif time.monotonic() - self._last > PLAIN_SECONDS:
            self._console.print(line, soft_wrap=True, markup=False)
            self._last = time.monotonic()
