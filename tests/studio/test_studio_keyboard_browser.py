"""The page by keyboard alone, in a headless browser: everything is reached, nothing holds the keyboard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from studios import IN_BROWSER, Seen, Studio

pytestmark = IN_BROWSER
MOST_STEPS = 80
FOCUSED = """() => {
    const element = document.activeElement;
    if (element === document.body) return "";
    const said = element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent;
    return element.dataset.scope ?? said.trim();
}"""
WITHIN = "(selector) => document.activeElement.closest(selector) !== null"

Open = Callable[..., Seen]


def focused(seen: Seen) -> str:
    return str(seen.page.evaluate(FOCUSED))


def walk(seen: Seen, key: str = "Tab") -> list[str]:
    """Press a key until the page is left, or begins again; what has the focus on the way."""
    reached: list[str] = []
    for _ in range(MOST_STEPS):
        if seen.page.evaluate(WITHIN, ".cm-editor"):
            seen.page.keyboard.press("Escape")  # as the editor's description says
        seen.page.keyboard.press(key)
        now = focused(seen)
        if not now or reached[:1] == [now]:
            return reached
        reached.append(now)
    raise AssertionError(f"the page is never left: {reached}")


def go_to(seen: Seen, name: str) -> None:
    """Press Tab until something has the focus."""
    for _ in range(MOST_STEPS):
        if focused(seen) == name:
            return
        if seen.page.evaluate(WITHIN, ".cm-editor"):
            seen.page.keyboard.press("Escape")
        seen.page.keyboard.press("Tab")
    raise AssertionError(f"{name} is never reached")


def test_everything_is_reached_and_left(show: Open) -> None:
    seen = show()
    seen.page.evaluate("document.activeElement.blur()")
    expected = [
        *("Open", "Save", "Save as", "Download", "Share", "Undo", "Redo", "Dark"),
        "Spec as YAML",
        "Network",
        *("Resolutions", "Budget", "Scale to", "Scale up"),
        *("stem", *(f"stages.{index}" for index in range(5)), "head"),
        "Cost by stage",
    ]
    forward = walk(seen)
    assert [name for name in forward if name in expected] == expected
    backward = walk(seen, "Shift+Tab")
    assert [name for name in reversed(backward) if name in expected] == expected
    seen.check()


def test_tabs_are_chosen(show: Open) -> None:
    seen = show()
    go_to(seen, "Network")
    for name in ("Compare", "Searches"):
        seen.page.keyboard.press("ArrowRight")
        assert focused(seen) == name
        seen.page.keyboard.press("Enter")
        expect(seen.page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")
    go_to(seen, "New search")
    seen.page.keyboard.press("Enter")
    expect(seen.page.get_by_role("dialog").get_by_role("heading")).to_be_visible()
    seen.check()


@pytest.mark.parametrize("name", ["Open", "Save as", "Share"])
def test_a_dialog_takes_the_focus_and_gives_it_back(show: Open, name: str) -> None:
    seen = show()
    go_to(seen, name)
    seen.page.keyboard.press("Enter")
    dialog = seen.page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_be_visible()
    seen.page.wait_for_function(f"({WITHIN})('[role=dialog]')")
    for _ in range(12):
        seen.page.keyboard.press("Tab")
        # between the last and the first is what belongs to the browser, not to the page
        seen.page.wait_for_function(f"({WITHIN})('[role=dialog]') || document.activeElement === document.body")
    if not focused(seen):
        seen.page.keyboard.press("Tab")
    seen.page.keyboard.press("Escape")
    if name == "Open":
        seen.page.keyboard.press("Escape")  # the first may close the list of specs
    expect(dialog).to_have_count(0)
    seen.page.wait_for_function(f"({FOCUSED})() === '{name}'")
    seen.check()


def test_a_stage_is_opened_and_closed(show: Open) -> None:
    seen = show()
    go_to(seen, "stages.1")
    closed = seen.page.locator(".studio-drawing").first.inner_html()
    seen.page.keyboard.press("Enter")
    expect(seen.page.locator(".studio-drawing [data-scope='']").first).to_be_attached()
    seen.page.wait_for_function(f"({FOCUSED})() === 'stages.1'")
    seen.page.keyboard.press(" ")
    expect(seen.page.locator(".studio-drawing [data-scope='']")).to_have_count(0)
    assert seen.page.locator(".studio-drawing").first.inner_html() == closed
    seen.check()


def test_the_slider_is_moved(show: Open) -> None:
    seen = show()
    seen.type_at_line(6, "")
    label = seen.page.locator(".studio-slider-label")
    expect(label).to_contain_text("resolution: 448")
    go_to(seen, "resolution")
    seen.page.keyboard.press("ArrowRight")
    expect(label).not_to_contain_text(": 448,")
    seen.page.keyboard.press("ArrowLeft")
    expect(label).to_contain_text(": 448,")
    assert focused(seen) == "resolution"
    seen.check()


def test_a_spec_is_opened_changed_and_saved(show: Open, studio: Studio) -> None:
    seen = show("keyboard.yaml")
    (studio.folder / "typed_to.yaml").unlink(missing_ok=True)
    go_to(seen, "Open")
    seen.page.keyboard.press("Enter")
    expect(seen.page.get_by_role("dialog").get_by_role("heading")).to_be_visible()
    seen.page.wait_for_function(f"({FOCUSED})() === 'Spec'")
    seen.page.keyboard.type("hiri_b")
    expect(seen.page.get_by_role("option", name="built-in: hiri_b", exact=True)).to_be_visible()
    for _ in range(10):
        seen.page.keyboard.press("ArrowDown")
        chosen = seen.page.locator("[role=option].q-manual-focusable--focused").inner_text()
        if chosen == "built-in: hiri_b":
            break
    seen.page.keyboard.press("Enter")
    expect(seen.page.get_by_role("option")).to_have_count(0)
    go_to(seen, "Open")
    seen.page.keyboard.press("Enter")
    expect(seen.page.locator(".studio-name")).to_have_text("hiri_b.yaml")
    go_to(seen, "Spec as YAML")
    seen.page.keyboard.press("Control+End")
    seen.page.keyboard.type("# by keyboard")
    seen.page.keyboard.press("Control+s")
    expect(seen.page.get_by_role("dialog").get_by_role("heading")).to_be_visible()
    seen.page.wait_for_function(f"({FOCUSED})() === 'File in the opened folder'")
    seen.page.keyboard.press("Control+a")
    seen.page.keyboard.type("typed_to.yaml")
    seen.page.keyboard.press("Enter")
    expect(seen.page.locator(".studio-state")).to_have_text("saved")
    assert (studio.folder / "typed_to.yaml").read_text() == seen.text
    assert seen.text.endswith("# by keyboard")
    seen.check()


def test_who_goes_on_at_once_keeps_the_focus(show: Open) -> None:
    """A list that has been chosen from, or a dialog that was closed, takes it back no later than at once."""
    seen = show()
    seen.page.get_by_role("tab", name="Searches").click()
    seen.button("New search").click()
    dialog = seen.page.get_by_role("dialog")
    for field, option in (("Space", "small"), ("Evaluator", "params")):
        dialog.get_by_role("combobox", name=field).click()
        seen.page.get_by_role("option", name=option, exact=True).click()
    seen.page.wait_for_timeout(50)
    dialog.get_by_label("Folder").fill("")
    for letter in "runs/typed":
        seen.page.keyboard.type(letter)
        seen.page.wait_for_timeout(50)
    expect(dialog.get_by_label("Folder")).to_have_value("runs/typed")
    seen.button("Cancel").click()
    seen.page.wait_for_timeout(50)
    seen.editor.focus()
    seen.page.wait_for_timeout(500)
    assert focused(seen) == "Spec as YAML"
    seen.check()
