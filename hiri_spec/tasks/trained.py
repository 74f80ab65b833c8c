"""Trained detectors and segmenters, found again: of a run's folder, or of a weights file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ..checkpoint_file import WEIGHTS_NAME
from ..errors import Problem, SpecError
from ..nn.load import load_weights
from ..train.run_folder import WEIGHTS
from ..train.trained import find_trained
from .assembly import assemble
from .model import DenseModel
from .recipe import Images
from .run_folder import DenseRunFolder
from .weights import DenseBelongings, read_belongings


@dataclass(frozen=True, slots=True)
class TrainedDense:
    """A trained detector or segmenter, in eval mode, and what belongs to it; `data` is its run's, if that is known."""

    model: DenseModel
    weights: Path
    belongings: DenseBelongings
    data: str | None = None

    @property
    def name(self) -> str:
        """What it is: a head on a network."""
        return f"{self.belongings.task.kind.title} on {self.belongings.network}"

    @property
    def images(self) -> Images:
        """How images are made ready."""
        return self.belongings.images

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes that it was trained for."""
        return self.belongings.class_names


def load_dense(source: str | os.PathLike[str], *, ema: bool = False, last: bool = False) -> TrainedDense:
    """Load what a run's folder, a weights file or its folder holds.

    Of a run, the best weights are taken or the `last` ones, the network's own or its moving average's (`ema`). Raises
    SpecError where there are none, or others than a detector's or segmenter's.
    """
    folder = DenseRunFolder(Path(source))
    if folder.holds_run:
        folder.read_run()  # of another kind of task: that says which command is meant
    place = find_trained(source, ema=ema, last=last)
    place = place / WEIGHTS_NAME if place.is_dir() else place
    belongings = read_belongings(place)
    if belongings is None:
        message = "holds no detector or segmenter; name a run of `hiri-spec tasks train`, or weights of one"
        raise SpecError(Problem(message, file=str(place), code="other_task"))
    model = assemble(belongings.origin, belongings.task)
    load_weights(model, place)
    around = DenseRunFolder(place.absolute().parent.parent)
    is_of_run = around.holds_run and place.absolute().parent.name in WEIGHTS
    return TrainedDense(model.eval(), place, belongings, around.read_run().data if is_of_run else None)
