"""What a folder is seen to hold."""

import os
from pathlib import Path

import pytest
from searches import SMALL_SPACE

from studio import listing
from studio.workspace import Workspace

SPEC = "name: mine\nstem: vit\nstages:\n  - {block: ffn, depth: 1, width: 16}\n"
FILES = {
    "mine.yaml": SPEC,
    "sub/other.yml": "# a comment\nextends: hiri_s\nset: {stages.3.depth: 12}\n",
    "sub/onward.yaml": 'extends: "../mine.yaml"  # so\n',
    "broken.yaml": SPEC + "  - {block: ffn, depth: [\n",
    "space.yaml": SMALL_SPACE,
    "derived_space.yaml": "extends: space.yaml\n",
    "varied.yaml": "extends: mine.yaml\nstem: {stem: conv, width: {choice: [8, 16]}}\n",
    "recipe.yaml": "epochs: 3\n",
    "derived_recipe.yaml": "extends: recipe.yaml\n",
    "imagenet.yaml": "extends: imagenet\n",
    "pipeline.yaml": "stages: [build, test]\n",
    "round.yaml": "extends: round.yaml\n",
    "outward.yaml": "extends: ../outside.yaml\n",
    "binary.yaml": "\0\0",
    "notes.txt": SPEC,
    ".hidden.yaml": SPEC,
    ".venv/a.yaml": SPEC,
    "node_modules/a.yaml": SPEC,
    "runs/one/study.journal": "",
    "runs/one/best.yaml": SPEC,
    "runs/two/study.journal": "",
}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    root = tmp_path / "root"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (tmp_path / "outside.yaml").write_text(SPEC)
    (root / "linked.yaml").symlink_to(tmp_path / "outside.yaml")
    (root / "linked").symlink_to(tmp_path)
    os.mkfifo(root / "pipe.yaml")
    os.utime(root / "runs" / "one" / "study.journal", (2e9, 2e9))
    return Workspace(root)


def test_what_is_listed(workspace: Workspace) -> None:
    found = workspace.listing()
    assert found.specs == ("broken.yaml", "mine.yaml", "sub/onward.yaml", "sub/other.yml") == workspace.specs()
    assert found.spaces == ("derived_space.yaml", "space.yaml", "varied.yaml")
    assert found.searches == ("runs/one", "runs/two") == workspace.searches()
    assert found.is_whole


def test_a_search_that_is_opened_itself(workspace: Workspace) -> None:
    assert Workspace(workspace.root / "runs" / "one").searches() == (".",)


@pytest.mark.parametrize(("bound", "most"), [("MOST_ENTRIES", 3), ("MOST_LISTED", 2), ("DEEPEST", 0)], ids=str)
def test_a_listing_within_bounds(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, bound: str, most: int) -> None:
    monkeypatch.setattr(listing, bound, most)
    found = workspace.listing()
    assert not found.is_whole
    assert len(found.specs) < 4


def test_a_folder_that_cannot_be_read(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = os.scandir

    def refuse(path: Path) -> object:
        if path.name == "sub":
            raise PermissionError
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert workspace.specs() == ("broken.yaml", "mine.yaml")
