"""Whole runs in this process: what they leave, how they go on, and what is refused before the first step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from runs import CLASSES, STEPS, Notes, assert_same, read_losses, read_metrics, run, weights
from safetensors.torch import load_file

import hiri_spec
from hiri_spec import SpecError
from hiri_spec.train.checkpoints import list_checkpoints
from hiri_spec.train.evaluation import evaluate
from hiri_spec.train.run import TrainResult
from hiri_spec.train.run_folder import RunFolder


def test_what_a_run_leaves(finished: tuple[Path, TrainResult]) -> None:
    folder, result = finished
    out = folder / "run"
    assert (result.status, result.steps, result.out) == ("finished", 3 * STEPS, out)
    assert {path.name for path in out.iterdir()} == {
        ".lock", "spec.yaml", "recipe.yaml", "run.json", "metrics.csv", "losses.csv",
        "last", "best", "last_ema", "best_ema", "checkpoints", "curves.png", "README.md",
    }  # fmt: skip
    assert [path.name for path in list_checkpoints(out / "checkpoints")] == ["step-00000008.pt", "step-00000012.pt"]
    described = RunFolder(out).read_run()
    assert (described.status, described.epochs, described.class_names) == ("finished", 3, CLASSES)
    assert described.ended is not None
    assert described.versions["torch"] == torch.__version__
    assert {"python", "hiri-spec", "torchvision", "timm", "accelerate", "numpy"} < described.versions.keys()


def test_figures(finished: tuple[Path, TrainResult]) -> None:
    folder, result = finished
    losses, rows = read_losses(folder / "run"), read_metrics(folder / "run")
    assert losses[0] == ("step", "epoch", "learning_rate", "loss")
    assert [int(row[0]) for row in losses[1:]] == list(range(1, 13))
    for row in rows:
        own = [float(each[3]) for each in losses[1:] if each[1] == row["epoch"]]
        assert float(row["train_loss"]) == pytest.approx(sum(own) / STEPS)
    assert [float(row["top1"]) for row in rows] == [row["top1"] for row in result.rows]


def test_weights_are_what_was_evaluated(finished: tuple[Path, TrainResult]) -> None:
    """Each folder holds a network with the accuracy that its row says."""
    from accelerate import Accelerator

    from hiri_spec.train.data import make_loader, open_dataset

    folder, result = finished
    data = open_dataset(folder / "images", "validation", resolution=(32, 32))
    recipe = RunFolder(folder / "run").read_recipe()
    for name, expected in {
        "last": result.rows[-1]["top1"],
        "best": max(row["top1"] for row in result.rows),
        "last_ema": result.rows[-1]["ema_top1"],
        "best_ema": max(row["ema_top1"] for row in result.rows),
    }.items():
        model = hiri_spec.from_pretrained(folder / "run" / name)
        assert model.spec == RunFolder(folder / "run").read_spec()
        loader = make_loader(
            data, augmentation=recipe.augmentation, batch_size=5, resolution=(32, 32), is_training=False
        )
        found = evaluate(model, loader.epoch(0), 4, Accelerator(cpu=True))
        assert found.top1 == pytest.approx(expected)


def test_the_same_again_is_the_same(finished: tuple[Path, TrainResult], tmp_path: Path) -> None:
    run(finished[0], str(tmp_path / "again"))
    assert_same(tmp_path / "again", finished[0] / "run")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"set": {"head.classes": 3}},
            r"head.classes: 3 are too few for .*images, which has 4; add --set head.classes=4",
        ),
        ({"flags": {"resolution": 16}}, r"--resolution: 16 is too small; use 32 or more a side"),
        (
            {"flags": {"batch_size": 50}},
            r"batch_size: 50 is more than the 48 training images of .*images; use at most 48",
        ),
        ({"device": "tpu"}, r"--device: 'tpu' is none of auto, cpu, cuda"),
        ({"tracker": "tensorbord"}, r"--tracker: accelerate knows no tracker 'tensorbord'; did you mean 'tensorboard'"),
        ({"set": {"optimizer.optimizer": "adamm"}}, r"optimizer.optimizer: timm has no optimizer 'adamm'"),
        ({"set": {"optimzer.optimizer": "adam"}}, r"neither the spec nor the recipe has a field 'optimzer'; did you"),
        (
            {"flags": {"epochs": 1}, "set": {"schedule.warmup_epochs": 1}},
            r"--epochs: 1 leaves nothing after schedule.warmup_epochs=1; use more epochs, or a shorter warm-up",
        ),
        ({"set": {"epochs": 1}}, r"epochs: 1 leaves nothing after schedule.warmup_epochs=1"),
        (
            {"flags": {"epochs": 2}, "set": {"schedule.warmup_steps": 8}},
            r"schedule.warmup_steps: 8 leaves nothing of 8 steps; use fewer \(0: none\), or more epochs",
        ),
        ({"init_from": "none.safetensors"}, r"none.safetensors: no such file or folder"),
        (
            {"network": "resnet18", "set": {"head.classes": 3}},
            r"--set: head.classes is of a spec, and resnet18 is a timm",
        ),
        ({"network": "minni"}, r"'minni' is no file, no built-in spec and no timm model"),
        ({"data": "nowhere"}, r"nowhere"),
        ({"set": {"accumulate": 5, "batch_size": 12}}, r"batch_size: 12 is not a multiple of accumulate=5"),
        ({"set": {"batch_size": 9}}, r"batch_size: 9 is odd"),
    ],
    ids=lambda value: str(next(iter(value.values())))[:20] if isinstance(value, dict) else "",
)
def test_refused_before_the_first_step(options: dict[str, Any], message: str, files: Path) -> None:
    with pytest.raises(SpecError, match=message):
        run(files, **options)
    assert not (files / "run").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "cuda"}, r"--device: there is no CUDA device here; leave it out, or use cpu"),
        ({"flags": {"mixed_precision": "fp16"}}, r"mixed_precision: fp16 needs a CUDA device; use bf16 or no"),
    ],
    ids=["cuda", "fp16"],
)
def test_without_a_gpu(options: dict[str, Any], message: str, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SpecError, match=message):
        run(files, **options)


@pytest.mark.parametrize(("name", "what"), [("ACCELERATE_USE_FSDP", "FSDP"), ("ACCELERATE_USE_DEEPSPEED", "DeepSpeed")])
def test_networks_are_not_cut_up(name: str, what: str, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "true")
    with pytest.raises(
        SpecError, match=f"{name} asks accelerate for {what}, and networks are not cut up here; start it"
    ):
        run(files)


@pytest.mark.parametrize("is_there", [False, True], ids=["new folder", "restart"])
def test_a_start_that_is_not_there(is_there: bool, files: Path) -> None:
    if is_there:
        run(files, flags={"epochs": 2})
    before = sorted(path for path in files.rglob("*") if path.is_file())
    with pytest.raises(SpecError, match="nosuch: no such file or folder"):
        run(files, init_from="nosuch", restart=is_there)
    assert sorted(path for path in files.rglob("*") if path.is_file()) == before


def test_more_classes_in_the_head_than_in_the_data(files: Path) -> None:
    notes = Notes()
    run(files, flags={"epochs": 2}, set={"head.classes": 6}, watcher=notes)
    assert notes.notes == [
        f"the head has 6 classes and {files / 'images'} only 4; --set head.classes=4 leaves the others out"
    ]


def test_accumulated_batches_are_one_batch(files: Path) -> None:
    """To float tolerance, with norms that see one image at a time and nothing by chance."""
    plain = {"augmentation.mixing": 0, "drop_path_rate": 0, "head.drop_rate": 0, "head.norm": "layer"}
    plain |= {"stages.0.norm": "layer", "stages.1.mlp_norm": "layer"}
    run(files, "whole", set=plain)
    run(files, "cut", set=plain | {"accumulate": 3})
    whole, cut = ([float(row[3]) for row in read_losses(files / name)[1:]] for name in ("whole", "cut"))
    assert cut == pytest.approx(whole, rel=1e-5)
    assert len(cut) == 3 * STEPS


def test_gradients_are_clipped(files: Path) -> None:
    """Of a gradient clipped to next to nothing plain descent makes no step to speak of."""
    changes = {"optimizer.optimizer": "sgd", "optimizer.weight_decay": 0, "optimizer.clip_gradient_norm": 1e-9}
    run(files, set=changes, flags={"epochs": 2})
    fresh = load_file(files / "run" / "last" / "model.safetensors")
    torch.manual_seed(0)
    first = dict(hiri_spec.build(files / "mini.yaml").named_parameters())
    assert all(torch.allclose(fresh[name], value, rtol=0, atol=1e-6) for name, value in first.items())


def test_mixed_precision(files: Path, finished: tuple[Path, TrainResult]) -> None:
    """bfloat16 changes losses by little, weights stay float32, and the next run is back to float32."""
    run(files, flags={"mixed_precision": "bf16"})
    exact, rough = ([float(row[3]) for row in read_losses(place / "run")[1:]] for place in (finished[0], files))
    assert exact != rough
    assert rough == pytest.approx(exact, rel=0.02)
    assert all(value.dtype == torch.float32 for value in weights(files / "run").values() if value.is_floating_point())
    run(files, "after")
    assert read_losses(files / "after") == read_losses(finished[0] / "run")


def test_gradient_checkpointing_is_no_other_run(files: Path, finished: tuple[Path, TrainResult]) -> None:
    run(files, checkpoint_grad=True)
    assert_same(files / "run", finished[0] / "run")


def test_tensorboard(files: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run(files, tracker="tensorboard")
    events = EventAccumulator(str(files / "run" / "logs" / "mini")).Reload()
    assert {"step/loss", "step/learning_rate", "epoch/learning_rate", "epoch/top1", "epoch/ema_top1"} <= set(
        events.Tags()["scalars"]
    )
    losses = [event.value for event in events.Scalars("step/loss")]
    assert losses == pytest.approx([float(row[3]) for row in read_losses(files / "run")[1:]])
