"""The page of a search in a headless browser: it asks for nothing, complains of nothing, and what is clicked works."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, Route, sync_playwright
from reports import NASTY, with_nasty_texts, with_trials

from explorer.results import Failed, SearchResult, latency_of, pareto_front
from hiri_spec.files import to_yaml

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium; apt-get install chromium")
MOST_SECONDS = 8.0


@dataclass
class Opened:
    """A page in the browser, with everything it asked for and complained of."""

    page: Page
    asked: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def text(self, selector: str) -> str:
        return self.page.locator(selector).inner_text()

    def check(self) -> None:
        """Nothing but the file was asked for, and there is nothing on the console."""
        assert len(self.asked) == 1
        assert self.asked[0].startswith("file://")
        assert self.told == []


Open = Callable[..., Opened]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Writes the page of a result and opens it; whatever it asks for but the file itself is refused and noted."""
    opened: list[Opened] = []

    def show(result: SearchResult, width: int = 1400, scheme: str = "light") -> Opened:
        path = result.report(tmp_path / "report.html")
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore
        this = Opened(context.new_page())
        opened.append(this)

        def pass_file(route: Route, request: Request) -> None:
            this.asked.append(request.url)
            if request.url == path.as_uri():
                route.continue_()
            else:
                route.abort()

        context.route("**/*", pass_file)
        this.page.on("console", lambda message: this.told.append(message.text))
        this.page.on("pageerror", lambda error: this.told.append(str(error)))
        this.page.set_default_timeout(1000 * MOST_SECONDS)
        this.page.goto(path.as_uri())
        return this

    yield show
    for this in opened:
        this.page.context.close()


@pytest.fixture
def result(found: SearchResult) -> SearchResult:
    return with_trials(found, 60)


def click(opened: Opened, number: int, **options: object) -> None:
    """Click the point of a trial, which no other lies on."""
    opened.page.locator(f'#front-plot [data-trial="{number}"]').click(**options)  # type: ignore[arg-type]


def lonely(result: SearchResult, count: int) -> list[int]:
    """Trials whose points are far from all others'."""
    spans = [max(values) - min(values) for values in zip(*((m.macs, m.score) for m in result.members), strict=True)]
    places = {m.number: (m.macs / spans[0], m.score / spans[1]) for m in result.members}

    def room(number: int) -> float:
        x, y = places[number]
        return min(abs(x - a) + abs(y - b) for other, (a, b) in places.items() if other != number)

    return sorted(places, key=room)[-count:]


def test_a_click_shows_the_network(show: Open, result: SearchResult) -> None:
    opened = show(result)
    assert opened.page.locator("#front-plot .point").count() == 60
    assert opened.page.locator("#front-plot .ring").count() == len(result.front)
    assert opened.text("#detail-heading") == f"Trial {result.best.number}: {result.best.sketch}"
    (number,) = lonely(result, 1)
    member = result.members[number]
    click(opened, number)
    assert opened.text("#detail-heading") == f"Trial {number}: {member.sketch}"
    assert f"name: small_{number}\n" in opened.text("#detail pre")
    assert opened.page.locator("#detail .drawing svg rect").count() > 5
    rows = opened.page.locator("#detail tbody tr").all_inner_texts()
    assert rows[0].startswith("stem\t")
    assert len(rows) == len(member.spec.stages) + 2
    opened.check()


def test_hover_tells_the_network_in_a_line(show: Open, result: SearchResult) -> None:
    opened = show(result)
    (number,) = lonely(result, 1)
    tip = opened.page.locator("#front-plot .tip")
    assert tip.is_hidden()
    opened.page.locator(f'#front-plot [data-trial="{number}"]').hover()
    said = tip.inner_text()
    assert f"trial {number}" in said
    assert result.members[number].sketch in said
    assert "ZiCo score" in said
    opened.page.locator("h1").hover()
    assert tip.is_hidden()


