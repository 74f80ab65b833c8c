"""Which data a source names, and what to say of one that names none."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from hiri_spec.errors import SpecError
from hiri_spec.tasks.data import open_scenes
from hiri_spec.tasks.data.shape_files import write_ade, write_coco
from hiri_spec.tasks.data.shapes import ShapesOptions
from hiri_spec.tasks.heads import HEADS

OPTIONS = ShapesOptions(train=2, validation=1, size=32)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sources")
    write_coco(root / "objects", OPTIONS)
    write_ade(root / "pixels", OPTIONS)
    write_coco(root / "both", OPTIONS)
    write_ade(root / "both", OPTIONS)
    (root / "empty").mkdir()
    (root / "file").touch()
    (root / "coco2014" / "annotations").mkdir(parents=True)
    (root / "coco2014" / "annotations" / "instances_train2014.json").touch()
    return root


@pytest.mark.parametrize(
    ("name", "head", "classes"),
    [("objects", "gfl", 4), ("pixels", "upernet", 5), ("both", "mask_rcnn", 4), ("both", "upernet", 5)],
)
def test_a_folder_is_what_lies_in_it(folders: Path, name: str, head: str, classes: int) -> None:
    scenes = open_scenes(folders / name, "train", HEADS[head])
    assert len(scenes) == 2
    assert len(scenes.class_names) == classes
    assert len(open_scenes(str(folders / name), "validation", HEADS[head])) == 1


@pytest.mark.parametrize(
    ("name", "head", "message"),
    [
        (
            "objects",
            "upernet",
            r"objects: has objects \(COCO's layout\), and upernet learns a class for each pixel; use a",
        ),
        (
            "pixels",
            "atss",
            r"pixels: has a class for each pixel \(ADE20K's layout\), and atss learns objects; use upernet",
        ),
        ("empty", "atss", r"empty: has no annotations/instances_train2017.json and train2017/ .* in it; it is empty"),
        ("empty", "upernet", r"empty: has no images/training/ and annotations/training/ .* in it; it is empty"),
        ("coco2014", "gfl", r"there are 'annotations', 'annotations/instances_train2014.json'"),
        ("file", "gfl", r"file: is a file; name the folder that the data set lies in"),
        ("object", "gfl", r"object: no such folder, and no built-in data of that name; did you mean 'objects'"),
    ],
    ids=["objects", "pixels", "empty", "no pixels", "another year", "file", "misspelt"],
)
def test_a_folder_without_what_a_head_learns(folders: Path, name: str, head: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        open_scenes(folders / name, "train", HEADS[head])


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "names nothing; name a folder, or use shapes"),
        ("shape", "no such folder, and no built-in data of that name; did you mean 'shapes'"),
        ("digits", "digits: no such folder, and no built-in data of that name"),
    ],
    ids=["nothing", "nearly", "of classes"],
)
def test_names_of_no_scenes(source: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecError, match=message):
        open_scenes(source, "train", HEADS["gfl"])


def test_hidden_folders_are_not_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    with pytest.raises(SpecError, match=r"gti: no such folder, and no built-in data of that name; known: shapes$"):
        open_scenes("gti", "train", HEADS["gfl"])


def test_a_split_that_is_none() -> None:
    split: Any = "test"
    with pytest.raises(SpecError, match="'test' is no split; use train or validation"):
        open_scenes("shapes", split, HEADS["gfl"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_of_scenes_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    with pytest.raises(SpecError, match=r"can't be read: Permission denied; give yourself the right to read it"):
        open_scenes(tmp_path / "closed", "train", HEADS["gfl"])
