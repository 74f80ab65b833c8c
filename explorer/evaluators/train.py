"""top-1 %: how many held-out images are right after a short training on --data (needs it; --epochs, --recipe)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hiri_spec import ModelSpec, save
from hiri_spec.train import train
from hiri_spec.train.data import open_dataset
from hiri_spec.train.recipe_file import load_recipe, recipe_for
from hiri_spec.train.watcher import Watcher

SETTINGS = {"data": True, "epochs": False, "recipe": False}
REPORTS = True

SMALLEST = 32, 32

Report = Callable[[int, float], None]


class _Reporting(Watcher):
    """Tells the accuracy after each epoch but the last, which is the score."""

    def __init__(self, report: Report, epochs: int) -> None:
        self._report, self._epochs = report, epochs

    def epoch_ended(self, row: dict[str, Any]) -> None:
        """Tell it; whoever is told may raise, which ends the training."""
        if row["epoch"] < self._epochs:
            self._report(row["epoch"], row["top1"])


class Train:
    """The top-1 accuracy, in per cent, of the network after the last epoch, at the image size of the search.

    It is trained by the recipe that `hiri-spec train` would take, plainly: no average is kept, as in so short a time
    none is of use. Warm-up is cut to the epochs there are. What a run leaves is thrown away. It reports after each
    epoch, so that a pruner can stop it.
    """

    def __init__(self, data: str, epochs: int | None = None, recipe: str | None = None) -> None:
        """Raises SpecError for data or a recipe that can't be used."""
        self._data = data
        self._recipe = recipe or recipe_for(data)
        changes = {} if epochs is None else {"epochs": epochs}
        own = load_recipe(self._recipe, set=changes | {"schedule.warmup_epochs": 0})
        known = load_recipe(self._recipe).schedule.warmup_epochs
        self._changes: dict[str, Any] = {
            "distillation.distillation": "none",
            "schedule.warmup_epochs": min(known, max(0, own.epochs - 1)),
        }
        self._epochs = own.epochs
        for split in ("train", "validation"):
            open_dataset(data, split, resolution=SMALLEST)

    def __call__(self, spec: ModelSpec, seed: int, report: Report | None = None) -> float:
        """Train and evaluate; raises SpecError if the loss ceases to be a number."""
        with TemporaryDirectory(prefix="explorer-train-") as name:
            folder = Path(name)
            save(spec, folder / "spec.yaml")
            flags = {"epochs": self._epochs, "seed": seed}
            result = train(
                str(folder / "spec.yaml"),
                self._data,
                recipe=self._recipe,
                set=self._changes,
                flags=flags,
                out=folder / "run",
                workers=0,
                watcher=None if report is None else _Reporting(report, self._epochs),
            )
            accuracy: float = result.rows[-1]["top1"]
            return accuracy
