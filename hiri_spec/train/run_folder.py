"""The folder of a run: what lies where, what the run is, and whose folder it is. No torch is needed to read it.

spec.yaml          the network as it is trained (none for one of timm's)
recipe.yaml        the recipe, every field
run.json           network, data, classes, exact command, versions: see `Run`
metrics.csv        a row an epoch
losses.csv         a row a step
curves.png         loss, accuracy and learning rate over the epochs
README.md          the model card
last/  best/       weights after the last epoch, and after the one with the highest top-1 accuracy
last_ema/ best_ema/    the same of the moving average, if one is kept
checkpoints/       from which the same command goes on
logs/              of a tracker, if one is asked for
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..checkpoint_file import SPEC_NAME, WEIGHTS_NAME
from ..differences import as_text, compare
from ..errors import Problem, SpecError, show
from ..files import load
from ..saving import to_yaml, write_text
from ..schema import ModelSpec
from .plan import Plan
from .recipe_file import compare_recipes, load_recipe, recipe_yaml

RUN_NAME, RECIPE_NAME, METRICS_NAME, LOSSES_NAME = "run.json", "recipe.yaml", "metrics.csv", "losses.csv"
CURVES_NAME, CARD_NAME = "curves.png", "README.md"
CHECKPOINTS, LOGS = "checkpoints", "logs"
WEIGHTS = ("best", "last", "best_ema", "last_ema")
"""Folders of weights, the ones to use first before the others."""
OWN_FILES = (SPEC_NAME, RECIPE_NAME, RUN_NAME, METRICS_NAME, LOSSES_NAME, CURVES_NAME, CARD_NAME)
WITHIN = dict.fromkeys(WEIGHTS, (WEIGHTS_NAME, SPEC_NAME)) | {CHECKPOINTS: ("step-*.pt*",), LOGS: ("*",)}
"""The folders of a run, and what it writes into each."""
OWN_FOLDERS = tuple(WITHIN)


class Run(BaseModel):
    """What a run is and how it came about; `network` is a spec's name, or that of timm's model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    network: str
    source: Literal["spec", "timm"]
    classes: int
    """Scores that the network gives."""
    class_names: tuple[str, ...]
    """Names of the classes that the data have, in the order of scores."""
    resolution: tuple[int, int]
    in_channels: int
    data: str
    init_from: str | None
    command: str
    versions: dict[str, str]
    device: str
    processes: int
    status: Literal["running", "interrupted", "failed", "finished"] = "running"
    began: str
    ended: str | None = None
    epochs: Annotated[int, Field(ge=0)] = 0
    """Epochs finished."""

    @property
    def data_name(self) -> str:
        """What people call the data: a folder's own name, or the source."""
        return Path(self.data).resolve().name if Path(self.data).is_dir() else self.data

    @property
    def title(self) -> str:
        """What was trained on what."""
        return f"{self.network} on {self.data_name}"


