"""Searches on the page, in a headless browser: looked at, filtered, opened by a click, compared."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from searches import SMALL_SPACE, run
from studios import IN_BROWSER, LINE, SPEC, Seen, Studio, start_studio

from hiri_spec import load
from studio.searches import SearchView, TriedPoint, read_search

pytestmark = IN_BROWSER
TRIALS = 40
PLACES = """() => {
    const chart = getElement(+document.querySelector(".studio-front").id.slice(1))?.chart;
    if (!chart?.getOption()?.series) return [];
    const frame = document.querySelector(".studio-front").getBoundingClientRect();
    return chart.getOption().series.flatMap((series, seriesIndex) => series.type !== "scatter" ? [] :
        series.data.map((each) => each.value ?? each).map((value) => {
            const [x, y] = chart.convertToPixel({ seriesIndex }, [value[0], value[1]]);
            return { series: series.name, trial: value[2], x: frame.left + x, y: frame.top + y };
        }));
}"""
"""Where the points of the chart are in the window."""

SETTLED_MS = 300
"""What stood still for so long has found its place."""
Open = Callable[..., Seen]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("searched")
    (folder / "small.yaml").write_text(SMALL_SPACE)
    (folder / "mine.yaml").write_text(SPEC)
    run(folder / "small.yaml", folder / "runs" / "first", trials=TRIALS)
    studio = start_studio(folder, "runs/first")
    yield studio
    studio.end()


@pytest.fixture
def view(studio: Studio) -> SearchView:
    return read_search(studio.folder / "runs" / "first")


@pytest.fixture
def look(visit: Open, studio: Studio) -> Open:
    """Opens the page on the search."""

    def look(**options: object) -> Seen:
        seen = visit(studio.address.removeprefix(f"{studio.origin}/"), **options)
        seen.page.wait_for_function(f"() => ({PLACES})().length")
        return seen

    return look


def places(seen: Seen) -> dict[int, tuple[float, float]]:
    """The place in the window of each trial that is a point of the chart."""
    seen.page.locator(".studio-front").scroll_into_view_if_needed()
    found = seen.page.evaluate(PLACES)
    return {each["trial"]: (each["x"], each["y"]) for each in found if each["series"] not in ("selected", "pinned")}


def expect_marked(seen: Seen, series: str, trials: list[int]) -> None:
    """The chart, which follows what is said of it, comes to have these trials in a series, in this order."""
    shown = f"({PLACES})().filter(each => each.series === series).map(each => each.trial)"
    seen.page.wait_for_function(
        f"([series, trials]) => JSON.stringify({shown}) === JSON.stringify(trials)", arg=[series, trials]
    )


def expect_points(seen: Seen, trials: set[int]) -> None:
    """The chart comes to have these trials."""
    shown = f"({PLACES})().filter(each => !['selected', 'pinned'].includes(each.series)).map(each => each.trial)"
    seen.page.wait_for_function(
        f"trials => JSON.stringify({shown}.sort((a, b) => a - b)) === JSON.stringify(trials)", arg=sorted(trials)
    )


def clear_of_others(seen: Seen, points: tuple[TriedPoint, ...]) -> list[int]:
    """The trials among these whose points no other covers."""
    found = places(seen)

    def distance(one: int, other: int) -> float:
        (left, top), (right, bottom) = found[one], found[other]
        return max(abs(left - right), abs(top - bottom))

    alone = [one for one in found if all(distance(one, other) > 14 for other in found if other != one)]
    return [point.number for point in points if point.number in alone]


def click(seen: Seen, trial: int) -> None:
    """Click on a point as a hand does, which comes to it before: a point that is drawn meanwhile hears no click."""
    before = None
    while before != (before := places(seen)[trial]):
        seen.page.mouse.move(*before)
        seen.page.wait_for_timeout(SETTLED_MS)
    seen.page.mouse.click(*before)


def shown_rows(seen: Seen) -> list[int]:
    return [
        int(text) for text in seen.page.get_by_role("region", name="Networks").locator("tbody th").all_inner_texts()
    ]


def choose(seen: Seen, field: str, *options: str) -> None:
    seen.page.get_by_role("combobox", name=field, exact=True).click()
    for option in options:
        seen.page.get_by_role("option", name=option, exact=True).click()
    seen.page.keyboard.press("Escape")
    expect(seen.page.get_by_role("listbox")).to_have_count(0)


def test_chart_and_table_are_those_of_the_search(look: Open, view: SearchView, photograph: Callable[..., None]) -> None:
    seen = look()
    expect(seen.page.locator(".studio-search-state")).to_contain_text(f"first is finished: {TRIALS} of {TRIALS} trials")
    assert set(places(seen)) == {point.number for point in view.points}
    rows = shown_rows(seen)
    assert rows[: len(view.front)] == [point.number for point in view.front]
    assert set(rows) == {point.number for point in view.points}
    best = max(view.points, key=lambda point: point.score)
    table = seen.page.get_by_role("region", name="Networks")
    headings = table.locator("thead th").all_inner_texts()
    assert view.score_name == "params M"
    # the score, which is a cost, stands there once
    assert headings == ["trial", "network", "params M", "MMACs", "front"]
    row = table.get_by_role("row").filter(has_text=f"{best.score:.4f}")
    expect(row).to_contain_text(best.sketch)
    photograph(seen, "searches")
    seen.check()


def test_a_click_on_a_point_opens_its_network(look: Open, view: SearchView, studio: Studio) -> None:
    seen = look()
    front = clear_of_others(seen, view.front)[0]
    click(seen, front)
    expect(seen.page.locator(".studio-name")).to_have_text(f"first_{front:05d}.yaml")
    expect(seen.editor).to_contain_text(f"name: small_{front}")
    seen.expect_text(view.spec_text(front))
    files = [load(file) for file in sorted((studio.folder / "runs" / "first" / "front").glob("*.yaml"))]
    point = next(point for point in view.points if point.number == front)
    (studio.folder / "clicked.yaml").write_text(seen.text)
    opened = load(studio.folder / "clicked.yaml")
    assert [file.model_dump(exclude={"name", "description"}) for file in files].count(
        opened.model_dump(exclude={"name", "description"})
    ) == 1
    expect(seen.page.locator(".studio-status")).to_have_text("No mistakes.")
    expect_marked(seen, "selected", [front])
    seen.page.get_by_role("tab", name="Network").click()
    expect(seen.page.locator(".studio-large").first).to_have_text(f"{point.macs / 1e9:.3f} GMACs")
    seen.page.get_by_role("tab", name="Searches").click()
    number = next(point.number for point in view.points if point.number != front)
    seen.button(f"Open trial {number}").click()
    expect(seen.page.locator(".studio-name")).to_have_text(f"first_{number:05d}.yaml")
    seen.check()


def test_filters_leave_out_what_does_not_fit(look: Open, view: SearchView) -> None:
    seen = look()
    choose(seen, "Stages", "3 stages")
    three = {point.number for point in view.points if point.stages == 3}
    assert 0 < len(three) < TRIALS
    caption = seen.page.get_by_role("region", name="Networks").locator("caption")
    expect(caption).to_contain_text(f"of {len(three)} networks")
    expect_points(seen, three)
    assert set(shown_rows(seen)) == three
    choose(seen, "At stage", "stage 0")
    choose(seen, "stands", "HR")
    both = {point.number for point in view.points if point.stages == 3 and "HR" in point.placement[0].split("+")}
    assert 0 < len(both) < len(three)
    expect(caption).to_contain_text(f"of {len(both)} networks")
    expect_points(seen, both)
    assert set(shown_rows(seen)) == both
    seen.check()


def test_a_table_without_networks_keeps_its_headings(look: Open) -> None:
    seen = look()
    choose(seen, "Stages", "2 stages")
    choose(seen, "At stage", "stage 2")
    choose(seen, "stands", "HR")
    table = seen.page.get_by_role("region", name="Networks")
    expect(table.locator("caption")).to_have_text("0 of 0 networks, the front first")
    assert table.locator("thead th").all_inner_texts() == ["trial", "network", "params M", "MMACs", "front"]
    seen.check()


def test_two_are_pinned_and_compared(look: Open, view: SearchView) -> None:
    seen = look()
    seen.button("Pin to compare").click()
    expect(seen.page.locator(".q-notification").last).to_contain_text("Open a network")
    one, other = clear_of_others(seen, view.points)[:2]
    for pinned in ([one], [one, other]):
        number = pinned[-1]
        click(seen, number)
        expect(seen.page.locator(".studio-name")).to_have_text(f"first_{number:05d}.yaml")
        seen.button("Pin to compare").click()
        expect(seen.page.locator(".q-notification").last).to_contain_text(f"Trial {number}")
        expect_marked(seen, "pinned", pinned)  # a click into a chart that is being drawn anew hits nothing
    seen.page.get_by_role("tab", name="Compare").click()
    seen.choose(seen.page.get_by_role("combobox", name="Compare with"), f"first, trial {one}")
    captions = seen.page.locator(".studio-pair figcaption")
    expect(captions).to_have_text([f"small_{one}", f"small_{other}"])
    before, after = (next(p for p in view.points if p.number == number) for number in (one, other))
    row = seen.page.get_by_role("region", name="Cost", exact=True).last.get_by_role("row", name=re.compile("^params M"))
    expect(row).to_contain_text(f"{after.params / before.params:.3f}")
    seen.page.get_by_role("tab", name="Searches").click()
    seen.button("Remove pins").click()
    expect(seen.page.locator(".studio-front")).not_to_have_attribute("aria-label", re.compile("pinned"))
    seen.check()


def test_unsaved_text_is_asked_for_first(look: Open, view: SearchView) -> None:
    seen = look(width=1500)
    seen.type_at_line(LINE, " # mine")
    expect(seen.page.locator(".studio-state")).to_have_text("changed")
    typed = seen.text
    number = clear_of_others(seen, view.points)[0]
    click(seen, number)
    dialog = seen.page.get_by_role("dialog")
    expect(dialog).to_contain_text("has changes that are not saved")
    seen.button("Cancel").click()
    expect(dialog).to_have_count(0)
    seen.expect_text(typed)
    click(seen, number)
    seen.button("Leave them").click()
    expect(seen.page.locator(".studio-name")).to_have_text(f"first_{number:05d}.yaml")
    seen.expect_text(view.spec_text(number))
    seen.button("Undo").click()  # which is of this text alone
    expect(seen.page.locator(".studio-state")).to_have_text("not a file yet")
    seen.expect_text(view.spec_text(number))
    seen.check()


@pytest.mark.parametrize("name", ["runs", "nowhere", "../..", "mine.yaml"])
def test_what_is_no_search_is_told(visit: Open, studio: Studio, name: str, tmp_path: Path) -> None:
    seen = visit(f"?search={name}")
    told = seen.page.locator(".studio-search-state, .q-notification")
    expect(told.filter(has_text=re.compile("no search|outside|opened folder"))).not_to_have_count(0)
    seen.check()
