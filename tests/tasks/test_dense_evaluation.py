"""Figures are those counted by hand and by COCO's own tool, over however many processes."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torch import Tensor, nn

from hiri_spec.tasks.data import SceneSet, make_scene_loader, open_scenes
from hiri_spec.tasks.data.shape_files import write_shapes
from hiri_spec.tasks.data.shapes import ShapesOptions
from hiri_spec.tasks.evaluation import PixelFigures, evaluate_scenes, figure_names
from hiri_spec.tasks.heads import HEADS
from hiri_spec.tasks.recipe import Images
from hiri_spec.tasks.rescaling import rescale
from hiri_spec.tasks.scenes import IGNORED, Answer, Found, Objects, PixelClasses, Target

ROOT = Path(__file__).resolve().parent.parent.parent
Batches = list[tuple[list[Tensor], list[Target]]]


class Known(nn.Module):
    """Gives answers that were made up before, by the number in an image's first pixel."""

    def __init__(self, answers: list[Answer]) -> None:
        super().__init__()
        self.answers = answers

    def forward(self, images: list[Tensor]) -> list[Answer]:
        assert not self.training
        return [self.answers[int(image[0, 0, 0])] for image in images]


def run(
    answers: list[Answer], targets: list[Target], sizes: list[tuple[int, int]], head: str, classes: int = 3, **more: Any
) -> dict[str, float]:
    images = [torch.full((3, *size), float(number)) for number, size in enumerate(sizes)]
    batches: Batches = [(images[at : at + 2], targets[at : at + 2]) for at in range(0, len(images), 2)]
    names = [f"class {number}" for number in range(classes)]
    figures = evaluate_scenes(Known(answers), batches, HEADS[head], len(names), Accelerator(cpu=True), **more)
    assert tuple(figures) == figure_names(HEADS[head])
    return figures


def boxes(*corners: list[float]) -> Tensor:
    return torch.tensor(corners, dtype=torch.float32).reshape(-1, 4)


def test_average_precision_by_hand() -> None:
    """Right, wrong, right: precision is 1 up to recall 0.5, which 51 of 101 points are, and 2/3 beyond."""
    target = Objects((100, 200), boxes([10, 10, 50, 50], [60, 10, 110, 60]), torch.tensor([0, 0]))
    # the model saw the image at half its size
    found = Found(
        boxes([5, 5, 25, 25], [70, 5, 90, 25], [30, 5, 55, 30]), torch.tensor([0, 0, 0]), torch.tensor([0.9, 0.8, 0.7])
    )
    figures = run([found], [target], [(50, 100)], "retinanet")
    expected = 100 * (51 + 50 * 2 / 3) / 101
    for name in ("AP", "AP50", "AP75", "APm"):
        assert figures[name] == pytest.approx(expected, rel=1e-5)
    assert math.isnan(figures["APs"])  # nothing is small
    assert math.isnan(figures["APl"])


def test_a_box_that_overlaps_by_a_known_share() -> None:
    """An IoU of 0.8 is right for the thresholds 0.5, 0.55, …, 0.75, and 0.8 if it reaches it: here it is a bit more."""
    target = Objects((200, 200), boxes([0, 0, 100, 100]), torch.tensor([2]))
    found = Found(boxes([0, 0, 100, 81]), torch.tensor([2]), torch.tensor([0.3]))
    figures = run([found], [target], [(200, 200)], "atss")
    assert figures["AP50"] == figures["AP75"] == pytest.approx(100)
    assert figures["AP"] == figures["APl"] == pytest.approx(70)


def test_groups_are_neither_right_nor_wrong() -> None:
    target = Objects(
        (100, 100),
        boxes([0, 0, 40, 40], [50, 50, 100, 100]),
        torch.tensor([0, 0]),
        is_crowd=torch.tensor([False, True]),
    )
    surest_in_the_group = Found(
        boxes([60, 60, 80, 80], [80, 80, 95, 95], [0, 0, 40, 40]),
        torch.tensor([0, 0, 0]),
        torch.tensor([0.9, 0.8, 0.1]),
    )
    assert run([surest_in_the_group], [target], [(100, 100)], "gfl")["AP"] == pytest.approx(100)