class RunFolder:
    """The folder of one run; that of another kind of task has other fields in `run.json`, and other recipes."""

    run_type: type[Run] = Run

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoints = path / CHECKPOINTS
        self.logs = path / LOGS

    @property
    def holds_run(self) -> bool:
        """Whether a run has begun here."""
        return (self.path / RUN_NAME).is_file()

    def read_run(self) -> Run:
        """What the run is; raises SpecError if there is none, or one that can't be read."""
        path = self.path / RUN_NAME
        try:
            return self.run_type.model_validate_json(path.read_bytes())
        except ValidationError:
            self._refuse_other_kind(path)
            message = "was not written by hiri-spec train, or by one of another version; name another folder"
            raise SpecError(Problem(message, file=str(path), code="unreadable")) from None
        except OSError as error:
            message = f"cannot be read: {error.strerror or error}; a run's folder has one"
            raise SpecError(Problem(message, file=str(path), code="no_run")) from None

    def _refuse_other_kind(self, path: Path) -> None:
        """Raise SpecError for a run of another kind of task."""
        is_dense = b'"task":' in path.read_bytes()
        if is_dense != ("task" in self.run_type.model_fields):
            own, way = ("detection or segmentation", "hiri-spec tasks") if is_dense else ("classification", "hiri-spec")
            message = f"is of a run of {own}; use `{way} evaluate`, `predict` or `train`, or name another folder"
            raise SpecError(Problem(message, file=str(path), code="other_task"))

    def read_spec(self) -> ModelSpec:
        """The spec of the network, for a run of one."""
        return load(self.path / SPEC_NAME)

    def read_recipe(self) -> Any:
        """The recipe of this kind of task, with what the command line changed."""
        return load_recipe(self.path / RECIPE_NAME)

    def begin(self, run: Run, spec: ModelSpec | None, recipe: Plan) -> None:
        """Write down what a new run is; `run.json`, by which it is known, comes last.

        Raises SpecError if something lies here that such a run would write over.
        """
        texts = {RECIPE_NAME: recipe_yaml(recipe)} | ({} if spec is None else {SPEC_NAME: to_yaml(spec)})
        for name in OWN_FILES + OWN_FOLDERS:
            place = self.path / name
            # the very same text was left by a run that was killed in here
            if place.exists() and not (name in texts and place.read_text(errors="replace") == texts[name]):
                message = f"{self.path} holds {name}, which no run wrote; name another folder"
                raise SpecError(Problem(message, "--out", code="taken"))
        for name, text in texts.items():
            write_text(self.path / name, text)
        self.write_run(run)

    def write_run(self, run: Run) -> None:
        """Write `run.json` anew."""
        write_text(self.path / RUN_NAME, run.model_dump_json(indent=2) + "\n")

    @property
    def has_trained(self) -> bool:
        """Whether the run here got as far as the end of an epoch, or to a checkpoint that was damaged since."""
        return (self.path / METRICS_NAME).exists() or any(self.checkpoints.glob("*.damaged"))

    def identity(self, run: Run) -> dict[str, Any]:
        """What a run is known by, beside its spec and recipe."""
        return {name: getattr(run, name) for name in ("source", "network", "data", "class_names", "init_from")}

    def check_same(self, run: Run, spec: ModelSpec | None, recipe: Plan) -> None:
        """Refuse to go on with another network, recipe, data or start than the run here has; raises SpecError."""
        known = self.read_run()
        before, after = self.identity(known), self.identity(run)
        changes: list[tuple[str, Any, Any]] = [
            (name, before[name], after[name])
            for name in before
            if before[name] != after[name]
            and not (name in ("data", "init_from") and is_same_place(before[name], after[name]))
        ]
        if known.source == run.source == "spec" and spec is not None:
            changes += [(change.path, change.before, change.after) for change in compare(self.read_spec(), spec)]
        changes += compare_recipes(self.read_recipe(), recipe)
        if changes:
            told = "; ".join(f"{path} was {_told(before)}, is {_told(after)}" for path, before, after in changes)
            message = (
                f"{self.path} holds another run: {told}. Nothing there was changed; "
                "name another folder, repeat the old command, or begin anew there with --restart"
            )
            raise SpecError(Problem(message, "--out", code="other_run"))

    def clear(self) -> None:
        """Remove all that a run writes, `run.json` last, and nothing else; raises SpecError if that can't be.

        A tracker's folder goes whole: what it is called in there is the tracker's affair.
        """
        try:
            for name in OWN_FOLDERS:
                place = self.path / name
                for pattern in WITHIN[name]:
                    for own in place.glob(pattern):
                        shutil.rmtree(own) if own.is_dir() else own.unlink()
                if place.is_dir() and not any(place.iterdir()):
                    place.rmdir()
            for name in sorted(OWN_FILES, key=lambda name: name == RUN_NAME):
                (self.path / name).unlink(missing_ok=True)
        except OSError as error:
            message = f"{self.path} cannot be cleared: {error.strerror or error}; name another folder"
            raise SpecError(Problem(message, "--out", code="unwritable")) from None


def is_same_place(one: str | None, other: str | None) -> bool:
    """Whether two texts are paths to one file or folder that is there."""
    try:
        return one is not None and other is not None and Path(one).samefile(other)
    except (OSError, ValueError):  # no paths, or nothing there
        return False


def _told(value: Any) -> str:
    return show(value) if isinstance(value, tuple) else as_text(value)


@contextmanager
def told_way_on() -> Iterator[None]:
    """Where a file of a run can't be written, tell how the run goes on instead of asking for another place."""
    try:
        yield
    except SpecError as error:
        raise SpecError(
            replace(each, message=f"{each.message.partition(';')[0]}. Make room, and run the same command again")
            if each.code == "unwritable"
            else each
            for each in error.problems
        ) from error


def find_run_weights(path: Path) -> Path | None:
    """The weights to use of a run's folder, the network's own best, as evaluation takes them; None for no run's."""
    if not RunFolder(path).holds_run:
        return None
    return next((path / name for name in WEIGHTS if (path / name / WEIGHTS_NAME).is_file()), None)
