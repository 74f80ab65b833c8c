"""What a run leaves for people to read."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from trained_runs import train_on_digits

from hiri_spec.train.report import write_report
from hiri_spec.train.run_folder import RunFolder
from hiri_spec.train.watcher import Stepped, Watcher


def test_both_are_written(digits_run: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(digits_run, tmp_path / "run")
    before = {name: (folder / name).read_bytes() for name in ("curves.png", "README.md")}
    told: list[str] = []
    for name in before:
        (folder / name).unlink()
    write_report(RunFolder(folder), told.append)
    assert {name: (folder / name).read_bytes() for name in before} == before
    assert told == []


def test_a_card_changed_by_hand_is_told_of(digits_run: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(digits_run, tmp_path / "run")
    (folder / "README.md").write_text("mine")
    told: list[str] = []
    write_report(RunFolder(folder), told.append)
    assert told == [f"{folder / 'README.md'} was changed by hand and stays as it is"]


class Impatient(Watcher):
    """Stops the run at a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def stepped(self, step: Stepped) -> None:
        if step.step == self.step:
            import os
            import signal

            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize(("step", "has_curves"), [(3, False), (15, True)], ids=["first epoch", "second epoch"])
def test_a_run_that_is_stopped_leaves_a_report_too(tmp_path: Path, step: int, has_curves: bool) -> None:
    folder = train_on_digits(tmp_path, watcher=Impatient(step))
    assert (folder / "curves.png").exists() == has_curves
    assert "The training is not finished" in (folder / "README.md").read_text()
