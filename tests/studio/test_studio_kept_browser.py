"""What an audit of the page lost once: line ends, long texts, one file's text in another, what is typed meanwhile."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from studios import CHROMIUM, Seen, Studio
from studios import SPEC as HIRI_S

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium; apt-get install chromium"),
    pytest.mark.slow,
]
SPEC = "name: small\nresolution: 64\nstem: {stem: hr, width: 16}\nstages:\n  - {block: cffn, depth: 1, width: 16}\n"


def opened(studio: Studio, visit: Callable[..., Seen], name: str, content: bytes) -> Seen:
    (studio.folder / name).write_bytes(content)
    seen = visit(f"?file={name}")
    expect(seen.page.locator(".studio-name")).to_have_text(name)
    return seen


def test_lines_keep_their_ends(studio: Studio, visit: Callable[..., Seen]) -> None:
    seen = opened(studio, visit, "crlf.yaml", SPEC.replace("\n", "\r\n").encode())
    expect(seen.page.locator(".studio-state")).to_have_text("saved")
    seen.editor.focus()
    seen.page.keyboard.press("Control+End")
    seen.page.keyboard.type("# mine")
    expect(seen.page.locator(".studio-state")).to_have_text("changed")
    seen.page.keyboard.press("Control+s")
    expect(seen.page.locator(".studio-state")).to_have_text("saved")
    assert (studio.folder / "crlf.yaml").read_bytes() == (SPEC + "# mine").replace("\n", "\r\n").encode()
    seen.type_at_line(1, ":")
    expect(seen.page.locator(".studio-wrong")).not_to_have_count(0)
    seen.check()


def test_undo_keeps_to_its_file(studio: Studio, visit: Callable[..., Seen]) -> None:
    (studio.folder / "second.yaml").write_text(SPEC.replace("small", "second"))
    seen = opened(studio, visit, "first.yaml", SPEC.encode())
    seen.type_at_line(1, "er")
    expect(seen.page.locator(".studio-state")).to_have_text("changed")
    seen.page.keyboard.press("Control+s")
    expect(seen.page.locator(".studio-state")).to_have_text("saved")
    seen.button("Open").click()
    seen.page.get_by_role("combobox", name="Spec").fill("second.yaml")
    seen.page.get_by_role("option", name="second.yaml", exact=True).click()
    seen.button("Open").last.click()
    expect(seen.page.locator(".studio-name")).to_have_text("second.yaml")
    expect(seen.editor).to_contain_text("name: second")
    seen.button("Undo").click()
    seen.page.wait_for_timeout(700)
    seen.expect_text(SPEC.replace("small", "second"))
    expect(seen.page.locator(".studio-state")).to_have_text("saved")
    seen.type_at_line(1, "er")
    expect(seen.page.locator(".studio-state")).to_have_text("changed")
    seen.button("Undo").click()
    expect(seen.page.locator(".studio-state")).to_have_text("saved")
    seen.check()


def test_a_megabyte_is_left_out_and_told(studio: Studio, visit: Callable[..., Seen]) -> None:
    seen = opened(studio, visit, "big.yaml", SPEC.encode())
    seen.editor.focus()
    seen.page.keyboard.press("Control+End")
    seen.page.keyboard.insert_text("# " + 1_200_000 * "x")
    expect(seen.page.locator(".q-notification").last).to_contain_text("more than 200,000 characters")
    seen.expect_text(SPEC)
    seen.type_at_line(1, "er")
    expect(seen.page.locator(".studio-state")).to_have_text("changed")
    seen.page.keyboard.press("Control+s")
    expect(seen.page.locator(".studio-state")).to_have_text("saved")
    assert (studio.folder / "big.yaml").read_text() == SPEC.replace("small", "smaller")
    seen.check()


def test_what_is_typed_while_it_is_fitted_stays(studio: Studio, visit: Callable[..., Seen]) -> None:
    seen = opened(studio, visit, "typed.yaml", HIRI_S.encode())
    seen.page.get_by_label("Budget", exact=True).fill("4gflops")
    expect(seen.page.locator(".studio-gauge-told")).to_contain_text("over the budget")
    seen.button("Fit to budget").click()
    dialog = seen.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    script = "getElement(+document.querySelector('.nicegui-codemirror').id.slice(1)).editor"
    seen.page.evaluate(f"{script}.dispatch({{changes: {{from: 0, insert: '# typed meanwhile\\n'}}}})")
    seen.page.wait_for_timeout(300)
    seen.button("Apply").click()
    expect(seen.page.locator(".q-notification").last).to_contain_text("changed meanwhile")
    assert seen.text == "# typed meanwhile\n" + HIRI_S
    seen.check()


def test_what_another_program_wrote_is_shown_before_it_is_lost(studio: Studio, visit: Callable[..., Seen]) -> None:
    seen = opened(studio, visit, "other.yaml", SPEC.encode())
    seen.type_at_line(1, "er")
    (studio.folder / "other.yaml").write_text(SPEC.replace("small", "theirs"))
    seen.button("Save").click()
    difference = seen.page.get_by_role("dialog").locator(".studio-difference")
    expect(difference.locator(".less")).to_contain_text("name: theirs")
    expect(difference.locator(".more")).to_contain_text("name: smaller")
    (studio.folder / "other.yaml").write_text(SPEC.replace("small", "theirs2"))
    seen.button("Write over it").click()
    expect(seen.page.get_by_role("dialog").last.locator(".studio-difference .less")).to_contain_text("name: theirs2")
    assert "theirs2" in (studio.folder / "other.yaml").read_text()
    seen.button("Write over it").last.click()
    expect(seen.page.locator(".studio-state")).to_have_text("saved")
    assert "smaller" in (studio.folder / "other.yaml").read_text()
    seen.check()
