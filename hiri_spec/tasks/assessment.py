"""How good a trained detector or segmenter is on a data set."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from ..errors import Problem, SpecError
from ..train.data import workers_watched
from ..train.data.classes import list_some
from ..train.data.loader import MAX_UNREADABLE
from ..train.data.source import Split
from ..train.devices import check_device, opened_accelerator
from .data.loader import make_scene_loader
from .data.scene_set import SceneSet
from .data.source import open_scenes
from .evaluation import evaluate_scenes, without_nan
from .recipe import Images
from .trained import TrainedDense


@dataclass(frozen=True, slots=True)
class DenseAssessment:
    """Figures in per cent by name, None where there is nothing to tell; `images_per_s` counts reading images too."""

    figures: dict[str, float | None]
    images: int
    images_per_s: float
    unreadable: dict[str, str]
    device: str


def open_known(trained: TrainedDense, data: str, split: Split) -> SceneSet:
    """A split of a data source that has the very classes of a trained network; raises SpecError for another."""
    scenes = open_scenes(data, split, trained.belongings.task.kind)
    if scenes.class_names != trained.class_names:
        own, others = list_some(trained.class_names), list_some(scenes.class_names)
        message = f"has other classes ({others}) than the network was trained for ({own}); name data with those"
        raise SpecError(Problem(message, file=data, code="other_classes"))
    return scenes


def assess_dense(
    trained: TrainedDense,
    scenes: SceneSet,
    *,
    images: Images | None = None,
    workers: int = 0,
    device: str = "auto",
    max_unreadable: float = MAX_UNREADABLE,
    advance: Callable[[int], None] = lambda count: None,
) -> DenseAssessment:
    """Run a trained network over all images of a data set, made ready as in its training, or as `images` says.

    `workers` are the processes that read images; `advance` hears of how many images more are done. Raises SpecError for
    a device that isn't there, and where a larger share of images than `max_unreadable` can't be read.
    """
    check_device(device, "no")
    with opened_accelerator(device, mixed_precision="no", accumulate=1, tracker=None, logs="") as accelerator:
        loader = make_scene_loader(
            scenes,
            images=images or trained.images,
            batch_size=1,  # what is seen would depend on the padding that others bring
            is_training=False,
            workers=workers,
            device=accelerator.device,
            max_unreadable=max_unreadable,
        )
        began, done = time.perf_counter(), 0

        def observe(images: list[Tensor], *_: object) -> None:
            nonlocal done
            done += len(images)
            advance(len(images))

        with workers_watched():
            figures = evaluate_scenes(
                trained.model.to(accelerator.device),
                loader.epoch(0),
                trained.belongings.task.kind,
                trained.belongings.task.classes,
                accelerator,
                observe=observe,
            )
        seconds = time.perf_counter() - began
        return DenseAssessment(without_nan(figures), done, done / seconds, loader.unreadable, str(accelerator.device))
