"""Names of samplers, pruners, files and what a journal holds, for those that need not load Optuna."""

from __future__ import annotations

JOURNAL = "study.journal"
"""The file in the output folder that keeps the study."""
ACCOUNT = "search.json"
"""The file there that says what was asked for, and how it ended."""
SAMPLER_NAMES = ("tpe", "nsga2", "nsga3", "gp", "random")
DEFAULT_SAMPLER = "tpe"
DEFAULT_EVALUATOR = "synflow"
PRUNER_NAMES = ("median", "halving", "hyperband", "none")
DEFAULT_PRUNER = "median"
"""For evaluators that report on their way."""
STUDY = "search"
"""The name of the study in a journal; those of further evaluators are called `then 1`, `then 2`."""
DESCRIPTION = "search"
"""The user attribute of a study that says which search it belongs to."""
NETWORK = "network"
"""The user attribute of a trial that has its network's hash."""
ARCHITECTURE = "architecture"
"""That with its network in a few letters."""
LATENCY = "latency_ms"
"""That of a trial whose network was timed."""
ATTEMPTS = "attempts"
"""How often a trial was begun, which is noted of those that are written when they begin."""
FAILURE, STOPPED = "failure", "stopped"
"""Those that say why a trial failed, or was not worth going on with."""
