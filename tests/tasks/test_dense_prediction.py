"""What is seen in image files, of which the unsure is left out before it takes room."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from hiri_spec.tasks import rescaling
from hiri_spec.tasks.prediction import predict_dense
from hiri_spec.tasks.recipe import Images
from hiri_spec.tasks.scenes import Answer, Found, PixelClasses
from hiri_spec.tasks.trained import TrainedDense
from hiri_spec.tasks.weights import DenseBelongings

SCORES = [0.875, 0.5, 0.25]


class Detector(nn.Module):
    """Sees the same objects everywhere, each in a lower part of the image than the one before."""

    def __init__(self, has_masks: bool) -> None:
        super().__init__()
        self.has_masks = has_masks

    def forward(self, images: list[Tensor]) -> list[Answer]:
        height, width = images[0].shape[-2:]
        tops = [height * index // 4 for index in range(len(SCORES))]
        masks = torch.zeros(len(SCORES), height, width, dtype=torch.bool)
        for mask, top in zip(masks, tops, strict=True):
            mask[top:] = True
        boxes = torch.tensor([[0.0, top, width, height] for top in tops])
        return [Found(boxes, torch.tensor([3, 1, 2]), torch.tensor(SCORES), masks if self.has_masks else None)]


class Segmenter(nn.Module):
    """Sees one class everywhere."""

    def forward(self, images: list[Tensor]) -> list[Answer]:
        return [PixelClasses(torch.ones(images[0].shape[-2:], dtype=torch.long))]


def trained(model: Any) -> TrainedDense:
    images = Images(short_side=40, longest_side=80)
    return TrainedDense(model, Path("weights"), DenseBelongings.model_construct(images=images))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    place = tmp_path / "photo.png"
    Image.new("RGB", (120, 80), "green").save(place)
    return place


@pytest.mark.parametrize(("threshold", "count"), [(0.0, 3), (0.5, 2), (0.6, 1), (1.0, 0)], ids=str)
@pytest.mark.parametrize("has_masks", [False, True], ids=["boxes", "masks"])
def test_the_unsure_is_left_out(photo: Path, has_masks: bool, threshold: float, count: int) -> None:
    (sight,) = predict_dense(trained(Detector(has_masks)), [photo], device="cpu", threshold=threshold)
    answer = sight.answer
    assert isinstance(answer, Found)
    assert answer.scores.tolist() == SCORES[:count]
    assert answer.labels.tolist() == [3, 1, 2][:count]
    assert answer.boxes.tolist() == [[0, 20 * index, 120, 80] for index in range(count)]
    assert (answer.masks is not None) is has_masks
    if answer.masks is not None:
        assert answer.masks.shape == (count, 80, 120)
        assert answer.masks[:, :, 60].sum(1).tolist() == [80 - 20 * index for index in range(count)]


def test_masks_of_the_unsure_are_not_resized(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred of a large photograph would take gigabytes."""
    resized: list[int] = []
    interpolate = rescaling.functional.interpolate

    def counted(masks: Tensor, *arguments: Any, **options: Any) -> Tensor:
        resized.append(masks.shape[1])
        return interpolate(masks, *arguments, **options)

    monkeypatch.setattr(rescaling.functional, "interpolate", counted)
    list(predict_dense(trained(Detector(has_masks=True)), [photo], device="cpu", threshold=0.6))
    assert resized[-1] == 1
    assert len(SCORES) not in resized


def test_pixel_classes_have_no_scores(photo: Path) -> None:
    (sight,) = predict_dense(trained(Segmenter()), [photo], device="cpu", threshold=1.0)
    assert isinstance(sight.answer, PixelClasses)
    assert (sight.answer.classes == 1).all()
