"""An output folder is one process's, and a refusal leaves nothing behind."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from hiri_spec import SpecError
from hiri_spec.locking import LOCK, locked_folder


def test_one_at_a_time(tmp_path: Path) -> None:
    with (
        locked_folder(tmp_path / "out", "run"),
        pytest.raises(SpecError, match=r"another run \(process \d+\) is writing to .*out; wait for it"),
        locked_folder(tmp_path / "out", "run"),
    ):
        raise AssertionError("both have it")  # pragma: no cover
    assert [path.name for path in (tmp_path / "out").iterdir()] == [LOCK]


def test_a_refusal_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no"), locked_folder(tmp_path / "a" / "b", "run"):
        raise SpecError("no")
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_leaves_no_file_where_others_are(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(SpecError, match="no"), locked_folder(tmp_path, "run"):
        raise SpecError("no")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_what_was_written_stays(tmp_path: Path) -> None:
    def fail(out: Path) -> None:
        (out / "checkpoint").touch()
        raise SpecError("later")

    with pytest.raises(SpecError, match="later"), locked_folder(tmp_path / "out", "run") as out:
        fail(out)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["checkpoint"]


def test_an_older_lock_stays(tmp_path: Path) -> None:
    with locked_folder(tmp_path, "run"):
        pass
    with pytest.raises(SpecError, match="no"), locked_folder(tmp_path, "run"):
        raise SpecError("no")
    assert [path.name for path in tmp_path.iterdir()] == [LOCK]


def test_a_lock_that_was_removed_meanwhile_keeps_nobody_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One process opens the lock, and the one that holds it removes it then."""
    (tmp_path / LOCK).touch()
    flock, calls = fcntl.flock, 0

    def removed_before(*arguments: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            (tmp_path / LOCK).unlink()
        flock(*arguments)

    monkeypatch.setattr(fcntl, "flock", removed_before)
    with locked_folder(tmp_path, "run"), pytest.raises(SpecError, match="another run"), locked_folder(tmp_path, "run"):
        raise AssertionError("both have it")  # pragma: no cover
    assert calls == 3


def test_a_lock_that_goes_while_its_owner_is_looked_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that holds a lock and is refused removes it, and another is just about to read whose it is."""
    flock, calls = fcntl.flock, 0

    def removed_after(*arguments: int) -> None:
        nonlocal calls
        calls += 1
        try:
            flock(*arguments)
        except BlockingIOError:
            (tmp_path / LOCK).unlink()
            raise

    with locked_folder(tmp_path, "run"):
        monkeypatch.setattr(fcntl, "flock", removed_after)
        with locked_folder(tmp_path, "run"):
            assert calls == 2
            assert (tmp_path / LOCK).read_text() == str(os.getpid())


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SpecError, match="is a file, not a folder"), locked_folder(tmp_path / "file", "run"):
        raise AssertionError("it has it")  # pragma: no cover
