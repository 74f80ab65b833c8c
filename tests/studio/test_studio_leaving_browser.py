"""A page in a headless browser that is left, loaded again, or led elsewhere: nothing typed is lost unasked."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Dialog, expect, sync_playwright
from studios import MOST_SECONDS, ROOT, Seen, Studio, start_studio

from studio.sharing import to_fragment

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium; apt-get install chromium"),
    pytest.mark.slow,
]
expect.set_options(timeout=1000 * MOST_SECONDS)
SPEC = (ROOT / "specs" / "hiri_s.yaml").read_text()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("left")
    for name in ("one", "two"):
        (folder / f"{name}.yaml").write_text(SPEC.replace("name: hiri_s", f"name: {name}"))
    studio = start_studio(folder, "one.yaml")
    yield studio
    studio.end()


@pytest.fixture
def seen(browser: Browser, studio: Studio) -> Iterator[Seen]:
    seen = Seen.open(browser.new_context(), studio.address)
    expect(seen.status()).to_have_text("No mistakes.")
    yield seen
    seen.check()
    seen.page.context.close()


def name_of(seen: Seen) -> str:
    return next(line for line in seen.text.splitlines() if line.startswith("name:"))


def open_again(seen: Seen) -> None:
    seen.page.reload()
    seen.page.locator('.studio-editor[data-ready="true"]').wait_for()


@pytest.mark.parametrize("is_changed", [False, True], ids=["saved", "changed"])
def test_leaving_is_asked_about(seen: Seen, is_changed: bool) -> None:
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    seen.page.on("dialog", answer)
    seen.type_at_line(4, "_typed" if is_changed else "")
    expect(seen.page.locator(".studio-state")).to_have_text("changed" if is_changed else "saved")
    open_again(seen)
    assert asked == (["beforeunload"] if is_changed else [])


OPENED = [("two.yaml", "two.yaml", "?file=two.yaml"), ("built-in: hiri_b", "hiri_b.yaml", "?builtin=hiri_b")]


@pytest.mark.parametrize(("choice", "name", "query"), OPENED, ids=["file", "built-in"])
def test_the_address_names_what_is_open(seen: Seen, choice: str, name: str, query: str) -> None:
    seen.button("Open").click()
    seen.page.get_by_role("combobox", name="Spec").fill(choice)
    seen.page.get_by_role("option", name=choice, exact=True).click()
    seen.button("Open").last.click()
    expect(seen.page).to_have_url(f"{seen.origin}/{query}")
    open_again(seen)
    expect(seen.page.locator(".studio-name")).to_have_text(name)
    assert name_of(seen) == f"name: {name.removesuffix('.yaml')}"


def test_a_link_is_followed_where_the_page_is_open(seen: Seen) -> None:
    seen.type_at_line(4, "_typed")
    expect(seen.page.locator(".studio-state")).to_have_text("changed")
    fragment = to_fragment(SPEC.replace("name: hiri_s", "name: linked"))
    seen.page.evaluate("(fragment) => { location.hash = fragment }", fragment)
    seen.button("Cancel").click()
    assert name_of(seen) == "name: one_typed"
    seen.page.evaluate("location.hash = ''")
    seen.page.evaluate("(fragment) => { location.hash = fragment }", fragment)
    seen.button("Leave them").click()
    expect(seen.page.locator(".studio-name")).to_have_text("shared.yaml")
    expect(seen.editor).to_contain_text("name: linked")
    assert name_of(seen) == "name: linked"
    seen.page.evaluate("location.hash = 'spec=damaged'")
    expect(seen.page.locator(".q-notification").last).to_contain_text("the link is damaged")
    assert name_of(seen) == "name: linked"


def test_one_that_was_saved_is_opened_by_its_file(seen: Seen, studio: Studio) -> None:
    text = SPEC.replace("name: hiri_s", "name: linked")
    seen.page.evaluate("(fragment) => { location.hash = fragment }", to_fragment(text))
    expect(seen.page.locator(".studio-name")).to_have_text("shared.yaml")
    seen.button("Save").click()
    seen.page.get_by_label("File in the opened folder").fill("kept.yaml")
    seen.button("Save").last.click()
    expect(seen.page.locator(".studio-state")).to_have_text("saved")
    assert (studio.folder / "kept.yaml").read_text() == text
    expect(seen.page).to_have_url(f"{seen.origin}/?file=kept.yaml")
    open_again(seen)
    expect(seen.page.locator(".studio-name")).to_have_text("kept.yaml")
    assert name_of(seen) == "name: linked"
