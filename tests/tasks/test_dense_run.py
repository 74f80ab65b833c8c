"""Runs of detectors: they go on as if they had not been stopped, and several processes are one."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest
from dense_runs import SHAPES, STEPS, TINY, run, start
from runs import Notes, read_losses, read_metrics
from safetensors.torch import load_file
from torch import nn

from hiri_spec import SpecError
from hiri_spec.tasks.assessment import assess_dense, open_known
from hiri_spec.tasks.data.shape_files import write_coco
from hiri_spec.tasks.data.shapes import ShapesOptions
from hiri_spec.tasks.goal import DenseGoal
from hiri_spec.tasks.run_folder import DenseRunFolder
from hiri_spec.tasks.trained import load_dense
from hiri_spec.train.run_folder import RunFolder

TORCHRUN = ("torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m")
FIGURES = ["AP", "AP50", "AP75", "APs", "APm", "APl"]


def test_what_a_run_leaves(dense_run: Path) -> None:
    described = DenseRunFolder(dense_run).read_run()
    assert (described.status, described.task.head, described.task.norms, described.task.classes) == (
        "finished",
        "retinanet",
        "trained",
        4,
    )
    assert described.title == f"RetinaNet on tiny, {SHAPES}"
    assert described.resolution == (48, 96)
    rows = read_metrics(dense_run)
    assert [name for name in rows[0] if name in FIGURES] == FIGURES
    assert len(read_losses(dense_run)) == 1 + 2 * STEPS
    left = {path.name for path in dense_run.iterdir()} - {".lock"}
    assert left == {
        *("README.md", "best", "last", "checkpoints", "curves.png", "losses.csv"),
        *("metrics.csv", "recipe.yaml", "run.json", "spec.yaml"),
    }
    card = (dense_run / "README.md").read_text()
    assert card.startswith("# RetinaNet on tiny, trained on shapes:")
    assert "| network, last | 2 |" in card


def test_the_same_call_again_does_nothing(tmp_path: Path, dense_run: Path) -> None:
    again = run(tmp_path)
    assert again.status == "finished"
    assert run(tmp_path).status == "already_finished"
    assert read_losses(tmp_path / "run") == read_losses(dense_run)


def test_another_task_in_its_folder_is_refused(tmp_path: Path) -> None:
    run(tmp_path, flags={"epochs": 1})
    with pytest.raises(SpecError, match=r"holds another run: task\.strides was –, is \(8, 16, 32\)\. .*--restart"):
        run(tmp_path, flags={"epochs": 1}, strides=(8, 16, 32))


def test_other_kinds_of_runs_are_told(dense_run: Path, digits_run: Path) -> None:
    with pytest.raises(SpecError, match=r"is of a run of detection or segmentation; use `hiri-spec tasks evaluate`"):
        RunFolder(dense_run).read_run()
    with pytest.raises(SpecError, match=r"is of a run of classification; use `hiri-spec evaluate`"):
        DenseRunFolder(digits_run).read_run()


def test_begun_with_a_classifiers_weights(tmp_path: Path, dense_run: Path) -> None:
    """Norms are frozen then, and a detector's weights go into the head too."""
    import hiri_spec

    hiri_spec.build("tiny").save_pretrained(tmp_path / "tiny")
    run(tmp_path, flags={"epochs": 1}, init_from=tmp_path / "tiny")
    assert DenseRunFolder(tmp_path / "run").read_run().task.norms == "frozen"
    own, theirs = (load_file(folder / "model.safetensors") for folder in (tmp_path / "run/last", tmp_path / "tiny"))
    names = [name for name in theirs if name.endswith("running_mean") and not name.startswith("head.")]
    assert names
    assert all(own[f"maps.network.{name}"].equal(theirs[name]) for name in names)
    run(tmp_path, "whole", flags={"epochs": 1}, init_from=dense_run, norms="trained")


def test_begun_with_a_runs_checkpoint(tmp_path: Path, dense_run: Path) -> None:
    """The way out of a loss that is no number; and what is damaged is told."""
    (checkpoint, *_) = (dense_run / "checkpoints").iterdir()
    notes = Notes()
    run(tmp_path, flags={"epochs": 1}, init_from=checkpoint, watcher=notes)
    assert notes.notes[0].startswith(f"weights of {checkpoint}\n")
    damaged = tmp_path / "damaged" / "model.safetensors"
    damaged.parent.mkdir()
    damaged.write_bytes((dense_run / "best" / "model.safetensors").read_bytes()[:1000])
    with pytest.raises(SpecError, match=r"model\.safetensors.* (can't be read|is no safetensors file)"):
        load_dense(damaged)
    with pytest.raises(SpecError, match=r"model\.safetensors"):
        run(tmp_path, "other", init_from=damaged)


