"""A trial that is over, as a search takes it from a study of Optuna's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from optuna.trial import FrozenTrial

from .journal import FACTS

FAILURE, STOPPED = "failure", "stopped"
"""The user attributes of a trial that say why it failed, or was not worth going on with."""
LATENCY = "latency_ms"
"""The user attribute of a trial whose network was timed."""


@dataclass(slots=True)
class Trial:
    """One evaluated network: its parameters' values, score and cost."""

    number: int
    params: dict[str, Any]
    score: float
    macs: int
    parameter_count: int
    seconds: float
    latency_ms: float | None = None
    reports: dict[int, float] = field(default_factory=dict)
    """Scores on the way, by step."""


@dataclass(slots=True)
class Hopeless:
    """A trial that was stopped before it had a score."""

    number: int
    params: dict[str, Any]
    reason: str
    reports: dict[int, float]


def read_hopeless(trial: FrozenTrial) -> Hopeless:
    """A trial that was stopped."""
    return Hopeless(trial.number, trial.params, trial.user_attrs.get(STOPPED, ""), trial.intermediate_values)


def read_trial(trial: FrozenTrial) -> Trial:
    """A finished trial, with what was noted of it."""
    attributes = trial.user_attrs
    macs, params, seconds = (attributes[name] for name in FACTS)
    reports, latency_ms = trial.intermediate_values, attributes.get(LATENCY)
    return Trial(trial.number, trial.params, trial.values[0], macs, params, seconds, latency_ms, reports)
