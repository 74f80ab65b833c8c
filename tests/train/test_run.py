"""Whole runs in this process: what they leave, how they go on, and what is refused before the first step."""

from __future__ import annotations

import math
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from runs import CLASSES, STEPS, Notes, assert_same, read_losses, read_metrics, run, weights
from safetensors.torch import load_file

import hiri_spec
from hiri_spec import SpecError
from hiri_spec.locking import locked_folder
from hiri_spec.train import loop
from hiri_spec.train.checkpoints import list_checkpoints
from hiri_spec.train.evaluation import evaluate
from hiri_spec.train.run import TrainResult
from hiri_spec.train.run_folder import RunFolder
from hiri_spec.train.watcher import Watcher


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
    from hiri_spec.train.evaluation import evaluate

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
        assert found is not None
        assert found.top1 == pytest.approx(expected)


def test_the_same_again_is_the_same(finished: tuple[Path, TrainResult], tmp_path: Path) -> None:
    run(finished[0], str(tmp_path / "again"))
    assert_same(tmp_path / "again", finished[0] / "run")


def test_a_finished_run_says_so(finished: tuple[Path, TrainResult]) -> None:
    folder, result = finished
    before = {path: path.stat().st_mtime_ns for path in (folder / "run").rglob("*") if path.name != ".lock"}
    again = run(folder, watcher=(notes := Notes()))
    assert (again.status, again.rows, again.steps) == ("already_finished", result.rows, result.steps)
    assert notes.steps == []
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize("step", [2, STEPS, STEPS + 3], ids=["within", "end-of-epoch", "later"])
def test_an_interrupted_run_goes_on(step: int, finished: tuple[Path, TrainResult], tmp_path: Path) -> None:
    def interrupt(now: int) -> None:
        if now == step:
            os.kill(os.getpid(), signal.SIGINT)

    out = tmp_path / "run"
    stopped = run(finished[0], str(out), watcher=Notes(interrupt))
    assert (stopped.status, stopped.steps, stopped.signal) == ("interrupted", step, signal.SIGINT)
    assert RunFolder(out).read_run().status == "interrupted"
    notes = Notes()
    assert run(finished[0], str(out), watcher=notes).status == "finished"
    assert notes.start is not None
    assert notes.start.steps == step
    assert notes.steps == list(range(step + 1, 3 * STEPS + 1))
    assert_same(out, finished[0] / "run")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_interrupted_while_it_evaluates(finished: tuple[Path, TrainResult], tmp_path: Path) -> None:
    class Interrupting(Watcher):
        def evaluating(self, what: str) -> None:
            os.kill(os.getpid(), signal.SIGTERM)

    out = tmp_path / "run"
    stopped = run(finished[0], str(out), watcher=Interrupting())
    assert (stopped.status, stopped.steps, stopped.rows, stopped.signal) == ("interrupted", STEPS, [], signal.SIGTERM)
    assert run(finished[0], str(out)).status == "finished"
    assert_same(out, finished[0] / "run")


def test_an_impatient_user(files: Path) -> None:
    def interrupt_twice(now: int) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        run(files, watcher=Notes(interrupt_twice))


def test_a_damaged_checkpoint(finished: tuple[Path, TrainResult], tmp_path: Path) -> None:
    """The one before is used, and the result is the same."""
    out = tmp_path / "run"

    def interrupt(now: int) -> None:
        if now == 7:
            os.kill(os.getpid(), signal.SIGINT)

    run(finished[0], str(out), watcher=Notes(interrupt), set={"checkpointing.every_steps": 3})
    paths = list_checkpoints(out / "checkpoints")
    assert [path.name for path in paths] == ["step-00000006.pt", "step-00000007.pt"]
    paths[1].write_bytes(paths[1].read_bytes()[:1000])
    notes = Notes()
    run(finished[0], str(out), watcher=notes)
    assert "step-00000007.pt is damaged" in notes.notes[0]
    assert notes.steps[0] == 7
    assert_same(out, finished[0] / "run")


@pytest.mark.parametrize("spoil", ["damaged", "removed"])
def test_a_run_without_checkpoints_is_not_trained_over(spoil: str, files: Path) -> None:
    """However often the command is repeated."""

    def interrupt(now: int) -> None:
        if now == 6:
            os.kill(os.getpid(), signal.SIGINT)

    run(files, watcher=Notes(interrupt))
    for path in list_checkpoints(files / "run" / "checkpoints"):
        path.write_bytes(path.read_bytes()[:1000]) if spoil == "damaged" else path.unlink()
    losses = read_losses(files / "run")
    for _ in range(2):
        with pytest.raises(SpecError, match=r"holds no checkpoint .*; begin anew with --restart, or in another folder"):
            run(files)
        assert read_losses(files / "run") == losses
    assert run(files, restart=True).status == "finished"