def test_two_are_compared(show: Open, result: SearchResult) -> None:
    opened = show(result)
    first, second = lonely(result, 2)
    click(opened, first)
    click(opened, second, modifiers=["Shift"])
    assert opened.page.get_by_label("Trial A").input_value() == str(first)
    assert opened.page.get_by_label("Trial B").input_value() == str(second)
    one, other = result.members[first], result.members[second]
    settings = opened.page.locator("#compare .side-by-side > div:nth-child(2) tbody tr").all_inner_texts()
    names = dict.fromkeys([*one.values, *other.values])
    expected = {name for name in names if one.values.get(name) != other.values.get(name)}
    assert {row.split("\t")[0] for row in settings} == expected
    lines = opened.page.locator("#compare pre div").all_inner_texts()
    assert f"− name: small_{first}" in lines
    assert f"+ name: small_{second}" in lines
    figures = opened.page.locator("#compare tbody").first.inner_text()
    assert f"MMACs\t{one.macs / 1e6:.3f}\t{other.macs / 1e6:.3f}\t" in figures
    opened.page.get_by_role("button", name="Swap").click()
    assert opened.page.get_by_label("Trial A").input_value() == str(second)
    opened.page.get_by_label("Trial A").fill("777")
    opened.page.get_by_label("Trial A").press("Enter")
    assert "There is no finished trial 777." in opened.text("#compare")
    opened.page.get_by_role("button", name="Compare as A").click()
    assert opened.page.get_by_label("Trial A").input_value() == str(first)
    opened.check()


def test_by_keyboard(show: Open, result: SearchResult) -> None:
    opened = show(result)
    plot = opened.page.locator("#front-plot svg")
    plot.focus()
    keys = ["ArrowLeft"] * (len(result.front) + 3)
    for key in [*keys, "ArrowRight", "Enter"]:
        plot.press(key)
    assert opened.text("#detail-heading").startswith(f"Trial {result.front[1].number}:")
    button = opened.page.get_by_role("button", name=f"Show trial {result.front[0].number}", exact=True)
    button.focus()
    button.press("Enter")
    assert opened.text("#detail-heading").startswith(f"Trial {result.front[0].number}:")
    assert opened.page.evaluate("document.activeElement.id") == "detail"


def test_the_table_reaches_every_network(show: Open, result: SearchResult) -> None:
    opened = show(result)
    rows = opened.page.locator("#networks tbody tr")
    assert rows.count() == len(result.front)
    opened.page.get_by_label("Which networks").select_option("all")
    assert rows.count() == 50
    opened.page.get_by_role("button", name="Show more of 60").click()
    assert rows.count() == 60
    opened.page.get_by_role("button", name="ZiCo score", exact=True).click()
    assert rows.first.inner_text().split("\t")[0] == str(result.best.number)
    assert opened.page.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"


def test_stages_are_hidden_and_areas_enlarged(show: Open, result: SearchResult) -> None:
    opened = show(result)
    points = opened.page.locator("#front-plot .point")
    two = sum(len(member.spec.stages) == 2 for member in result.members)
    opened.page.get_by_role("button", name="2 stages").click()
    assert points.count() == 60 - two
    opened.page.get_by_role("button", name="2 stages").click()
    box = opened.page.locator("#front-plot svg").bounding_box()
    assert box is not None
    opened.page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.2)
    opened.page.mouse.down()
    opened.page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] * 0.6)
    opened.page.mouse.up()
    assert 0 < points.count() < 60
    opened.page.get_by_role("button", name="Show all again").click()
    assert points.count() == 60
    opened.check()


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_trials(show: Open, found: SearchResult, count: int) -> None:
    opened = show(replace(with_trials(found, count), feasibility=None))
    assert opened.page.locator("#front-plot .point").count() == count
    assert ("It takes two finished trials." in opened.text("#compare")) is (count < 2)
    assert f"It takes 10 finished trials, there are {count}." in opened.text("#importances-note")
    assert ("It takes two trials" in opened.text("#hypervolume-note")) is (count < 2)
    assert opened.text("#feasible-note") == "It was not measured."
    assert opened.text("h1").startswith(f"{count} network{'s' * (count != 1)} within 4 MMACs at 64 px")
    opened.check()


def test_a_score_that_is_the_same_for_all(show: Open, found: SearchResult) -> None:
    members = tuple(replace(member, score=0.0) for member in found.members)
    opened = show(replace(found, members=members, front=members[:1], score_name="ZiCo score"))
    assert opened.page.locator("#front-plot .point").count() == 12
    opened.check()


def test_what_failed_and_how_to_run_it_again(show: Open, found: SearchResult) -> None:
    result = with_nasty_texts(found)
    opened = show(result)
    assert NASTY in opened.text("#failed")
    assert opened.page.locator("#detail pre").text_content() == to_yaml(result.best.spec)
    assert opened.text("#again pre") == f"python -m explorer.search --evaluator '{NASTY}'"
    assert opened.page.locator("main img").count() == 0
    assert opened.page.title().startswith("12 networks")
    assert "1 trial without a score" in opened.text("#summary")
    opened.check()


