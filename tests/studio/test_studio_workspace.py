"""The opened folder: files are read and written as they were meant, nothing is lost, and nothing leads out."""

import os
import pickle
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hiri_spec import SpecError
from hiri_spec.document import MAX_BYTES
from studio.workspace import Conflict, Workspace

TEXT = "name: mine\nstem: vit\nstages:\n  - {block: ffn, depth: 1, width: 16}\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside.yaml").write_text("secret: yes\n")
    return Workspace(root)


def test_written_and_read(workspace: Workspace) -> None:
    version = workspace.write("specs/mine.yaml", TEXT, expected=None)
    opened = workspace.read("specs/mine.yaml")
    assert (opened.path, opened.text, opened.version) == ("specs/mine.yaml", TEXT, version)
    again = workspace.write("specs/mine.yaml", TEXT + "# é\r\n", expected=version)
    assert workspace.read("specs/mine.yaml").text == TEXT + "# é\r\n"
    assert again != version
    assert [path.name for path in (workspace.root / "specs").iterdir()] == ["mine.yaml"]
    assert (workspace.root / "specs" / "mine.yaml").stat().st_mode & 0o777 == 0o644


def test_a_mark_of_byte_order_is_no_text(workspace: Workspace) -> None:
    (workspace.root / "mine.yaml").write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    opened = workspace.read("mine.yaml")
    assert opened.text == TEXT
    workspace.write("mine.yaml", TEXT, expected=opened.version)


def test_a_file_that_was_changed_meanwhile(workspace: Workspace) -> None:
    version = workspace.write("mine.yaml", TEXT, expected=None)
    (workspace.root / "mine.yaml").write_text("theirs: 1\n")
    with pytest.raises(Conflict, match=r"mine\.yaml: was changed by somebody else since it was opened") as caught:
        workspace.write("mine.yaml", TEXT, expected=version)
    current = caught.value.current
    assert current is not None
    assert current.text == "theirs: 1\n" == (workspace.root / "mine.yaml").read_text()
    workspace.write("mine.yaml", TEXT, expected=current.version)
    assert pickle.loads(pickle.dumps(caught.value)).current == current


def test_a_file_that_was_removed_meanwhile(workspace: Workspace) -> None:
    version = workspace.write("mine.yaml", TEXT, expected=None)
    (workspace.root / "mine.yaml").unlink()
    with pytest.raises(Conflict, match="is not there any more") as caught:
        workspace.write("mine.yaml", TEXT, expected=version)
    assert caught.value.current is None
    assert not (workspace.root / "mine.yaml").exists()
    assert workspace.overwrite("mine.yaml", TEXT) == version


def test_a_file_that_is_there_already(workspace: Workspace) -> None:
    (workspace.root / "mine.yaml").write_text("theirs: 1\n")
    with pytest.raises(Conflict, match="is there already; open it, or choose another name"):
        workspace.write("mine.yaml", TEXT, expected=None)
    assert (workspace.root / "mine.yaml").read_text() == "theirs: 1\n"


