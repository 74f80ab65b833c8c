"""What a run is asked for is checked before its first step, and before a folder is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dense_runs import SHAPES, run
from PIL import Image
from runs import Notes

from hiri_spec import SpecError
from hiri_spec.tasks.data.shape_files import write_ade
from hiri_spec.tasks.data.shapes import ShapesOptions


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"head": "retina"}, r"'retina' is no head; did you mean 'retinanet'"),
        ({"host": "transformers"}, r"host: 'transformers' has no retinanet here; known: mmdet, torchvision"),
        ({"strides": (64, 128)}, r"strides: tiny has no map of stride 128; it has those of 4, 8, 16, 32, 64"),
        ({"classes": 3}, r"--classes: 3 are too few for shapes:.*, which has 4; leave it out, or give 4"),
        ({"regions": 64}, r"regions: retinanet looks at whole maps; leave it out"),
        ({"norms": "synchronised"}, r"--norms: torch synchronises batch norms on CUDA devices alone"),
        ({"flags": {"batch_size": 9}}, r"batch_size: 9 is more than the 8 training images of shapes"),
        ({"flags": {"epochs": 0}}, r"--epochs: 0 is too small"),
        ({"set": {"optimizer.layer_decay": 0.5}}, r"optimizer\.layer_decay: decays learning rates over the layers"),
        ({"set": {"optimiser.learning_rate": 1}}, r"neither the spec nor the recipe has a field 'optimiser'"),
        ({"set": {"in_channels": 1}}, r"in_channels: 1 is not 3, and detection and segmentation read colour images"),
        ({"data": "shape"}, r"shape"),
        ({"init_from": "nowhere"}, r"nowhere"),
        ({"device": "gpu"}, r"--device: 'gpu' is none of auto, cpu, cuda"),
        ({"network": "tinny"}, r"tinny.*tiny"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_mistakes(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    notes = Notes()
    with pytest.raises(SpecError, match=message):
        run(tmp_path, watcher=notes, **options)
    assert notes.start is None
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("classes", [None, 2], ids=["as many", "more"])
def test_pixels_of_one_class_are_refused(classes: int | None, tmp_path: Path) -> None:
    """Whatever the head could tell apart: it would learn nothing, and be right everywhere."""
    write_ade(tmp_path / "ade", ShapesOptions(train=4, validation=2, size=48))
    (tmp_path / "ade" / "classes.txt").write_text("thing\n")
    for file in (tmp_path / "ade" / "annotations").rglob("*.png"):
        with Image.open(file) as annotation:
            annotation.point(lambda value: value > 1).save(file)
    with pytest.raises(SpecError, match=r"ade: one class leaves nothing to tell apart; write the background as a"):
        run(tmp_path, head="upernet", data=str(tmp_path / "ade"), classes=classes)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("strides", "note"),
    [
        (
            None,
            "the backbone's stage of stride 64 is left out, as it feeds no level of sparse_rcnn by default; "
            "--strides names others",
        ),
        (
            (8, 16, 32),
            "the backbone's stage of stride 64 is left out, as it comes after the last that --strides names",
        ),
        (
            (8, 16),
            "the backbone's stages of strides 32 and 64 are left out, as they come after the last that --strides names",
        ),
        (
            (4, 8),
            "the backbone's stages of strides 16, 32 and 64 are left out, as they come after the last that --strides "
            "names",
        ),
    ],
    ids=["by default", "one", "two", "three"],
)
def test_stages_that_are_left_out_are_told(strides: tuple[int, ...] | None, note: str, tmp_path: Path) -> None:
    notes, flags = Notes(), {"batch_size": 9}
    with pytest.raises(SpecError, match="batch_size"):
        run(tmp_path, watcher=notes, head="sparse_rcnn", host="mmdet", flags=flags, data=SHAPES, strides=strides)
    assert notes.notes == [note]