def test_by_latency_and_in_stages(show: Open, result: SearchResult) -> None:
    """Networks that were timed, the last of them not; most trials were stopped, and what is left was scored before."""
    members = tuple(
        replace(member, latency_ms=None if member.number == 59 else 1 + member.number % 7 + member.number / 100)
        for member in result.members
    )
    stopped = [
        Failed(60 + number, "no better than half", None, m.spec, m.macs, m.params, m.values, state="stopped")
        for number, m in enumerate([*members] * 4)
    ]
    opened = show(
        replace(
            result,
            members=members,
            front=pareto_front(members, latency_of),
            settings={**result.settings, "objective": "latency", "max_latency_ms": 9.0},
            stopped=tuple(stopped),
            earlier=(replace(result, score_name="NASWOT score"),),
        )
    )
    assert opened.page.locator("#front-plot .point").count() == 59
    assert "ms for one image" in opened.text("#front-plot")
    assert "no other has a higher score at no more milliseconds" in opened.text("#front-note")
    assert "All of them are the best of 60 networks by NASWOT score." in opened.text("#summary")
    assert re.search(r"NASWOT score before\n[0-9.]+\n", opened.text("#detail-content"))
    assert re.search(r"params, [0-9.]+ ms", opened.text("#detail-content"))
    assert opened.page.locator("#failed tbody tr").count() == 200
    assert "40 more are in trials.csv." in opened.text("#failed")
    times = [float(row.split("\t")[-1]) for row in opened.page.locator("#networks tbody tr").all_inner_texts()]
    assert times == sorted(times)
    opened.check()


def test_the_policy_holds(show: Open, found: SearchResult) -> None:
    """Should a text become markup after all, the browser runs nothing of it and fetches nothing."""
    opened = show(found)
    opened.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=\"http://127.0.0.1:9/x\">')")
    opened.page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<p onclick=\"document.title=1\" id=bad>x</p>')"
    )
    opened.page.locator("#bad").click()
    assert opened.page.title().startswith("12 networks")
    assert len(opened.asked) == 1
    assert any("Content Security Policy" in line for line in opened.told)


@pytest.mark.parametrize("width", [360, 1000, 1400])
def test_nothing_sticks_out_of_a_window(show: Open, result: SearchResult, width: int) -> None:
    opened = show(result, width)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    opened.page.set_viewport_size({"width": 500, "height": 900})
    opened.page.wait_for_function("document.querySelector('#front-plot svg').clientWidth < 500")
    opened.check()


def contrast(one: str, other: str) -> float:
    """The contrast of two colours that a browser writes as rgb(…), by WCAG 2."""

    def luminance(colour: str) -> float:
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark(show: Open, result: SearchResult, scheme: str) -> None:
    opened = show(result, scheme=scheme)

    def colour(selector: str, name: str) -> str:
        return str(opened.page.evaluate(f"getComputedStyle(document.querySelector('{selector}'))['{name}']"))

    paper, card = colour("body", "backgroundColor"), colour("#front", "backgroundColor")
    assert (contrast(paper, "rgb(0, 0, 0)") < 2) is (scheme == "dark")
    for selector in ("#summary", "#front-note", "#networks th", "#networks .link", "#compare .less", "#compare .more"):
        under = card if selector not in ("#compare .less", "#compare .more") else colour(selector, "backgroundColor")
        assert contrast(colour(selector, "color"), under) >= 4.5, selector
    for group in (0, 1):
        assert contrast(colour(f"#front-plot .group-{group}", "fill"), card) >= 3
    opened.check()


def test_three_thousand_trials(show: Open, found: SearchResult, tmp_path: Path) -> None:
    result = with_trials(found, 3000)
    opened = show(result)
    assert (tmp_path / "report.html").stat().st_size < 5e6
    times = opened.page.evaluate("performance.getEntriesByType('navigation')[0].toJSON()")
    assert times["domContentLoadedEventEnd"] < 1000 * MOST_SECONDS
    assert opened.page.locator("#front-plot .point").count() == 3000
    opened.page.get_by_label("Which networks").select_option("all")
    opened.page.get_by_role("button", name="trial", exact=True).click()
    opened.page.get_by_role("button", name="Show trial 0", exact=True).click()
    assert opened.text("#detail-heading").startswith("Trial 0:")
    assert "are in this page for 150 networks" in opened.text("#detail-content")
    opened.check()
