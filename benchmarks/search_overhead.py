"""What a trial of the search costs besides its evaluation: at 1,000 and 3,000 trials, and beside bare Optuna."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path

import optuna
from optuna.samplers import NSGAIISampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from explorer.budget import Budget
from explorer.names import DEFAULT_SAMPLER
from explorer.samplers.budgeted import BudgetedSampler
from explorer.search import search
from explorer.space import load_space

from .clock import Clock
from .timing import report

MANY = 3000
LIMITS_MS = {1000: 20.0, MANY: 40.0}
BESIDE = 500
ROUNDS = 3


def _search(trials: int, folder: Path, sampler: str = DEFAULT_SAMPLER) -> list[float]:
    """Milliseconds of each trial of a search whose evaluation, counting parameters, takes microseconds."""
    clock = Clock()
    search("5gflops", trials=trials, evaluator="params", sampler=sampler, out=folder / "run", watcher=clock)
    return [1e3 * (after - before) for before, after in pairwise([clock.began, *clock.times])]


def overhead_a_trial() -> bool:
    """Draw, fit, record and store 3,000 trials; the limits are for the trials up to a thousand, and for all."""
    with tempfile.TemporaryDirectory() as folder:
        each = _search(MANY, Path(folder))
    is_met = True
    for trials, limit in LIMITS_MS.items():
        mean, last = statistics.mean(each[:trials]), statistics.median(each[trials - 100 : trials])
        measured = f"{mean:.1f} ms (median of the last hundred {last:.1f})"
        what = f"search overhead a trial over {trials:,} trials"
        is_met &= report(what, measured, f"{limit:g} ms", max(mean, last) < limit)
    return is_met


def _bare(trials: int, folder: Path) -> list[float]:
    """The same sampler and kind of storage in Optuna's own loop: every parameter a write, nothing fitted."""
    storage = JournalStorage(JournalFileBackend(str(folder / "bare.journal")))
    return _ask_and_tell(storage, trials)


def _bare_in_memory(trials: int, folder: Path) -> list[float]:
    """The same without a disk: what drawing alone costs in Optuna."""
    return _ask_and_tell(None, trials)


def _ask_and_tell(storage: JournalStorage | None, trials: int) -> list[float]:
    distributions = BudgetedSampler(load_space(), Budget(5 * 10**9), 0).distributions
    sampler, rng = NSGAIISampler(population_size=24, seed=0), random.Random(0)
    study = optuna.create_study(storage=storage, sampler=sampler, directions=["maximize", "minimize"])
    times = []
    for _ in range(trials):
        began = time.perf_counter()
        trial = study.ask(dict(distributions))
        study.tell(trial, [rng.random(), rng.random()])
        times.append(1e3 * (time.perf_counter() - began))
    return times


def beside_bare_optuna() -> bool:
    """The search, and bare Optuna with the same sampler and storage, in turn in one run."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    ways: dict[str, Callable[[int, Path], list[float]]] = {
        "ours": partial(_search, sampler="nsga2"),
        "bare": _bare,
        "memory": _bare_in_memory,
    }
    medians: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            with tempfile.TemporaryDirectory() as folder:
                medians[name].append(statistics.mean(way(BESIDE, Path(folder))))
    ours, bare, memory = (statistics.median(values) for values in medians.values())
    measured = f"{ours - bare:+.1f} ms ({ours:.1f} to {bare:.1f}; drawing alone, in memory and unfitted, {memory:.1f})"
    return report(
        f"search over bare Optuna with NSGA-II and a journal, {BESIDE} trials", measured, "+1 ms", ours - bare <= 1
    )