def test_of_many_that_save_at_once_one_wins(workspace: Workspace) -> None:
    version = workspace.write("mine.yaml", TEXT, expected=None)
    won: list[int] = []

    def save(number: int) -> None:
        try:
            workspace.write("mine.yaml", f"{TEXT}# {number}\n", expected=version)
        except Conflict:
            return
        won.append(number)

    threads = [threading.Thread(target=save, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert workspace.read("mine.yaml").text == f"{TEXT}# {won[0]}\n"


@pytest.mark.parametrize(
    ("path", "match"),
    [
        ("../outside.yaml", r"\.\./outside\.yaml: leads out of the opened folder"),
        ("a/../../outside.yaml", "leads out of the opened folder"),
        ("/etc/passwd", "/etc/passwd: leads out of the opened folder"),
        ("", "'' is no path in this folder"),
        ("./", r"'\./' is no path in this folder"),
        (".", r"is (a folder|no name of a spec)"),
        ("a\0.yaml", "is no path in this folder"),
        ("a\n.yaml", "is no path in this folder"),
        ("a\\b.yaml", "is no path in this folder"),
        (".git/config", "is hidden"),
        ("a/.env.yaml", "is hidden"),
        ("link.yaml", "is a link that leads out of the opened folder"),
        ("linked/outside.yaml", "is a link that leads out of the opened folder"),
        ("round.yaml", r"round\.yaml: cannot be "),
        ("folder.yaml", "is (a folder|no file)"),
        ("pipe.yaml", "is no file"),
        (f"{'a' * 300}.yaml", "(cannot be|File name too long)"),
        ("missing.yaml/deeper.yaml", "(cannot be|no such file)"),
    ],
    ids=lambda value: value[:24].encode("unicode_escape").decode(),
)
@pytest.mark.parametrize("action", ["read", "write", "overwrite"])
def test_what_is_refused(workspace: Workspace, action: str, path: str, match: str) -> None:
    root = workspace.root
    (root / "link.yaml").symlink_to(root.parent / "outside.yaml")
    (root / "linked").symlink_to(root.parent)
    (root / "round.yaml").symlink_to("round.yaml")
    (root / "folder.yaml").mkdir()
    (root / "missing.yaml").write_text("")
    os.mkfifo(root / "pipe.yaml")
    actions: dict[str, Callable[[], object]] = {
        "read": lambda: workspace.read(path),
        "write": lambda: workspace.write(path, TEXT, expected=None),
        "overwrite": lambda: workspace.overwrite(path, TEXT),
    }
    with pytest.raises(SpecError, match=match):
        actions[action]()
    assert (root.parent / "outside.yaml").read_text() == "secret: yes\n"
    assert len(list(root.parent.iterdir())) == 2


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"#" * (MAX_BYTES + 1), "is larger than 1,000,000 bytes"),
        (None, "no such file in the opened folder"),
    ],
    ids=["latin", "large", "missing"],
)
def test_what_is_no_text(workspace: Workspace, content: bytes | None, match: str) -> None:
    if content is not None:
        (workspace.root / "a.yaml").write_bytes(content)
    with pytest.raises(SpecError, match=rf"a\.yaml: {match}"):
        workspace.read("a.yaml")


@pytest.mark.parametrize(
    ("path", "text", "match"),
    [
        ("a.yaml", "\ud800", "can't be written as UTF-8; remove it"),
        ("a.yaml", "é" * MAX_BYTES, "would be 2,000,000 bytes; a spec has at most 1,000,000"),
        ("runs/x/study.journal", TEXT, r"is no name of a spec; let it end in \.yaml or \.yml"),
        ("a", TEXT, r"is no name of a spec; let it end in \.yaml or \.yml"),
    ],
    ids=["surrogate", "large", "journal", "bare"],
)
def test_what_is_not_written(workspace: Workspace, path: str, text: str, match: str) -> None:
    with pytest.raises(SpecError, match=match):
        workspace.write(path, text, expected=None)
    assert not list(workspace.root.iterdir())


def test_a_link_that_stays_inside_is_followed(workspace: Workspace) -> None:
    version = workspace.write("specs/mine.yaml", TEXT, expected=None)
    (workspace.root / "again.yaml").symlink_to("specs/mine.yaml")
    workspace.write("again.yaml", TEXT + "#\n", expected=version)
    assert workspace.read("specs/mine.yaml").text == TEXT + "#\n"
    assert (workspace.root / "again.yaml").is_symlink()


@given(st.text(st.characters() | st.sampled_from("./\\\0~")))
def test_no_path_leads_out(path: str) -> None:
    workspace = Workspace(Path(__file__).parent)
    try:
        place = workspace.locate(path)
    except SpecError:
        return
    assert place.is_relative_to(workspace.root)


@pytest.mark.parametrize(
    ("name", "match"), [("none", "cannot be opened: No such file"), ("file", "is no folder")], ids=["missing", "file"]
)
def test_what_is_no_workspace(tmp_path: Path, name: str, match: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpecError, match=match):
        Workspace(tmp_path / name)
