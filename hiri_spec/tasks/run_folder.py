"""The folder of a run of detection or segmentation; see `hiri_spec.train.run_folder`. No torch is needed to read it."""

from __future__ import annotations

from typing import Any

from ..train.run_folder import RECIPE_NAME, Run, RunFolder
from .recipe import DenseRecipe
from .recipe_file import load_dense_recipe
from .task import Task


class DenseRun(Run):
    """What a run is: `resolution` is the shorter side of images in evaluation and the most that the longer one is."""

    task: Task

    @property
    def title(self) -> str:
        """Which head was trained on which network, and on what."""
        return f"{self.task.kind.title} on {self.network}, {self.data_name}"


class DenseRunFolder(RunFolder):
    """The folder of one run."""

    run_type = DenseRun

    def read_run(self) -> DenseRun:
        """What the run is; raises SpecError if there is none, or one of another kind."""
        run = super().read_run()
        assert isinstance(run, DenseRun)
        return run

    def read_recipe(self) -> DenseRecipe:
        """The recipe, with what the command line changed."""
        return load_dense_recipe(self.path / RECIPE_NAME)

    def identity(self, run: Run) -> dict[str, Any]:
        """What a run is known by, beside its spec and recipe."""
        task: dict[str, Any] = {}
        if isinstance(run, DenseRun):  # a default that is named is the same task
            own = run.task
            task = own.model_dump() | {"host": own.own_host, "regions": own.regions or own.kind.regions}
        return super().identity(run) | {f"task.{name}": value for name, value in task.items()}