def test_a_checkpoint_is_there_before_evaluation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Evaluation may take an hour, and fail; the epoch's steps are not lost."""

    def fail(self: DenseGoal, model: nn.Module) -> None:
        raise SpecError("no evaluation today")

    with monkeypatch.context() as patch:
        patch.setattr(DenseGoal, "evaluate", fail)
        with pytest.raises(SpecError, match="no evaluation today"):
            run(tmp_path)
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == ["step-00000002.pt"]
    again = run(tmp_path)
    assert (again.status, again.steps) == ("finished", 2 * STEPS)
    run(tmp_path, "whole")
    assert read_losses(tmp_path / "run") == read_losses(tmp_path / "whole")
    assert read_metrics(tmp_path / "run")[-1] == read_metrics(tmp_path / "whole")[-1]


def test_held_out_images_of_nothing_have_no_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    coco = Path("coco")
    write_coco(coco, ShapesOptions(train=8, validation=3, size=48))
    file = coco / "annotations" / "instances_val2017.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"annotations": []}))
    result = run(tmp_path, data=str(coco), flags={"epochs": 2})
    assert result.status == "finished"
    assert [result.rows[0][name] for name in FIGURES] == [None] * 6
    card = (tmp_path / "run" / "README.md").read_text()
    assert "## Figures\n\nNone: nothing" in card
    assert "So the best weights are the last ones." in card
    best, last = (load_file(tmp_path / "run" / name / "model.safetensors") for name in ("best", "last"))
    assert all(tensor.equal(last[name]) for name, tensor in best.items())
    assert "\nhiri-spec tasks evaluate . --data ../coco\n" in card  # where that command is typed
    monkeypatch.chdir(tmp_path / "run")
    trained = load_dense(".")
    done = assess_dense(trained, open_known(trained, "../coco", "validation"), device="cpu")
    assert done.figures == dict.fromkeys(FIGURES)
    assert done.images == 3


def test_more_classes_than_the_data_have(tmp_path: Path) -> None:
    notes = Notes()
    result = run(tmp_path, head="upernet", classes=9, flags={"epochs": 1}, set={"images.short_side": 32}, watcher=notes)
    assert result.status == "finished"
    assert f"the head has 9 classes and {SHAPES} only 5" in notes.notes


@pytest.mark.slow
def test_goes_on_after_a_kill(tmp_path: Path) -> None:
    """kill -9 within an epoch; losses, figures and weights come out bit for bit."""
    whole = start(tmp_path, "--out", "whole", "--epochs", "4")
    _, err = whole.communicate(timeout=240)
    assert whole.returncode == 0, err
    options = ("--out", "killed", "--epochs", "4", "--set", "checkpointing.every_steps=3")
    process = start(tmp_path, *options)
    deadline = time.monotonic() + 240
    while not (tmp_path / "killed" / "checkpoints" / "step-00000003.pt").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    again = start(tmp_path, *options)
    _, err = again.communicate(timeout=240)
    assert again.returncode == 0, err
    assert "going on after step" in err
    assert read_losses(tmp_path / "killed") == read_losses(tmp_path / "whole")
    assert read_metrics(tmp_path / "killed") == read_metrics(tmp_path / "whole")
    one, other = (load_file(tmp_path / name / "last" / "model.safetensors") for name in ("whole", "killed"))
    assert all(tensor.equal(other[name]) for name, tensor in one.items())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("head", "network"),
    [
        *((head, TINY) for head in ("retinanet", "mask_rcnn", "cascade_mask_rcnn", "atss", "gfl", "sparse_rcnn")),
        ("upernet", TINY),
        ("retinanet", "hrnet_w18_small"),
        ("retinanet", "timm:hrnet_w18_small"),
    ],
)
def test_two_processes(tmp_path: Path, head: str, network: str) -> None:
    """torchrun starts them; what learns gets a gradient in both, and figures are of all images together."""
    arguments = ("--head", head, "--epochs", "1", "--json", "--set", "images.short_side=64")
    process = start(
        tmp_path,
        *arguments,
        network=network,
        prefix=("torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"),
    )
    out, err = process.communicate(timeout=400)
    assert process.returncode == 0, err
    assert json.loads(out)["steps"] == STEPS
    assert json.loads((tmp_path / "run" / "run.json").read_text())["processes"] == 2
    assert err.count("on 2 processes, cpu") == 1
