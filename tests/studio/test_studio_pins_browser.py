"""Two networks of a search are pinned in a headless browser, and stand beside each other."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright
from studios import MOST_SECONDS, Seen, start_studio

import explorer

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium; apt-get install chromium"),
    pytest.mark.slow,
]
expect.set_options(timeout=1000 * MOST_SECONDS)


def test_the_second_is_shown_beside_the_first(tmp_path: Path) -> None:
    folder = tmp_path / "opened"
    found = explorer.search("5mmacs", resolution=64, space="small", evaluator="params", trials=6, out=folder / "small")
    numbers = [member.number for member in found.members[:2]]
    studio = start_studio(folder, "small")
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            seen = Seen.open(browser.new_context(), studio.address)
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
            browser.close()
    finally:
        studio.end()
