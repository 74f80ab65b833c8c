"""A link that holds a spec, opened in a headless browser where the page is open already."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect
from studios import IN_BROWSER, SPEC, Seen

from studio.sharing import to_fragment

pytestmark = IN_BROWSER
LINKED = SPEC.replace("name: hiri_s", "name: linked")


def follow(seen: Seen, fragment: str) -> None:
    """Open a link that differs from the address in its fragment alone, which no browser loads again."""
    seen.page.evaluate("(fragment) => { location.hash = ''; location.hash = fragment }", fragment)


def test_a_link_is_followed_where_the_page_is_open(show: Callable[..., Seen]) -> None:
    seen = show()
    seen.type_at_line(4, "_typed")
    expect(seen.page.locator(".studio-state")).to_have_text("changed")
    follow(seen, to_fragment(LINKED))
    seen.button("Cancel").click()
    expect(seen.page.get_by_role("dialog")).to_have_count(0)
    seen.expect_text(SPEC.replace("name: hiri_s", "name: hiri_s_typed"))
    follow(seen, to_fragment(LINKED))
    seen.button("Leave them").click()
    expect(seen.page.locator(".studio-name")).to_have_text("shared.yaml")
    expect(seen.editor).to_contain_text("name: linked")
    seen.expect_text(LINKED)
    follow(seen, "spec=damaged")
    expect(seen.page.locator(".q-notification").last).to_contain_text("the link is damaged")
    seen.expect_text(LINKED)
    seen.check()


def test_one_that_was_saved_is_opened_by_its_file(show: Callable[..., Seen]) -> None:
    seen = show()
    follow(seen, to_fragment(LINKED))
    expect(seen.page.locator(".studio-name")).to_have_text("shared.yaml")
    seen.button("Save").click()
    seen.page.get_by_label("File in the opened folder").fill("kept.yaml")
    seen.button("Save").last.click()
    expect(seen.page).to_have_url(f"{seen.origin}/?file=kept.yaml")
    seen.page.reload()
    expect(seen.page.locator(".studio-name")).to_have_text("kept.yaml")
    seen.check()


def test_a_browser_that_is_slow_to_answer_is_waited_for(show: Callable[..., Seen]) -> None:
    """As one is that loads the page on a busy machine: for longer than the second that NiceGUI would wait."""
    slow = """
        const own = window.matchMedia.bind(window);
        window.matchMedia = (query) => {
            const until = performance.now() + 1500;
            while (query.includes("color-scheme") && performance.now() < until);
            return own(query);
        };
    """
    seen = show(fragment=f"#{to_fragment(LINKED)}", script=slow, scheme="dark")
    expect(seen.page.locator(".studio-name")).to_have_text("shared.yaml")
    seen.expect_text(LINKED)
    expect(seen.button("Light")).to_be_visible()
    seen.check()