def test_a_finished_run_needs_no_checkpoints(finished: tuple[Path, TrainResult], tmp_path: Path) -> None:
    folder, before = finished
    shutil.copytree(folder / "run", tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    again = run(folder, str(tmp_path / "run"))
    assert (again.status, again.steps) == ("already_finished", before.steps)
    assert [row["top1"] for row in again.rows] == [row["top1"] for row in before.rows]


def test_another_run_in_the_folder(finished: tuple[Path, TrainResult]) -> None:
    with pytest.raises(SpecError, match=r"holds another run: stages\[1\].depth was 2, is 3; optimizer.learning_rate"):
        run(finished[0], set={"stages.1.depth": 3, "optimizer.learning_rate": 1})


def test_restart(files: Path) -> None:
    run(files, flags={"epochs": 2})
    (files / "run" / "notes.txt").write_text("mine")
    result = run(files, restart=True, set={"distillation": "none", "schedule.warmup_epochs": 0}, flags={"epochs": 1})
    assert (result.status, result.steps) == ("finished", STEPS)
    assert not (files / "run" / "last_ema").exists()
    assert (files / "run" / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["README.md", "checkpoints/precious.bin", "best/notes.txt"])
def test_restart_where_there_is_no_run(name: str, files: Path) -> None:
    mine = files / "run" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(SpecError, match=r"run holds \S+, which no run wrote; name another folder"):
        run(files, restart=True)
    assert mine.read_text() == "mine"


def test_two_at_once(files: Path) -> None:
    with (
        locked_folder(files / "run", "run"),
        pytest.raises(SpecError, match=rf"another run \(process {os.getpid()}\) is writing"),
    ):
        run(files)


@pytest.mark.parametrize("value", [math.nan, math.inf], ids=str)
def test_a_loss_that_is_no_number(value: float, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoiled(self: torch.nn.Module, x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        spoiled.calls += 1  # type: ignore[attr-defined]
        return x.mean() * (value if spoiled.calls == 6 else 1)  # type: ignore[attr-defined]

    spoiled.calls = 0  # type: ignore[attr-defined]
    monkeypatch.setattr(loop.SoftTargetCrossEntropy, "forward", spoiled)
    message = (
        r"the loss is (nan|-?inf) at step 6 \(epoch 2\), at a learning rate of 0.00189193; the last good checkpoint "
        r"is .*step-00000004.pt. Lower optimizer.learning_rate"
    )
    with pytest.raises(SpecError, match=message):
        run(files)
    (kept,) = list_checkpoints(files / "run" / "checkpoints")
    assert read_losses(files / "run")[-1][0] == "6"
    assert RunFolder(files / "run").read_run().status == "failed"
    assert "The training has failed: 1 epochs are done." in (files / "run" / "README.md").read_text()
    monkeypatch.undo()
    with pytest.raises(SpecError, match=r"optimizer\.learning_rate was 0\.003, is 0\.001"):
        run(files, set={"optimizer.learning_rate": 1e-3})
    anew = run(files, "anew", init_from=kept, set={"optimizer.learning_rate": 1e-3})
    assert anew.status == "finished"


@pytest.mark.parametrize("name", ["its", "an average's"])
def test_a_held_out_loss_that_is_no_number(name: str, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What gives it is no checkpoint to go on from, though the losses in training were numbers."""
    count = iter(range(100))

    def spoiled(model: torch.nn.Module, *rest: Any, **options: Any) -> Any:
        is_average = next(count) % 2
        scores = evaluate(model, *rest, **options)
        assert scores is not None
        return replace(scores, loss=math.nan) if is_average == (name != "its") else scores

    monkeypatch.setattr(loop, "evaluate", spoiled)
    of_average = "" if name == "its" else " of the average"
    told = rf"the loss{of_average} on held-out images is nan after step 4 \(epoch 1\); there is no checkpoint yet"
    with pytest.raises(SpecError, match=told):
        run(files)
    assert not (files / "run" / "best").exists()


def test_weights_that_are_no_numbers(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a last step whose own loss was a number."""
    step = loop.Loop._step

    def spoiled(self: loop.Loop, batches: Any) -> torch.Tensor:
        loss = step(self, batches)
        if self._parts.progress.steps == 6:
            next(self._parts.model.parameters()).data.fill_(math.inf)
        return loss

    monkeypatch.setattr(loop.Loop, "_step", spoiled)
    with pytest.raises(SpecError, match=r"weights are no numbers after step 6; the last good checkpoint is .*00004.pt"):
        run(files, set={"checkpointing.every_steps": 6})


def test_a_loss_that_is_no_number_at_once(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop.SoftTargetCrossEntropy, "forward", lambda self, x, target: x.sum() * math.nan)
    with pytest.raises(SpecError, match=r"the loss is nan at step 1 .* there is no checkpoint yet"):
        run(files)


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
        ({"flags": {"epochs": 1}}, r"--epochs: 1 leaves nothing after schedule.warmup_epochs=1"),
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
    assert not RunFolder(files / "run").holds_run


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
