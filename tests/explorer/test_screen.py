"""What is told while a search goes on: on a terminal, in a file, on a narrow one, without colours."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from explorer.budget import Budget, Feasibility
from explorer.results import Failed, Member, SearchResult
from explorer.screen import Screen
from explorer.space import load_space
from explorer.watching import Started


def opened(
    monkeypatch: pytest.MonkeyPatch, trials: int, finished: tuple[Member, ...] = (), *, is_terminal: bool = True
) -> tuple[Screen, io.StringIO]:
    """A screen of 80 columns on which a search has begun, and what it shows."""
    shown = io.StringIO()
    terminal = Console(file=shown, width=80, force_terminal=is_terminal, color_system=None, legacy_windows=False)
    monkeypatch.setattr("explorer.screen.console", lambda stderr: terminal)
    screen = Screen()
    feasibility = Feasibility(2000, 0.5, 0.1)
    screen.started(Started(load_space(), Budget(1), feasibility, (448, 448), Path("x"), trials, finished, 0))
    return screen, shown


def last_line(screen: Screen, shown: io.StringIO) -> str:
    screen._progress.refresh()
    line = shown.getvalue().replace("\r", "\n").rstrip().rsplit("\n", 1)[-1]
    return line.replace("\x1b[2K", "").rstrip()


def failure_of(member: Member, reason: str) -> Failed:
    return Failed(1, reason, Path("failed-1.yaml"), member.spec, member.macs, member.params, member.values)


def test_only_the_best_gives_way_on_a_narrow_terminal(found: SearchResult, monkeypatch: pytest.MonkeyPatch) -> None:
    screen, shown = opened(monkeypatch, 3000)
    long = replace(found.best, spec=found.best.spec.model_copy(update={"stages": found.best.spec.stages * 4}))
    screen.failed(failure_of(long, "no luck"))
    screen.tried(found.best, long)
    line = last_line(screen, shown)
    screen.close()
    assert re.search(r" 1/3000 [0-9.e+]+ (trials/s|s/trial), [0-9:]+ left, front 1, 1 failed, best .*…", line)
    assert len(line) <= 80


def test_the_front_of_earlier_runs_counts(found: SearchResult, monkeypatch: pytest.MonkeyPatch) -> None:
    *earlier, last = found.members
    screen, shown = opened(monkeypatch, 12, tuple(earlier))
    screen.tried(last, found.best)
    line = last_line(screen, shown)
    screen.close()
    assert " 12/12 " in line
    assert f", 0:00:00 left, front {len(found.front)}, best {found.best.score:.2f}: " in line


def test_lines_where_there_is_no_terminal(found: SearchResult, monkeypatch: pytest.MonkeyPatch) -> None:
    screen, shown = opened(monkeypatch, 300, is_terminal=False)
    for member in found.members:
        screen.tried(member, found.best)
    told = " ".join(shown.getvalue().split())
    first = f"front 1, best {found.best.score:.2f}: {found.best.sketch}, {found.best.macs / 1e9:.3f} GMACs"
    assert re.search(r"1/300, [0-9.e+]+ trials/s, 0:0\d:\d\d left, " + re.escape(first), told)
    assert "12/300" not in told  # a line now and then
    assert "\x1b" not in told


def test_what_is_stopped_moves_on(found: SearchResult, monkeypatch: pytest.MonkeyPatch) -> None:
    screen, shown = opened(monkeypatch, 12)
    screen.halted(failure_of(found.best, "no better than half"))
    assert re.search(r" 1/12 .* front 0, 1 stopped early$", last_line(screen, shown))
    screen.tried(found.best, found.best)
    assert re.search(r" 2/12 .* front 1, 1 stopped early, best ", last_line(screen, shown))
    screen.close()


def test_the_best_are_evaluated_further(found: SearchResult, monkeypatch: pytest.MonkeyPatch) -> None:
    screen, shown = opened(monkeypatch, 12)
    for member in found.members:
        screen.tried(member, found.best)
    screen.narrowed("train:digits", 5, 2)
    assert "then train:digits for the best 5" in shown.getvalue()
    screen.tried(found.members[0], found.members[0])
    assert re.search(r" 3/5 .* front 1, best ", last_line(screen, shown))
    screen.noted("waiting for the database")
    screen.close()
    assert "waiting for the database" in shown.getvalue()


def test_texts_of_users_are_no_markup(found: SearchResult, monkeypatch: pytest.MonkeyPatch) -> None:
    screen, shown = opened(monkeypatch, 3, is_terminal=False)
    screen.failed(failure_of(found.best, "ValueError: [bold]no[/bold] [/nonsense]"))
    assert "trial 1 failed: ValueError: [bold]no[/bold] [/nonsense] (failed-1.yaml)" in " ".join(
        shown.getvalue().split()
    )
