"""Checkpoints: written whole or not at all, the last ones kept, damage found, nothing but data unpickled."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from hiri_spec import SpecError
from hiri_spec.train.checkpoints import list_checkpoints, read_checkpoint, write_checkpoint
from hiri_spec.train.state import VERSION


def state(steps: int) -> dict[str, Any]:
    """What a checkpoint has to have, and a tensor."""
    return {"version": VERSION, "progress": {"steps": steps}, "model": {"weight": torch.full((50, 50), float(steps))}}


def read(folder: Path, notes: list[str] | None = None) -> dict[str, Any] | None:
    return read_checkpoint(folder, ([] if notes is None else notes).append)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "new" / "folder", state(3), keep=2)
    found = read(path.parent)
    assert found is not None
    assert found["progress"] == {"steps": 3}
    assert torch.equal(found["model"]["weight"], torch.full((50, 50), 3.0))


def test_the_last_ones_are_kept(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    for steps in (9, 10, 100):
        write_checkpoint(tmp_path, state(steps), keep=2)
    assert names(tmp_path) == ["notes.txt", "step-00000010.pt", "step-00000100.pt"]
    assert read(tmp_path)["progress"] == {"steps": 100}  # type: ignore[index]


def test_a_step_beyond_eight_digits_is_the_last(tmp_path: Path) -> None:
    for steps in (99_999_999, 100_000_000):
        write_checkpoint(tmp_path, state(steps), keep=2)
    assert [path.name for path in list_checkpoints(tmp_path)] == ["step-99999999.pt", "step-100000000.pt"]


def test_none_at_all(tmp_path: Path) -> None:
    assert read(tmp_path) is None
    assert read(tmp_path / "not there") is None


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flip(content: bytes) -> bytes:
    """Change one bit in the middle of the tensor."""
    place = content.index(torch.full((4,), 20.0).numpy().tobytes()) + 400
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize(
    "spoil",
    [cut, flip, lambda content: b"", lambda content: content[:-1], lambda content: b"\0" * len(content)],
    ids=["cut", "bit", "empty", "last-byte", "zeros"],
)
def test_a_damaged_one_is_told_and_the_one_before_used(spoil: Any, tmp_path: Path) -> None:
    for steps in (10, 20):
        write_checkpoint(tmp_path, state(steps), keep=2)
    last = tmp_path / "step-00000020.pt"
    last.write_bytes(spoil(last.read_bytes()))
    notes: list[str] = []
    assert read(tmp_path, notes)["progress"] == {"steps": 10}  # type: ignore[index]
    assert notes == [f"{last} is damaged, and was put aside as {last.name}.damaged; the one before it is used"]
    assert names(tmp_path) == ["step-00000010.pt", "step-00000020.pt.damaged"]


def test_none_that_is_whole(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, state(10), keep=1).write_bytes(b"half")
    with pytest.raises(SpecError, match=r"holds no checkpoint that is whole; begin anew with --restart"):
        read(tmp_path)


def test_another_version(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, state(1) | {"version": 99}, keep=1)
    with pytest.raises(SpecError, match=r"step-00000001.pt: is of form 99, and this hiri-spec reads 1"):
        read(tmp_path)


class Malicious:
    """Runs something when it is unpickled."""

    def __reduce__(self) -> Any:
        return os.system, ("touch ran",)


@pytest.mark.parametrize("form", ["torch", "pickle"])
def test_no_code_is_run(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "c" / "step-00000001.pt"
    path.parent.mkdir()
    if form == "torch":
        torch.save(state(1) | {"extra": Malicious()}, path)
    else:
        path.write_bytes(pickle.dumps(Malicious()))
    with pytest.raises(SpecError, match=r"holds no checkpoint that is whole"):
        read(path.parent)
    assert not (tmp_path / "ran").exists()


def test_a_full_disk_keeps_what_was_there(tmp_path: Path) -> None:
    """The limit on a file's size makes writing fail as a full disk does, half way."""
    code = f"""
import resource, torch
from pathlib import Path
from hiri_spec import SpecError
from hiri_spec.train.checkpoints import write_checkpoint
from hiri_spec.train.state import VERSION
folder = Path({str(tmp_path)!r})
small = {{"version": VERSION, "progress": {{"steps": 1}}, "model": torch.zeros(10)}}
write_checkpoint(folder, small, keep=1)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write_checkpoint(folder, small | {{"progress": {{"steps": 2}}, "model": torch.zeros(1_000_000)}}, keep=1)
except SpecError as error:
    print(error)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "step-00000002.pt: the checkpoint cannot be written: File too large; step-00000001.pt and those" in told
    assert told.rstrip().endswith("Make room, and run the same command again")
    assert names(tmp_path) == ["step-00000001.pt"]
    assert read(tmp_path) is not None


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpecError, match=r"cannot be written: (File exists|Not a directory); there is none before it"):
        write_checkpoint(tmp_path / "file", state(1), keep=1)
