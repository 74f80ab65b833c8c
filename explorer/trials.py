"""A trial that is over, as a search takes it from a study of Optuna's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from .journal import FACTS
from .names import FAILURE, LATENCY, STOPPED


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
class Unscored:
    """A trial that is over without a score: it failed, or was stopped as it was not worth going on with."""

    number: int
    params: dict[str, Any]
    reason: str
    reports: dict[int, float]
    has_failed: bool


def read_unscored(trial: FrozenTrial) -> Unscored:
    """A trial that failed or was stopped."""
    has_failed = trial.state == TrialState.FAIL
    reason = str(trial.user_attrs.get(FAILURE if has_failed else STOPPED, ""))
    return Unscored(trial.number, trial.params, reason, trial.intermediate_values, has_failed)


def read_trial(trial: FrozenTrial) -> Trial:
    """A finished trial, with what was noted of it."""
    attributes = trial.user_attrs
    macs, params, seconds = (attributes[name] for name in FACTS)
    reports, latency_ms = trial.intermediate_values, attributes.get(LATENCY)
    return Trial(trial.number, trial.params, trial.values[0], macs, params, seconds, latency_ms, reports)
