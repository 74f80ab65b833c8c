"""What the argument of `hiri-spec studio` opens."""

from __future__ import annotations

from pathlib import Path

import pytest

from hiri_spec import SpecError, load, save
from studio.opening import Opening, find_opening


@pytest.fixture
def here(tmp_path: Path) -> Path:
    folder = tmp_path / "here"
    (folder / "specs").mkdir(parents=True)
    (folder / "runs" / "found").mkdir(parents=True)
    (folder / "runs" / "found" / "study.journal").write_text("")
    save(load("hiri_s"), folder / "specs" / "mine.yaml")
    save(load("hiri_s"), tmp_path / "above.yaml")
    return folder


def test_nothing_named_opens_the_current_folder(here: Path) -> None:
    assert find_opening(None, here) == Opening(here, builtin="hiri_s")


def test_a_built_in_spec_has_no_file(here: Path) -> None:
    opening = find_opening("hiri_b", here)
    assert opening == Opening(here, builtin="hiri_b")
    assert opening.query == "?builtin=hiri_b"


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("specs/mine.yaml", {"folder": "", "file": "specs/mine.yaml"}),
        ("../above.yaml", {"folder": "..", "file": "above.yaml"}),
        ("runs/found", {"folder": "", "search": "runs/found"}),
        ("specs", {"folder": "specs", "builtin": "hiri_s"}),
    ],
    ids=["file", "file-elsewhere", "search", "folder"],
)
def test_what_is_named(here: Path, monkeypatch: pytest.MonkeyPatch, named: str, expected: dict[str, str]) -> None:
    monkeypatch.chdir(here)
    folder = (here / expected.pop("folder")).resolve()
    assert find_opening(named, here) == Opening(folder, **expected)  # type: ignore[arg-type]


def test_the_current_folder_may_be_a_search(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = here / "runs" / "found"
    monkeypatch.chdir(run)
    assert find_opening(".", run) == Opening(here / "runs", search="found")


@pytest.mark.parametrize("named", ["hiri_z", "specs/none.yaml", ""])
def test_what_is_not_there(here: Path, monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    monkeypatch.chdir(here)
    with pytest.raises(SpecError, match=r"no file|no such file"):
        find_opening(named, here)
