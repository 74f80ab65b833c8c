"""What a trained detector or segmenter sees in image files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from ..train.data.images import UNREADABLE, why_unreadable
from ..train.devices import check_device, opened_accelerator
from .data.scene_set import read_upright
from .data.transform import EvaluationTransform, as_floats
from .drawing import draw_answer
from .recipe import Images
from .rescaling import rescale
from .scenes import Answer, Found, PixelClasses
from .trained import TrainedDense


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen in an image: `answer` in the pixels of `pixels` (3, H, W), bytes; or the `problem` of the file."""

    image: Path
    pixels: Tensor | None
    answer: Answer | None
    problem: str | None = None

    def draw(self, class_names: Sequence[str], threshold: float) -> Image.Image:
        """The answer on its image."""
        assert self.pixels is not None
        assert self.answer is not None
        return draw_answer(self.pixels, self.answer, class_names, threshold=threshold)


def predict_dense(
    trained: TrainedDense,
    images: Sequence[str | os.PathLike[str]],
    *,
    sizes: Images | None = None,
    device: str = "auto",
    threshold: float = 0.0,
) -> Iterator[Sight]:
    """What is seen in each image file, one after the other, made ready as in training, or as `sizes` says.

    Objects of a score below `threshold` are left out, before their masks get the size of the image. Raises
    SpecError for a device that isn't there.
    """
    check_device(device, "no")
    transform = EvaluationTransform(sizes or trained.images)
    with opened_accelerator(device, mixed_precision="no", accumulate=1, tracker=None, logs="") as accelerator:
        model = trained.model.to(accelerator.device)
        for place in map(Path, images):
            try:
                pixels = read_upright(place)
            except UNREADABLE as error:
                yield Sight(place, None, None, why_unreadable(error))
                continue
            resized = as_floats(transform.resize(pixels)).to(accelerator.device)
            with torch.inference_mode():
                (answer,) = model([resized])
            size = resized.shape[-2], resized.shape[-1]
            answer = _sure_of(answer, threshold)
            yield Sight(place, pixels, rescale(answer, size, (pixels.shape[-2], pixels.shape[-1])))


def _sure_of(answer: Answer, threshold: float) -> Answer:
    """The objects of an answer that have a score of at least `threshold`; all pixel classes."""
    if isinstance(answer, PixelClasses):
        return answer
    kept = answer.scores.float() >= threshold
    masks = None if answer.masks is None else answer.masks[kept]
    return Found(answer.boxes[kept], answer.labels[kept], answer.scores[kept], masks)