def made_up(count: int) -> tuple[list[Found], list[Objects]]:
    """Images with objects and what might be seen of them: moved, of other classes, made up; one without any."""
    chance = np.random.default_rng(0)
    answers, targets = [], []
    for number in range(count):
        height, width = (int(side) for side in chance.integers(100, 240, 2))
        objects = 0 if number == 1 else int(chance.integers(1, 7))
        masks = np.zeros((objects, height, width), bool)
        corners = np.zeros((objects, 4), np.float32)
        for index in range(objects):
            top, left = chance.integers(0, [height - 20, width - 20])
            bottom, right = chance.integers([top + 8, left + 8], [height, width], endpoint=True)
            masks[index, top:bottom, left:right] = True
            masks[index, top : (top + bottom) // 2, left : left + 3] = False
            corners[index] = left, top, right, bottom
        labels = chance.integers(3, size=objects)
        crowd = chance.random(objects) < 0.2
        targets.append(
            Objects(
                (height, width),
                torch.tensor(corners),
                torch.tensor(labels),
                torch.tensor(masks),
                torch.tensor(crowd),
                torch.tensor(masks.sum((1, 2)) * 0.9, dtype=torch.float32),
            )
        )
        shift = [int(chance.integers(-6, 7)) for _ in range(objects)]
        seen = np.stack([np.roll(mask, by, 1) for mask, by in zip(masks, shift, strict=True)]) if objects else masks
        moved = corners + np.array(shift, np.float32).reshape(-1, 1) * np.array([1, 0, 1, 0], np.float32)
        own = np.where(chance.random(objects) < 0.8, labels, (labels + 1) % 3)
        extra = np.array([[0, 0, 30, 30]], np.float32)
        extra_mask = np.zeros((1, height, width), bool)
        extra_mask[:, :30, :30] = True
        answers.append(
            Found(
                torch.tensor(np.concatenate([moved, extra])),
                torch.tensor(np.append(own, number % 3)),
                torch.tensor(chance.random(objects + 1), dtype=torch.float32),
                torch.tensor(np.concatenate([seen, extra_mask])),
            )
        )
    return answers, targets


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


def test_nothing_is_there_and_nothing_is_seen() -> None:
    nothing = Found(boxes(), torch.zeros(0, dtype=torch.long), torch.zeros(0))
    figures = run([nothing], [Objects((9, 9), boxes(), torch.zeros(0, dtype=torch.long))], [(9, 9)], "retinanet")
    assert all(math.isnan(value) for value in figures.values())
    there = Objects((90, 90), boxes([0, 0, 20, 20]), torch.tensor([1]))
    assert run([nothing], [there], [(9, 9)], "retinanet")["AP"] == 0


def test_mean_intersection_over_union_by_hand() -> None:
    """Class 0: 3 of 5 pixels; class 1: 2 of 4; class 2 is only seen, class 3 neither; 5 of 7 pixels are right."""
    there = torch.tensor([[0, 0, 0, 0], [1, 1, 1, IGNORED]])
    seen = torch.tensor([[0, 0, 0, 2], [1, 1, 0, 2]])
    figures = run([PixelClasses(seen)], [PixelClasses(there)], [(2, 4)], "upernet", classes=4)
    assert figures["mIoU"] == pytest.approx(100 * (3 / 5 + 2 / 3) / 2)
    assert figures["accuracy"] == pytest.approx(100 * 5 / 7)


def test_pixels_are_counted_in_the_images_own_size() -> None:
    there = torch.tensor([[0, 0, 0, 1, 1, 1]] * 4)
    figures = run([PixelClasses(torch.tensor([[0, 1]]))], [PixelClasses(there)], [(1, 2)], "upernet")
    assert figures == {"mIoU": 100, "accuracy": 100}


def test_pixels_of_no_class() -> None:
    there = torch.full((2, 2), IGNORED)
    figures = run([PixelClasses(torch.zeros(2, 2).long())], [PixelClasses(there)], [(2, 2)], "upernet")
    assert all(math.isnan(value) for value in figures.values())


def test_what_was_seen_is_shown_in_the_images_own_size() -> None:
    shown: list[tuple[int, torch.Size, torch.Size]] = []

    def observe(images: list[Tensor], answers: list[Answer], targets: list[Target]) -> None:
        for image, answer, target in zip(images, answers, targets, strict=True):
            assert isinstance(answer, PixelClasses)
            assert isinstance(target, PixelClasses)
            shown.append((int(image[0, 0, 0]), answer.classes.shape, target.classes.shape))

    targets: list[Target] = [PixelClasses(torch.zeros(4, 6).long()), PixelClasses(torch.zeros(8, 2).long())]
    run([PixelClasses(torch.zeros(2, 3).long())] * 2, targets, [(2, 3), (2, 3)], "upernet", observe=observe)
    assert shown == [(0, (4, 6), (4, 6)), (1, (8, 2), (8, 2))]


@pytest.mark.parametrize("mode", [True, False], ids=["train", "eval"])
def test_the_mode_of_a_head_stays(mode: bool) -> None:
    model = Known([PixelClasses(torch.zeros(2, 2).long())]).train(mode)
    batches: Batches = [([torch.zeros(3, 2, 2)], [PixelClasses(torch.zeros(2, 2).long())])]
    evaluate_scenes(model, batches, HEADS["upernet"], 2, Accelerator(cpu=True))
    assert model.training is mode


SHARED = """
import json, sys, torch
sys.path.insert(0, sys.argv[1])
from accelerate import Accelerator
from test_dense_evaluation import Known, made_up
from hiri_spec.tasks.data import SceneSet, make_scene_loader, open_scenes
from hiri_spec.tasks.data.shape_files import write_shapes
from hiri_spec.tasks.data.shapes import ShapesOptions
from hiri_spec.tasks.evaluation import evaluate_scenes
from hiri_spec.tasks.heads import HEADS
accelerator = Accelerator(cpu=True)
answers, targets = made_up(5)
own = range(accelerator.process_index, 5, accelerator.num_processes)
batches = [([torch.full((3, *targets[n].size), float(n))], [targets[n]]) for n in own]
figures = evaluate_scenes(Known(answers), batches, HEADS["mask_rcnn"], 3, accelerator)
with open(f"{sys.argv[2]}/{accelerator.process_index}.json", "w") as file:
    json.dump([accelerator.num_processes, list(figures.values())], file)
"""


@pytest.mark.slow
def test_two_processes_with_an_odd_number_of_images_give_what_one_gives(tmp_path: Path) -> None:
    script = tmp_path / "shared.py"
    script.write_text(SHARED)
    here = str(Path(__file__).parent)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    subprocess.run([*launch, str(script), here, str(tmp_path)], check=True, env=environment, timeout=180)
    answers, targets = made_up(5)
    alone = run(list(answers), list(targets), [target.size for target in targets], "mask_rcnn")
    for number in (0, 1):
        processes, values = json.loads((tmp_path / f"{number}.json").read_text())
        assert processes == 2
        assert values == pytest.approx(list(alone.values()), nan_ok=True)


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
        scores.append([figures[name] for name in figures if name in ("AP", "mask_AP", "mIoU")])
    right, half = scores
    if head != "upernet":
        assert right[0] == pytest.approx(100)
    assert right[-1] > 80  # of masks and pixels, whose edges are seen in others
    assert max(half) < 80


def test_classes_beyond_those_of_the_data_are_wrong_ones() -> None:
    """A head may have more classes than the data: what it takes for one of them was counted as another pair."""
    figures = PixelFigures(10, torch.device("cpu"))
    figures.update([PixelClasses(torch.tensor([[0, 9]]))], [PixelClasses(torch.tensor([[0, 0]]))])
    assert figures.compute() == {"mIoU": 50.0, "accuracy": 50.0}
