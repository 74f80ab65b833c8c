"""How far a command is."""

from __future__ import annotations

import pytest

from hiri_spec.commands import progress
from hiri_spec.commands.progress import ImageProgress


def test_lines_now_and_then(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 1.0, 20.0, 21.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(times))
    with ImageProgress(4000) as bar:
        for _ in range(3):
            bar.advance(1000)
    assert capsys.readouterr().err == "2,000 of 4,000 images, 100/s, about 20 s left\n"


def test_less_than_one_a_second_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 8.0, 16.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(times))
    with ImageProgress(8) as bar:
        bar.advance(1)
        bar.advance(4)
    assert capsys.readouterr().err == "5 of 8 images, 0.31/s, about 10 s left\n"


def test_a_bar_on_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    times = iter([0.0, 8000.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(times))
    with ImageProgress(4000) as bar:
        bar.advance(3000)
    told = capsys.readouterr().err
    assert "3000/4000" in told
    assert "left" in told
    assert "images, 0.38/s," in told
    assert "0/s" not in told
