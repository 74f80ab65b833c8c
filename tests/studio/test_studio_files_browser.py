"""Files on the page, in a headless browser: nothing is lost or overwritten unseen, nothing outside is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect
from studios import IN_BROWSER, SPEC, Seen, Studio, start_studio

from hiri_spec import cost

pytestmark = IN_BROWSER
SECRET = "a secret of another folder"

Open = Callable[..., Seen]


def state(seen: Seen) -> Locator:
    return seen.page.locator(".studio-state")


def notice(seen: Seen) -> Locator:
    return seen.page.locator(".q-notification")


@pytest.fixture
def outside(studio: Studio, tmp_path: Path) -> Iterator[Path]:
    """A file beside the opened folder, with a link to it inside."""
    file = studio.folder.parent / "secret.yaml"
    file.write_text(f"name: x  # {SECRET}\n")
    link = studio.folder / "link.yaml"
    link.symlink_to(file)
    yield file
    link.unlink()
    file.unlink()


@pytest.mark.parametrize(
    "name",
    [
        "../secret.yaml",
        "link.yaml",
        "/etc/passwd",
        "%2e%2e%2fsecret.yaml",
        "a%00b",
        "/dev/zero",
        "..",
        ".",
        "",
        "no.yaml",
    ],
    ids=["above", "link", "absolute", "encoded", "nul", "device", "parent", "folder", "empty", "missing"],
)
def test_only_files_of_the_folder_are_read(visit: Open, outside: Path, name: str) -> None:
    seen = visit(f"?file={name}")
    expect(notice(seen)).to_be_visible()
    assert SECRET not in seen.page.content()
    assert "root:" not in seen.page.content()
    seen.expect_text(SPEC)  # the built-in one in place of it
    expect(seen.page.locator(".studio-state")).to_have_text("not a file yet")
    seen.check()


@pytest.mark.parametrize("name", ["../new.yaml", "/tmp/new.yaml", "link.yaml", "new", "sub/../../new.yaml", "."])
def test_only_files_of_the_folder_are_written(show: Open, studio: Studio, outside: Path, name: str) -> None:
    seen = show()
    before = outside.read_text()
    seen.button("Save as").click()
    seen.page.get_by_label("File in the opened folder").fill(name)
    seen.button("Save").last.click()
    if name == "new":  # a name without an ending is told, or it is one
        expect(seen.page.locator(".q-notification, .studio-name").filter(has_text="new")).to_be_visible()
    else:
        expect(notice(seen)).to_be_visible()
        expect(seen.page.locator(".studio-name")).to_have_text("mine.yaml")
    assert outside.read_text() == before
    assert not (studio.folder.parent / "new.yaml").exists()
    seen.check()


@pytest.mark.parametrize("change", ["written", "removed", "made a folder"])
def test_what_another_program_does_is_asked_about(show: Open, studio: Studio, change: str) -> None:
    name = f"{change.replace(' ', '_')}.yaml"
    seen = show(name)
    file = studio.folder / name
    if change == "written":
        file.write_text("name: of another program\n")
    else:
        file.unlink()
    if change == "made a folder":
        file.mkdir()
    seen.type_at_line(4, "_mine")
    seen.button("Save").click()
    if change == "made a folder":
        expect(notice(seen)).to_contain_text(name)
        expect(state(seen)).to_have_text("changed")
        seen.check()
        return
    dialog = seen.page.get_by_role("dialog")
    expect(dialog).to_contain_text(name)
    seen.button("Cancel").click()
    expect(dialog).to_have_count(0)
    expect(state(seen)).to_have_text("changed")
    assert not file.exists() if change == "removed" else file.read_text() == "name: of another program\n"
    seen.button("Save").click()
    seen.button("Write over it").click()
    expect(state(seen)).to_have_text("saved")
    assert file.read_text() == seen.text == SPEC.replace("name: hiri_s", "name: hiri_s_mine")
    seen.check()


def test_what_exists_is_not_written_over_by_save_as(show: Open, studio: Studio) -> None:
    seen = show()
    (studio.folder / "taken.yaml").write_text("name: taken\n")
    seen.button("Save as").click()
    seen.page.get_by_label("File in the opened folder").fill("taken.yaml")
    seen.page.keyboard.press("Enter")
    dialog = seen.page.get_by_role("dialog", name="Write over it?")
    expect(dialog).to_contain_text("taken.yaml")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    assert (studio.folder / "taken.yaml").read_text() == "name: taken\n"
    expect(seen.page.locator(".studio-name")).to_have_text("mine.yaml")
    seen.check()


def test_what_cannot_be_written_is_told(show: Open, studio: Studio) -> None:
    seen = show("kept.yaml")
    seen.button("Save as").click()
    seen.page.get_by_label("File in the opened folder").fill("kept.yaml/under.yaml")  # which no user may, root or not
    seen.button("Save").last.click()
    expect(notice(seen)).to_contain_text("kept.yaml")
    seen.type_at_line(4, "_mine")
    expect(state(seen)).to_have_text("changed")
    assert (studio.folder / "kept.yaml").read_text() == SPEC
    seen.check()


@pytest.mark.parametrize(
    "fragment",
    ["#spec=", "#spec=!!!", "#spec=AAAA", "#spec=" + "A" * 300_000, "#spec=%F0%9F%98%80", "#spec=eJwDAAAAAAE"],
    ids=["empty", "letters", "damaged", "long", "smile", "nothing"],
)
def test_a_damaged_link_is_told(show: Open, fragment: str) -> None:
    seen = show(fragment=fragment)
    expect(notice(seen)).to_be_visible()
    seen.expect_text(SPEC)
    expect(seen.page.locator(".studio-name")).to_have_text("mine.yaml")
    seen.check()


def reload(seen: Seen) -> None:
    seen.page.reload()
    seen.page.locator('.studio-editor[data-ready="true"]').wait_for()


def test_loading_the_page_again_keeps_the_file(show: Open) -> None:
    seen = show("again.yaml")
    seen.type_at_line(4, "_mine")
    seen.button("Save").click()
    expect(state(seen)).to_have_text("saved")
    reload(seen)
    expect(seen.page.locator(".studio-name")).to_have_text("again.yaml")
    expect(seen.editor).to_contain_text("hiri_s_mine")
    expect(seen.page.get_by_role("alert").filter(has_text="another page")).to_be_hidden()
    seen.button("Save as").click()
    seen.page.get_by_label("File in the opened folder").fill("renamed.yaml")
    seen.button("Save").last.click()
    expect(seen.page).to_have_url(f"{seen.origin}/?file=renamed.yaml")
    reload(seen)
    expect(seen.page.locator(".studio-name")).to_have_text("renamed.yaml")
    seen.check()


def test_loading_the_page_again_keeps_what_is_not_saved(show: Open, studio: Studio) -> None:
    seen = show("unsaved.yaml")
    asked: list[str] = []
    seen.page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    seen.type_at_line(4, "_mine")
    expect(state(seen)).to_have_text("changed")
    typed = seen.text
    (studio.folder / "unsaved.yaml").write_text("name: of another program\n")
    reload(seen)
    assert asked == ["beforeunload"]
    expect(notice(seen)).to_contain_text("not saved")
    expect(state(seen)).to_have_text("changed")
    seen.expect_text(typed)
    seen.button("Save").click()
    expect(seen.page.get_by_role("dialog")).to_contain_text("unsaved.yaml")
    seen.button("Cancel").click()
    assert (studio.folder / "unsaved.yaml").read_text() == "name: of another program\n"
    seen.button("Undo").click()
    expect(seen.editor).to_contain_text("of another program")
    expect(state(seen)).to_have_text("saved")
    reload(seen)
    assert asked == ["beforeunload"]
    seen.expect_text("name: of another program\n")
    seen.check()


def test_letters_beyond_the_usual_are_kept(show: Open, studio: Studio) -> None:
    seen = show("letters.yaml")
    seen.type_at_line(1, " 😀𝄞é漢")
    seen.type_at_line(4, "_mine")
    seen.type_at_line(13, "")
    seen.page.keyboard.press("ArrowUp")
    expect(seen.status()).to_have_text("No mistakes.")
    seen.page.keyboard.press("Control+s")
    expect(state(seen)).to_have_text("saved")
    first, rest = SPEC.split("\n", 1)
    expected = f"{first} 😀𝄞é漢\n" + rest.replace("name: hiri_s", "name: hiri_s_mine")
    assert (studio.folder / "letters.yaml").read_text() == seen.text == expected
    seen.type_at_line(14, " x")
    expect(seen.page.locator(".studio-wrong").first).to_be_visible()
    seen.check()


def test_a_page_without_its_studio_says_so(visit: Open, tmp_path: Path) -> None:
    folder = tmp_path / "ended"
    folder.mkdir()
    (folder / "mine.yaml").write_text(SPEC)
    studio = start_studio(folder, "mine.yaml")
    seen = visit("?file=mine.yaml", at=studio)
    expect(seen.page.locator(".studio-large").first).to_have_text(f"{cost('hiri_s').macs / 1e9:.3f} GMACs")
    seen.type_at_line(4, "_mine")
    assert studio.end() == 130
    expect(seen.page.locator("#popup")).to_be_visible()
    assert "hiri_s_mine" in seen.text
    # what the browser itself says of a server that is away is no mistake of the page
    assert [told for told in seen.told if not re.search("ERR_CONNECTION|WebSocket", told)] == []
