"""Runs that are stopped, damaged or ruined: they go on, and nothing of them or of others is lost."""

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
from runs import STEPS, Notes, assert_same, read_losses, run

from hiri_spec import SpecError
from hiri_spec.locking import locked_folder
from hiri_spec.train import classification, loop
from hiri_spec.train.checkpoints import list_checkpoints
from hiri_spec.train.evaluation import evaluate
from hiri_spec.train.run import TrainResult
from hiri_spec.train.run_folder import RunFolder
from hiri_spec.train.watcher import Watcher


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
    monkeypatch.setattr(classification.SoftTargetCrossEntropy, "forward", spoiled)
    message = (
        r"the loss is (nan|-?inf) at step 6 \(epoch 2\), at a learning rate of 0.00189193; the last good checkpoint "
        r"is .*step-00000004.pt. Lower optimizer.learning_rate"
    )
    with pytest.raises(SpecError, match=message):
        run(files)
    (kept,) = list_checkpoints(files / "run" / "checkpoints")
    assert read_losses(files / "run")[-1][0] == "6"
    assert RunFolder(files / "run").read_run().status == "failed"
    assert "The training has failed; epochs done: 1." in (files / "run" / "README.md").read_text()
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

    monkeypatch.setattr(classification, "evaluate", spoiled)
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
    monkeypatch.setattr(classification.SoftTargetCrossEntropy, "forward", lambda self, x, target: x.sum() * math.nan)
    with pytest.raises(SpecError, match=r"the loss is nan at step 1 .* there is no checkpoint yet"):
        run(files)
