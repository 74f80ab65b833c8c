"""Figures as CSV."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from hiri_spec import SpecError
from hiri_spec.train.logs import LossLog, write_metrics


def write(path: Path, steps: int, *numbers: int) -> list[str]:
    """Open, add, close; returns the lines."""
    log = LossLog(path, steps)
    for number in numbers:
        log.add(number, 1, 0.1, number / 3)
    log.close()
    return path.read_text().splitlines()


def test_losses_are_exact(tmp_path: Path) -> None:
    assert write(tmp_path / "l.csv", 0, 1, 2) == [
        "step,epoch,learning_rate,loss",
        "1,1,0.1,0.3333333333333333",
        "2,1,0.1,0.6666666666666666",
    ]


@pytest.mark.parametrize("rest", ["", "5,1,0.1", "5,1,0.1,1.6\nx,y\n"], ids=["whole", "half-line", "rubbish"])
def test_going_on_takes_out_what_comes_again(rest: str, tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    expected = write(path, 0, 1, 2, 3, 4)
    with path.open("a") as stream:
        stream.write(rest)
    assert write(path, 2, 3, 4) == expected


def test_a_new_run_begins_a_new_file(tmp_path: Path) -> None:
    write(tmp_path / "l.csv", 0, 1, 2)
    assert len(write(tmp_path / "l.csv", 0)) == 1


def test_rows_are_safe_once_flushed(tmp_path: Path) -> None:
    log = LossLog(tmp_path / "l.csv", 0)
    log.add(1, 1, 0.1, 2.0)
    log.flush()
    assert (tmp_path / "l.csv").read_text().endswith("1,1,0.1,2.0\n")
    log.close()


def test_rows_are_to_be_read_before_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 100.0
    monkeypatch.setattr("hiri_spec.train.logs.time.monotonic", lambda: clock)
    log = LossLog(tmp_path / "l.csv", 0)
    for step, seconds in enumerate((1, 3, 2, 1), start=1):
        clock += seconds
        log.add(step, 1, 0.1, 2.0)
    assert [line.split(",")[0] for line in (tmp_path / "l.csv").read_text().splitlines()] == ["step", "1", "2", "3"]
    log.close()


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"l.csv: cannot be written: No such file or directory"):
        LossLog(tmp_path / "none" / "l.csv", 0)


def test_a_full_disk(tmp_path: Path) -> None:
    log = LossLog(tmp_path / "l.csv", 0)
    log._stream.close()
    log._stream = Path("/dev/full").open("w")  # noqa: SIM115
    log._writer = csv.writer(log._stream)
    log.add(1, 1, 0.1, 2.0)
    with pytest.raises(SpecError, match=r"l.csv: cannot be written: No space left on device; make room"):
        log.flush()
    with pytest.raises(SpecError, match=r"No space left on device"):
        log.close()


def test_metrics(tmp_path: Path) -> None:
    rows = [{"epoch": 1, "top1": 50.0, "ema_top1": None}, {"epoch": 2, "top1": 60.5, "ema_top1": 61.0}]
    write_metrics(tmp_path / "m.csv", rows)
    assert (tmp_path / "m.csv").read_text() == "epoch,top1,ema_top1\n1,50.0,\n2,60.5,61.0\n"
