"""Figures are those of COCO's own tool, and of files those of what is in them."""

from __future__ import annotations

import math
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from dense_figures import made_up, run
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torch import Tensor, nn

from hiri_spec.tasks.data import SceneSet, make_scene_loader, open_scenes
from hiri_spec.tasks.data.shape_files import write_shapes
from hiri_spec.tasks.data.shapes import ShapesOptions
from hiri_spec.tasks.evaluation import evaluate_scenes
from hiri_spec.tasks.heads import HEADS
from hiri_spec.tasks.recipe import Images
from hiri_spec.tasks.rescaling import rescale
from hiri_spec.tasks.scenes import Answer, Found, Objects, PixelClasses, Target


def by_coco(answers: list[Found], targets: list[Objects], kind: str) -> list[float]:
    """The first six figures of COCO's tool, handed the same in its own form."""

    def rle(mask: Tensor) -> Any:
        return coco_mask.encode(np.asfortranarray(mask.numpy().astype(np.uint8)))

    truth: dict[str, Any] = {
        "info": {},
        "images": [{"id": n, "height": t.size[0], "width": t.size[1]} for n, t in enumerate(targets)],
        "categories": [{"id": label, "name": str(label)} for label in range(3)],
        "annotations": [],
    }
    results = []
    for image_id, (found, target) in enumerate(zip(answers, targets, strict=True)):
        assert target.masks is not None
        assert target.is_crowd is not None
        assert target.areas is not None
        assert found.masks is not None
        for index in range(len(target.labels)):
            left, top, right, bottom = target.boxes[index].tolist()
            truth["annotations"].append(
                {
                    "id": len(truth["annotations"]) + 1,
                    "image_id": image_id,
                    "category_id": int(target.labels[index]),
                    "bbox": [left, top, right - left, bottom - top],
                    "segmentation": rle(target.masks[index]),
                    "iscrowd": int(target.is_crowd[index]),
                    "area": float(target.areas[index]),
                }
            )
        for index in range(len(found.labels)):
            left, top, right, bottom = found.boxes[index].tolist()
            entry = {"image_id": image_id, "category_id": int(found.labels[index]), "score": float(found.scores[index])}
            box = {"bbox": [left, top, right - left, bottom - top]}
            results.append({**entry, **(box if kind == "bbox" else {"segmentation": rle(found.masks[index])})})
    with redirect_stdout(StringIO()):
        coco = COCO()
        coco.dataset = truth
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(results), kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [float(value) for value in evaluation.stats[:6]]


def test_it_is_what_cocos_tool_says() -> None:
    answers, targets = made_up(9)
    figures = run(list(answers), list(targets), [target.size for target in targets], "mask_rcnn")
    values = list(figures.values())
    for kind, ours in (("bbox", values[:6]), ("segm", values[6:])):
        theirs = [math.nan if value == -1 else 100 * value for value in by_coco(answers, targets, kind)]
        assert ours == pytest.approx(theirs, abs=1e-4, nan_ok=True)
        assert 5 < ours[0] < 95
    assert values[:6] != values[6:]


def test_boxes_alone_are_those_beside_masks() -> None:
    answers, targets = made_up(5)
    sizes = [target.size for target in targets]
    both = run(list(answers), list(targets), sizes, "cascade_mask_rcnn")
    alone = run(list(answers), list(targets), sizes, "sparse_rcnn")
    assert list(alone.values()) == pytest.approx(list(both.values())[:6], nan_ok=True)


class Knowing(nn.Module):
    """Answers what is there, in the size that it is shown images in; `wrong` leaves out every other object."""

    def __init__(self, scenes: SceneSet, batch_size: int, wrong: bool) -> None:
        super().__init__()
        self.scenes, self.batch_size, self.wrong, self.batches = scenes, batch_size, wrong, 0

    def forward(self, images: list[Tensor]) -> list[Answer]:
        first = self.batches * self.batch_size
        self.batches += 1
        return [self.answer(self.scenes[first + number].target, image) for number, image in enumerate(images)]

    def answer(self, target: Target, image: Tensor) -> Answer:
        height, width = image.shape[-2:]
        if isinstance(target, PixelClasses):
            classes = target.classes * (0 if self.wrong else 1)
            return rescale(PixelClasses(classes), (classes.shape[0], classes.shape[1]), (height, width))
        kept = slice(None, None, 2 if self.wrong else 1)
        masks = None if target.masks is None else target.masks[kept]
        found = Found(target.boxes[kept], target.labels[kept], torch.ones(len(target.labels[kept])), masks)
        return rescale(found, target.size, (height, width))


@pytest.mark.parametrize("head", ["atss", "mask_rcnn", "upernet"])
@pytest.mark.parametrize("short_side", [64, 200], ids=["smaller", "larger"])
def test_from_files_to_figures(tmp_path: Path, head: str, short_side: int) -> None:
    """Who knows what is in the images is right about all of it, whatever size they are shown in."""
    coco, ade = write_shapes(tmp_path, ShapesOptions(train=1, validation=9, seed=1))
    scenes = open_scenes(ade if head == "upernet" else coco, "validation", HEADS[head])
    images = Images(short_side=short_side, longest_side=2 * short_side)
    scores = []
    for wrong in (False, True):
        loader = make_scene_loader(scenes, images=images, batch_size=2, is_training=False)
        model = Knowing(scenes, 2, wrong)
        figures = evaluate_scenes(model, loader.epoch(0), HEADS[head], len(scenes.class_names), Accelerator(cpu=True))
        assert figures is not None
        scores.append([figures[name] for name in figures if name in ("AP", "mask_AP", "mIoU")])
    right, half = scores
    if head != "upernet":
        assert right[0] == pytest.approx(100)
    assert right[-1] > 80  # of masks and pixels, whose edges are seen in others
    assert max(half) < 80
