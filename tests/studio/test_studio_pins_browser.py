"""Two networks of a search are pinned in a headless browser, and stand beside each other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect
from studios import IN_BROWSER, Seen, start_studio

import explorer

pytestmark = IN_BROWSER


def test_the_second_is_shown_beside_the_first(tmp_path: Path, visit: Callable[..., Seen]) -> None:
    folder = tmp_path / "opened"
    found = explorer.search("5mmacs", resolution=64, space="small", evaluator="params", trials=6, out=folder / "small")
    numbers = [member.number for member in found.members[:2]]
    studio = start_studio(folder, "small")
    try:
        seen = visit("?search=small", at=studio)
        for number, told in zip(numbers, ("this text beside it", f"beside trial {numbers[0]}"), strict=True):
            seen.button(f"Open trial {number}").click()
            expect(seen.page.locator(".studio-name")).to_have_text(f"small_{number:05d}.yaml")
            seen.button("Pin to compare").click()
            expect(seen.page.locator(".q-notification").last).to_contain_text(told)
        seen.page.get_by_role("tab", name="Compare").click()
        captions = seen.page.locator(".studio-pair figcaption")
        expect(captions).to_have_text([f"small_{number}" for number in numbers])
        chooser = seen.page.get_by_role("combobox", name="Compare with")
        expect(chooser).to_have_value(f"small, trial {numbers[0]}")
        seen.page.get_by_role("tab", name="Searches").click()
        seen.button("Remove pins").click()
        seen.page.get_by_role("tab", name="Compare").click()
        expect(seen.page.locator(".studio-pair")).to_be_hidden()
        expect(chooser).to_have_value("")
        seen.check()
    finally:
        studio.end()
