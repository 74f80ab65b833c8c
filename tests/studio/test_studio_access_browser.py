"""The page for everyone, in a browser: legible, with names for screen readers, in narrow windows too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from looks import AT_REST, CONTRASTS, CUT, HEADINGS, NAMELESS
from playwright.sync_api import expect
from searches import SMALL_SPACE, run
from studios import IN_BROWSER, LINE, SPEC, Seen, Studio, start_studio

pytestmark = IN_BROWSER
VIEWS = ["normal", "inside", "over budget", "mistakes", "dialog", "open", "compare", "searches", "form"]

Open = Callable[..., Seen]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("accessed")
    (folder / "small.yaml").write_text(SMALL_SPACE)
    (folder / "mine.yaml").write_text(SPEC)
    run(folder / "small.yaml", folder / "runs" / "first", trials=12)
    studio = start_studio(folder, "mine.yaml")
    yield studio
    studio.end()


def bring(seen: Seen, view: str) -> None:
    """Bring a page to where a view is seen."""
    if view == "inside":
        seen.page.locator('.studio-drawing [data-scope="stages.0"]').first.click()
        expect(seen.page.locator(".studio-drawing [data-scope='']").first).to_be_visible()
    elif view in ("over budget", "dialog"):
        seen.page.get_by_label("Budget", exact=True).fill("4gflops")
        expect(seen.page.locator(".studio-over")).to_be_visible()
    elif view == "mistakes":
        seen.type_at_line(LINE, " x")
        expect(seen.page.locator(".studio-wrong").first).to_be_visible()
        expect(seen.page.locator(".studio-stale").first).to_be_visible()
    elif view == "compare":
        seen.page.get_by_role("tab", name="Compare").click()
        seen.choose(seen.page.get_by_role("combobox", name="Compare with"), "built-in: hiri_b")
        expect(seen.page.locator(".studio-pair figcaption").first).to_have_text("hiri_b")
    elif view in ("searches", "form"):
        seen.page.get_by_role("tab", name="Searches").click()
        seen.choose(seen.page.get_by_role("combobox", name="Search", exact=True), "runs/first")
        expect(seen.page.get_by_role("region", name="Networks").locator("tbody tr")).to_have_count(12)
    if view in ("dialog", "open", "form"):
        seen.button({"dialog": "Fit to budget", "open": "Open", "form": "New search"}[view]).click()
        expect(seen.page.get_by_role("dialog").get_by_role("heading")).to_be_visible()
    seen.page.wait_for_function(AT_REST)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_every_text_can_be_read(show: Open, photograph: Callable[..., None], view: str, scheme: str) -> None:
    seen = show(scheme=scheme)
    bring(seen, view)
    found = seen.page.evaluate(CONTRASTS)
    photograph(seen, f"{view.replace(' ', '_')}_{scheme}")
    assert found["count"] >= 4
    assert found["faint"] == []
    seen.check()


@pytest.mark.parametrize("view", VIEWS)
def test_everything_has_a_name(show: Open, view: str) -> None:
    seen = show()
    bring(seen, view)
    assert seen.page.evaluate(NAMELESS) == []
    levels = seen.page.evaluate(HEADINGS)
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert seen.page.evaluate("document.documentElement.lang").startswith("en")
    assert seen.page.title()


@pytest.mark.parametrize("width", [420, 700])
@pytest.mark.parametrize("view", VIEWS)
def test_a_narrow_window_is_enough(show: Open, photograph: Callable[..., None], view: str, width: int) -> None:
    seen = show(width=width)
    bring(seen, view)
    assert seen.page.evaluate("document.scrollingElement.scrollWidth") <= width
    assert seen.page.evaluate(CUT) == []
    photograph(seen, f"{view.replace(' ', '_')}_{width}")
    seen.check()
