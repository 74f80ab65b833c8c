"""A studio and a browser for the tests of the page; one of each for a file of tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ViewportSize
    from studios import Seen, Studio

SCREENSHOTS = "STUDIO_SCREENSHOTS"
"""The environment variable that names the folder for pictures of the page."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright
    from studios import CHROMIUM

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    from studios import SPEC, start_studio

    folder = tmp_path_factory.mktemp("opened")
    (folder / "mine.yaml").write_text(SPEC)
    studio = start_studio(folder, "mine.yaml")
    yield studio
    studio.end()


@pytest.fixture
def visit(browser: Browser, studio: Studio) -> Iterator[Callable[..., Seen]]:
    """Opens the page at an address below the studio's."""
    from studios import Seen

    shown: list[Seen] = []

    def visit(
        query: str = "",
        *,
        width: int = 1500,
        height: int = 1000,
        scheme: str = "light",
        at: Studio = studio,
        script: str = "",
    ) -> Seen:
        viewport: ViewportSize = {"width": width, "height": height}
        context = browser.new_context(viewport=viewport, color_scheme=scheme)  # type: ignore[arg-type]
        context.add_init_script(script)
        shown.append(Seen.open(context, f"{at.origin}/{query}"))
        return shown[-1]

    yield visit
    for seen in shown:
        seen.page.context.close()


@pytest.fixture
def show(visit: Callable[..., Seen], studio: Studio) -> Callable[..., Seen]:
    """Opens a page on a fresh copy of a file."""
    from playwright.sync_api import expect
    from studios import SPEC

    def show(name: str = "mine.yaml", *, fragment: str = "", text: str = SPEC, **options: Any) -> Seen:
        (studio.folder / name).write_text(text)
        seen = visit(f"?file={name}{fragment}", **options)
        expect(seen.status()).to_have_text("No mistakes.")
        return seen

    return show


@pytest.fixture
def photograph(tmp_path: Path) -> Callable[[Seen, str], None]:
    """Keeps a picture of the page, in the folder that is named for them or with what else the test leaves."""

    def photograph(seen: Seen, name: str) -> None:
        folder = Path(os.environ.get(SCREENSHOTS) or tmp_path)
        folder.mkdir(parents=True, exist_ok=True)
        seen.page.screenshot(path=folder / f"{name}.png")

    return photograph
