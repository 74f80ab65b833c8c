"""What is measured for `explorer.trust`: arguments read, networks drawn, missing values measured into a folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hiri_spec import SpecError
from hiri_spec.errors import Problem, show
from hiri_spec.files import write_text
from hiri_spec.locking import locked_folder
from hiri_spec.quantities import format_resolution, parse_macs, parse_seconds

from ..arguments import default_folder, read_place, read_seed, read_size, read_workers, size_of
from ..budget import Budget, check_possible
from ..evaluators import UNTRAINED, Chosen, choose
from ..names import DEFAULT_EVALUATOR
from ..space import load_space
from .measuring import list_wanted, measure_all
from .progress import Screen
from .sample import sample_networks
from .table import TABLE, Measurements, TableFile, read_table

SETTINGS = "trust.json"
"""The file that says which networks the table beside it is of."""
FEWEST = 3
"""Networks of which a ranking can be spoken."""


def read_measurements(path: Path) -> Measurements:
    """The measurements of a table, or of the one in a folder; raises SpecError."""
    return read_table(path / TABLE if path.is_dir() else path)[0]


def measure(
    budget: str | float | None,
    data: str | None,
    *,
    space: str | None,
    resolution: Any,
    window: float,
    networks: str,
    seeds: int,
    repeated: int | None,
    epochs: int | None,
    recipe: str | None,
    scores: str | None,
    set: Mapping[str, Any],
    seed: int,
    workers: int,
    trial_timeout: str | None,
    out: Path | None,
    screen: Screen,
) -> Measurements:
    """Draw networks, measure what the folder's table lacks, and return the table.

    Raises SpecError for wrong arguments, a folder of other networks, and what ends the measuring early.
    """
    for flag, value in (("--budget", budget), ("--data", data)):
        if value is None:
            raise SpecError(Problem(f"is needed, unless you read an old table by --table; give {flag}", flag))
    if not 0 < window < 1:
        raise SpecError(Problem(f"{show(window)} is no share below the budget; give one like 0.05", "--window"))
    if networks != "all" and not networks.isdecimal():
        raise SpecError(Problem(f"{show(networks)} is no number of networks; give one, like 40, or all", "--networks"))
    count = None if networks == "all" else int(networks)
    if count is not None and count < FEWEST:
        raise SpecError(Problem(f"{count} networks are too few to rank; ask for {FEWEST} or more", "--networks"))
    limits, seed, workers = Budget(parse_macs(str(budget)), None, 1 - window), read_seed(seed), read_workers(workers)
    timeout_s = None if trial_timeout is None else parse_seconds(trial_timeout)
    training = choose("train", {"data": data, "epochs": epochs, "recipe": recipe})
    untrained = [choose(name) for name in _read_scores(scores)]
    opened = load_space(read_place(space, "--space", "space.yaml"), resolution=read_size(resolution), set=set)
    check_possible(opened, limits)
    sampled = sample_networks(opened, limits, count, seed)
    size = size_of(opened)
    folder = (
        out or Path("runs") / f"trust-{default_folder(opened, limits, size, 'pareto', DEFAULT_EVALUATOR, seed).name}"
    )
    settings = {
        "space": f"{Path(opened.file).name} {opened.fingerprint}",
        "budget": limits.macs,
        "window": window,
        "resolution": format_resolution(size),
        "seed": seed,
    }
    specs = {name: candidate.spec for name, candidate in sampled.items()}
    order = {name: place for place, name in enumerate(specs)}
    often = len(specs) if repeated is None else repeated
    all_seeds = {name: seeds if order[name] < often else 1 for name in specs}
    once = dict.fromkeys(specs, 1)
    with locked_folder(folder, "measuring"):
        _claim(folder, settings)
        table = TableFile(folder / TABLE)
        plan: list[tuple[Chosen, Mapping[str, int]]] = [*((each, once) for each in untrained), (training, all_seeds)]
        screen.opened(len(specs), limits, folder)
        for chosen, wanted_seeds in plan:
            wanted = list_wanted(table, chosen.label, specs, wanted_seeds)
            if not wanted:
                continue
            screen.began(chosen, len(wanted))
            measure_all(
                chosen,
                wanted,
                table,
                workers=workers,
                timeout_s=timeout_s,
                measured=screen.measured,
                failed=screen.failed,
            )
        screen.close()
    # the folder may hold more: what was asked for before, of more networks or by other scores
    return table.measurements.only(specs, [chosen.label for chosen, _ in plan])


def _read_scores(text: str | None) -> tuple[str, ...]:
    if text is None:
        return UNTRAINED
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    if not names:
        raise SpecError(Problem(f"names no score; give some of {', '.join(UNTRAINED)}", "--scores"))
    return names


def _claim(folder: Path, settings: Mapping[str, Any]) -> None:
    """Note which networks the folder is about; raises SpecError if it is about others."""
    file = folder / SETTINGS
    if not file.exists():
        write_text(file, json.dumps(settings, indent=2) + "\n")
        return
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SpecError(Problem(f"cannot be read: {error}; name another --out", file=str(file))) from None
    differences = [
        f"{key} was {known.get(key)}, is {value}" for key, value in settings.items() if known.get(key) != value
    ]
    if differences:
        message = f"{folder} holds other networks: {'; '.join(differences)}. Nothing there was changed; name another"
        raise SpecError(Problem(message, "--out", code="other"))
