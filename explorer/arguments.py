"""What a search is asked for: each argument read and checked, whether typed on a command line or written in Python."""

from __future__ import annotations

import hashlib
import operator
import os
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from hiri_spec import ModelSpec, SpecError
from hiri_spec.errors import Problem, show, suggest
from hiri_spec.quantities import format_resolution, parse_resolutions, parse_seconds

from .budget import Budget
from .names import DEFAULT_EVALUATOR
from .space import DEFAULT_SPACE, Space

OBJECTIVES = ("pareto", "score", "latency")
DEVICES = ("cpu", "cuda")
MOST_DIGITS = 18
"""Of a seed: what every random generator takes."""
MOST_TRIALS = 1_000_000_000
"""Of a search: more than any is given time for."""
MOST_WORKERS = 1024
"""Processes of one machine."""
MOST_LETTERS = 40
"""Of an evaluator's place, in the name of a folder."""


def read_trials(value: Any) -> int:
    """A number of trials; raises SpecError for anything but a whole number from 1 to MOST_TRIALS."""
    number = _whole(value)
    if number is None:
        raise SpecError(Problem(f"{show(value)} is no number of trials; give a whole number, like 300", "--trials"))
    if number < 1:
        raise SpecError(Problem(f"{number} trials are too few; ask for 1 or more", "--trials"))
    if number > MOST_TRIALS:
        raise SpecError(Problem(f"{show(number)} trials are too many; ask for at most {MOST_TRIALS:,}", "--trials"))
    return number


def read_workers(value: Any) -> int:
    """A number of processes; raises SpecError for anything but a whole number from 1 to MOST_WORKERS."""
    number = _whole(value)
    if number is None or not 1 <= number <= MOST_WORKERS:
        message = f"{show(value)} is no number of workers; give a whole number from 1 to {MOST_WORKERS}, like 2"
        raise SpecError(Problem(message, "--workers"))
    return number


def read_seed(value: Any) -> int:
    """A seed; raises SpecError for anything but a whole number that every generator takes."""
    number = _whole(value)
    if number is None:
        raise SpecError(Problem(f"{show(value)} is no seed; give a whole number, like 0", "--seed"))
    if abs(number) >= 10**MOST_DIGITS:
        raise SpecError(Problem(f"{show(value)} is too long for a seed; use at most {MOST_DIGITS} digits", "--seed"))
    return number


def read_stages(value: Any) -> list[int] | None:
    """Numbers of stages: 5, "4,5" or [4, 5]; None for all. Raises SpecError for anything else."""
    if value is None:
        return None
    if isinstance(value, str):
        parts: list[Any] = [
            int(part) if re.fullmatch(r"\s*[0-9]{1,4}\s*", part, re.ASCII) else None for part in value.split(",")
        ]
    elif isinstance(value, Iterable) and not isinstance(value, Mapping):
        parts = [_whole(part) for part in value]
    else:
        parts = [_whole(value)]
    if not parts or any(part is None or part < 1 for part in parts):
        raise SpecError(Problem(f"{show(value)} are no numbers of stages; write them like 4,5,6", "--stages"))
    return sorted({*parts})


def read_size(resolution: Any) -> tuple[int, int] | None:
    """An image size: 448, "512x1024" or (512, 1024); None for the space's own. Raises SpecError for anything else."""
    if resolution is None:
        return None
    if isinstance(resolution, tuple | list):
        sides = [_whole(side) for side in resolution]
        if len(sides) != 2 or sides[0] is None or sides[1] is None:
            raise SpecError(Problem(f"{resolution!r} is no image size; give (height, width)", "--resolution"))
        return sides[0], sides[1]
    sizes = parse_resolutions(str(resolution))
    if len(sizes) != 1:
        raise SpecError(Problem("a search has one image size; give one", "--resolution"))
    return sizes[0]


def read_one_of(value: Any, options: Collection[str], flag: str) -> str:
    """One of some names; raises SpecError for anything else."""
    if value not in options:
        raise SpecError(Problem(f"unknown {flag.lstrip('-')} {show(value)}; {suggest(value, options)}", flag))
    return str(value)


def read_limit_ms(value: Any) -> float:
    """A time like "20ms", in milliseconds; raises SpecError for a number without a unit, which may mean either."""
    text = str(value)
    if re.fullmatch(r"[0-9.e+-]*", text.strip()):
        raise SpecError(Problem(f"{show(value)} has no unit; write {text or 20}ms or {text or 20}s", "--max-latency"))
    return 1e3 * parse_seconds(text, "--max-latency")


def read_changes(value: Any) -> dict[str, Any]:
    """Changes by dotted path; raises SpecError for anything but a mapping from text."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        message = f"{show(value)} sets nothing; give a mapping from dotted paths, like {{'stem.width': 32}}"
        raise SpecError(Problem(message, "--set"))
    return dict(value)


def read_place(value: Any, flag: str, example: str) -> Path | None:
    """A file or a folder; None for the default. Raises SpecError for what can't be one, an empty text above all."""
    if value is None:
        return None
    if not isinstance(value, str | os.PathLike) or not os.fspath(value) or "\0" in str(value):
        raise SpecError(Problem(f"{show(value)} is no path; give one, like {example}", flag))
    return Path(value)


def _whole(value: Any) -> int | None:
    """A whole number as an int, numpy's too; None for anything else, True and 2.0 among it."""
    if isinstance(value, bool):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def size_of(space: Space) -> tuple[int, int]:
    """Height and width of a space's images."""
    node = space.top.get("resolution")
    side = getattr(node, "value", None)
    if isinstance(side, int):
        return side, side
    items = getattr(node, "items", None)
    if isinstance(items, list):
        height, width = (item.value for item in items)
        return height, width
    default: int = ModelSpec.model_fields["resolution"].default
    return default, default


def default_folder(
    space: Space,
    budget: Budget,
    size: tuple[int, int],
    objective: str,
    evaluator: str,
    seed: int,
    unusual: Iterable[str] = (),
) -> Path:
    """A name for each search, so that the same command finds its own study again and no other's."""
    parts = [Path(space.file).stem, f"{_exactly(budget.macs, 9)}gmacs", format_resolution(size)]
    if budget.max_params is not None:
        parts.append(f"{_exactly(budget.max_params, 6)}mparams")
    parts += [
        name
        for name, default in ((objective, "pareto"), (_in_file_name(evaluator), DEFAULT_EVALUATOR))
        if name != default
    ]
    parts += unusual
    if seed:
        parts.append(f"seed{seed}")
    if Path(space.file).resolve() != DEFAULT_SPACE.resolve() or space.is_changed:
        parts.append(space.fingerprint[:6])
    return Path("runs") / "-".join(parts)


def _in_file_name(evaluator: str) -> str:
    """An evaluator's name; of a user's own, what a file name can hold of its place, and a hash of the whole."""
    if ":" not in evaluator:
        return evaluator
    plain = re.sub(r"[^A-Za-z0-9_.]+", "_", evaluator)[-MOST_LETTERS:]
    return f"{plain}-{hashlib.sha256(evaluator.encode()).hexdigest()[:6]}"


def _exactly(amount: int, digits: int) -> str:
    """An amount in units of ten to the power of `digits`, not rounded: two budgets never share a name."""
    whole, rest = divmod(amount, 10**digits)
    return f"{whole}.{rest:0{digits}}".rstrip("0").rstrip(".")
