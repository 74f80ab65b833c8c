"""The studio's pictures in a headless browser: no text lies on another or is cut, and the keyboard reaches all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nicegui
import pytest
from playwright.sync_api import Browser, Page, Route
from studios import IN_BROWSER

import hiri_spec
from hiri_spec.cost import cost
from studio.charts import comparison_bars, cost_bars, curve_points, resolution_curve
from studio.drawing import draw

pytestmark = IN_BROWSER
ECHARTS = Path(nicegui.__file__).parent / "elements" / "echart" / "dist"
OVERLAPS = """() => {
    const shown = [...document.querySelectorAll("svg text")].filter((each) => each.textContent.trim());
    const boxes = shown.map((each) => each.getBoundingClientRect());
    const frame = document.querySelector("svg").getBoundingClientRect();
    const found = [];
    boxes.forEach((one, i) => {
        if (one.left < frame.left - 1 || one.right > frame.right + 1 || one.bottom > frame.bottom + 1)
            found.push([shown[i].textContent, "outside"]);
        boxes.slice(i + 1).forEach((other, j) => {
            const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
            const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
            if (across > 1 && down > 4) found.push([shown[i].textContent, shown[i + 1 + j].textContent]);
        });
    });
    return found;
}"""
"""Pairs of texts that lie on each other; the line spacing of a font may do so a little."""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 700, "height": 900})
    page.set_default_timeout(8000)
    yield page
    page.close()


@pytest.mark.parametrize(
    ("name", "opened"),
    [
        ("hiri_s", None),
        ("hiri_s", "stages.0"),
        ("hiri_b", "stages.3"),
        ("hiri_s_6stage", "stages.3.downsample"),
        ("pvt_v2_b2", "stages.1"),
        ("davit_tiny", "stages.2"),
        ("hrnet_w18", "stages.2"),
        ("hrnet_w18", "stages.2.blocks.fuse2"),
        ("tiny", "head"),
    ],
    ids=lambda value: str(value),
)
def test_no_text_of_a_drawing_lies_on_another(page: Page, name: str, opened: str | None) -> None:
    page.set_content(draw(hiri_spec.load(name), opened=opened))
    assert page.evaluate(OVERLAPS) == []


def test_the_keyboard_reaches_what_can_be_opened(page: Page) -> None:
    page.set_content(draw(hiri_spec.load("hiri_s"), opened="stages.1"))
    reached = []
    for _ in range(9):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.dataset.scope"))
    assert reached == ["stem", *(f"stages.{index}" for index in range(5)), "head", "stages.1.downsample", ""]
    outline = page.evaluate("getComputedStyle(document.querySelector('[data-scope=stem] > .hit')).strokeWidth")
    page.locator("[data-scope=stem]").focus()
    focused = page.evaluate("getComputedStyle(document.querySelector('[data-scope=stem] > .hit')).strokeWidth")
    assert (outline, focused) == ("1.5px", "3px")


@pytest.mark.parametrize("width", [700, 1100])
@pytest.mark.parametrize(
    "make",
    [
        lambda spec: cost_bars([cost(spec)]),
        lambda spec: cost_bars([cost(spec, side) for side in (224, 448, 768)]),
        lambda spec: resolution_curve(curve_points(spec), own=cost(spec), budget_macs=5 * 10**9),
        lambda spec: comparison_bars([("hiri_s", cost(spec)), ("davit_tiny", cost("davit_tiny", 448))]),
    ],
    ids=["bars", "bars at three sizes", "curve", "comparison"],
)
def test_no_text_of_a_chart_lies_on_another(page: Page, make: Callable[[Any], dict[str, Any]], width: int) -> None:
    options = make(hiri_spec.load("hiri_s")) | {"animation": False}
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    script = (
        "import { echarts } from '/index.js'; const chart = echarts.init(document.body.firstChild, null, "
        f"{{ renderer: 'svg' }}); chart.on('finished', () => (document.title = 'done')); "
        f"chart.setOption({json.dumps(options)});"
    )
    html = (
        f'<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><body><div style="width: {width}px; '
        f'height: 330px"></div><script type="module">{script}</script>'
    )

    def serve(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        if name:
            route.fulfill(path=ECHARTS / name, content_type="text/javascript")
        else:
            route.fulfill(body=html, content_type="text/html")

    page.route("**/*", serve)
    page.goto("http://studio.test/")
    page.wait_for_function("document.title === 'done'")
    assert page.evaluate(OVERLAPS) == []
    assert page.locator("body > div").get_attribute("aria-label") == options["aria"]["label"]["description"]
    assert told == []
