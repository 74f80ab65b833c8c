"""Files and folders of images, as they are named on a command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest

from hiri_spec import SpecError
from hiri_spec.train.data.image_files import list_images


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("10.jpg", "2.JPG", "1.png", "note.txt", "odd", "b/c/3.png", "b/20.webp", ".hidden/4.png", ".5.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_folders_are_gone_through_in_natural_order(folder: Path) -> None:
    found = [str(path.relative_to(folder)) for path in list_images([folder])]
    assert found == ["1.png", "2.JPG", "10.jpg", "b/20.webp", "b/c/3.png"]


def test_files_are_taken_as_they_are_named(folder: Path) -> None:
    named = [folder / "odd", folder / "10.jpg", folder / ".5.png", folder / "b"]
    assert list_images(map(str, named)) == [*named[:3], folder / "b/20.webp", folder / "b/c/3.png"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("10.jgp", r"10\.jgp: no such file or folder; did you mean '10\.jpg'"),
        ("hidden", r"hidden: no such file or folder; known: "),
        ("no/such/folder", "no/such/folder: no such file or folder$"),
        (".hidden/..", None),
        ("empty", r"empty: has no images \(\.jpg, .*\) in it; name another folder, or files"),
    ],
    ids=["typo", "a hidden one", "nowhere", "there", "empty"],
)
def test_what_is_not_there(folder: Path, name: str, message: str | None) -> None:
    (folder / "empty").mkdir()
    if message is None:
        assert list_images([folder / name])
        return
    with pytest.raises(SpecError, match=message):
        list_images([folder / name])


def test_a_folder_that_cannot_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(place: str) -> NoReturn:
        raise PermissionError(13, "Permission denied", str(place))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(SpecError, match="can't be read: Permission denied; give yourself the right to read it"):
        list_images([folder])
