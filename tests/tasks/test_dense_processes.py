"""Several processes: figures are of all images together, and what takes memory is done by one of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from accelerate import Accelerator
from coco_files import change, write
from dense_figures import made_up, run
from dense_runs import TINY, write_recipe
from runs import ROOT

from hiri_spec import SpecError
from hiri_spec.tasks.data.shape_files import write_coco
from hiri_spec.tasks.data.shapes import ShapesOptions
from hiri_spec.train.processes import gathered_by_first, read_by_first, told_by_first

COUNTED = """
import json, os, sys
from pathlib import Path
from torchmetrics.detection import MeanAveragePrecision
from hiri_spec.tasks.data import coco
place, number = Path(sys.argv[1]), os.environ["RANK"]
counts = {"reads": 0, "reckonings": 0}
def count(owner, name, key):
    real = getattr(owner, name)
    def counting(*arguments, **named):
        counts[key] += 1
        return real(*arguments, **named)
    setattr(owner, name, counting)
count(coco, "read_table", "reads")
count(MeanAveragePrecision, "compute", "reckonings")
def note(**more):
    (place / f"{number}.json").write_text(json.dumps(counts | more))
"""
"""Begins a script: what is done in this process is counted, and noted."""

FIGURES = """
import torch
from accelerate import Accelerator
from dense_figures import Known, made_up
from hiri_spec.tasks.evaluation import evaluate_scenes
from hiri_spec.tasks.heads import HEADS
accelerator = Accelerator(cpu=True)
answers, targets = made_up(5)
own = range(accelerator.process_index, 5, accelerator.num_processes)
batches = [([torch.full((3, *targets[n].size), float(n))], [targets[n]]) for n in own]
figures = evaluate_scenes(Known(answers), batches, HEADS["mask_rcnn"], 3, accelerator)
note(processes=accelerator.num_processes, figures=list(figures.values()))
"""

TRAINING = """
from hiri_spec.tasks.run import train_dense
options = {"recipe": "quick.yaml", "flags": {"epochs": 1}, "workers": 0}
result = train_dense(sys.argv[2], "coco", "retinanet", out="run", **options)
note(steps=result.steps, score=result.rows[-1]["AP"])
"""

MISTAKE = """
from hiri_spec import SpecError
from hiri_spec.tasks.data import open_scenes
from hiri_spec.tasks.heads import HEADS
from hiri_spec.train.processes import read_by_first
try:
    open_scenes("coco", "train", HEADS["mask_rcnn"], once=read_by_first("cpu"))
except SpecError as error:
    note(told=str(error))
"""


def in_two_processes(folder: Path, script: str, *arguments: str) -> list[dict[str, Any]]:
    """What two processes note that run a script in a folder."""
    (folder / "script.py").write_text(COUNTED + script)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "script.py"]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "OMP_NUM_THREADS": "1"}
    subprocess.run([*launch, str(folder), *arguments], check=True, env=environment, timeout=240, cwd=folder)
    return [json.loads((folder / f"{number}.json").read_text()) for number in (0, 1)]


@pytest.mark.slow
def test_two_processes_with_an_odd_number_of_images_give_what_one_gives(tmp_path: Path) -> None:
    noted = in_two_processes(tmp_path, FIGURES)
    answers, targets = made_up(5)
    alone = run(list(answers), list(targets), [target.size for target in targets], "mask_rcnn")
    for each in noted:
        assert each["processes"] == 2
        assert each["figures"] == pytest.approx(list(alone.values()), nan_ok=True)
    assert [each["reckonings"] for each in noted] == [1, 0]


@pytest.mark.slow
def test_annotations_are_read_and_figures_reckoned_by_one_of_two_processes(tmp_path: Path) -> None:
    write_coco(tmp_path / "coco", ShapesOptions(train=8, validation=3, size=48))
    write_recipe(tmp_path)
    first, second = in_two_processes(tmp_path, TRAINING, TINY)
    assert (first["reads"], first["reckonings"]) == (2, 1)
    assert (second["reads"], second["reckonings"]) == (0, 0)
    assert first["steps"] == second["steps"] == 2
    assert first["score"] == second["score"]
    assert first["score"] is not None


@pytest.mark.slow
def test_what_is_wrong_with_annotations_is_told_in_both_processes(tmp_path: Path) -> None:
    (tmp_path / "coco").mkdir()
    write(tmp_path / "coco", change("annotations", 0, bbox=[1, 1, 0, 4]))
    first, second = in_two_processes(tmp_path, MISTAKE)
    assert first["told"] == second["told"]
    assert "annotations[0].bbox: id 5: [1.0, 1.0, 0.0, 4.0] has no area" in first["told"]
    assert (first["reads"], second["reads"]) == (1, 0)


def test_one_process_does_all_itself() -> None:
    Accelerator(cpu=True)

    def fail() -> int:
        raise SpecError("a mistake")

    once = read_by_first("cpu")
    assert once(lambda: 3) == 3
    with pytest.raises(SpecError, match="a mistake"):
        once(fail)
    assert gathered_by_first("own") == ["own"]
    assert told_by_first("own") == "own"


def test_other_launchers_are_refused_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    with pytest.raises(SpecError, match="ACCELERATE_USE_FSDP asks accelerate for FSDP"):
        read_by_first("cpu")
