"""Names of samplers, pruners and files, for `--help` and checks that need not load Optuna."""

from __future__ import annotations

JOURNAL = "study.journal"
"""The file in the output folder that keeps the study."""
SAMPLER_NAMES = ("tpe", "nsga2", "nsga3", "gp", "random")
DEFAULT_SAMPLER = "tpe"
DEFAULT_EVALUATOR = "synflow"
PRUNER_NAMES = ("median", "halving", "hyperband", "none")
DEFAULT_PRUNER = "median"
"""For evaluators that report on their way."""
