"""Searches that run, in a headless browser: started by the page's form, watched, and stopped."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect
from searches import BUDGET, SMALL_SPACE
from studios import IN_BROWSER, ROOT, SPEC, Seen, Studio, start_studio
from waiting import wait_until

from studio.searches import read_search
from studio.searches.holder import find_holder

pytestmark = IN_BROWSER
PATIENCE_MS = 90_000
ENDLESS = 1_000_000
"""More trials than the space has networks: such a search goes on until it is stopped."""

Open = Callable[..., Seen]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("searching")
    (folder / "small.yaml").write_text(SMALL_SPACE)
    (folder / "mine.yaml").write_text(SPEC)
    studio = start_studio(folder, "mine.yaml")
    yield studio
    studio.end()


@pytest.fixture
def out(studio: Studio, request: pytest.FixtureRequest) -> Iterator[Path]:
    """The folder of a test's search, which ends with the test."""
    name = re.sub(r"\W+", "-", request.node.name)
    folder = studio.folder / "runs" / name
    yield folder
    process = find_holder(folder) if folder.exists() else None
    if process is not None:
        os.kill(process, signal.SIGKILL)


def form(seen: Seen) -> Locator:
    """The form for a new search."""
    seen.page.get_by_role("tab", name="Searches").click()
    seen.button("New search").click()
    dialog = seen.page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="New search")).to_be_visible()
    return dialog


def fill(seen: Seen, dialog: Locator, out: Path, studio: Studio, trials: int) -> None:
    dialog.get_by_label("Folder").fill(out.relative_to(studio.folder).as_posix())
    dialog.get_by_label("Budget").fill("5mmacs")
    dialog.get_by_label("Resolution").fill("64")
    seen.choose(dialog.get_by_role("combobox", name="Space"), "small.yaml")
    dialog.get_by_label("Trials").fill(str(trials))
    seen.choose(dialog.get_by_role("combobox", name="Evaluator"), "params")


def state(seen: Seen) -> Locator:
    return seen.page.locator(".studio-search-state")


def has_begun(folder: Path) -> bool:
    return find_holder(folder) is not None and len(read_search(folder).points) > 3


def test_one_is_started_and_comes_to_its_end(visit: Open, studio: Studio, out: Path) -> None:
    seen = visit("?file=mine.yaml")
    dialog = form(seen)
    fill(seen, dialog, out, studio, trials=25)
    seen.button("Start").click()
    expect(dialog).to_have_count(0)
    expect(seen.page.get_by_role("combobox", name="Search", exact=True)).to_have_value(
        out.relative_to(studio.folder).as_posix()
    )
    expect(state(seen)).to_contain_text("is finished: 25 of 25 trials", timeout=PATIENCE_MS)
    expect(seen.button("Stop")).to_be_hidden()
    view = read_search(out)
    assert (view.budget, view.resolution) == (5_000_000, "64")
    expect(seen.page.get_by_role("region", name="Networks").locator("tbody tr")).to_have_count(25)
    # what the page shows is what the command line goes on with
    assert "--evaluator params" in view.command
    seen.check()


def test_one_is_stopped_from_the_page_and_gone_on_with(
    visit: Open, studio: Studio, out: Path, photograph: Callable[..., None]
) -> None:
    seen = visit("?file=mine.yaml")
    fill(seen, form(seen), out, studio, trials=ENDLESS)
    seen.button("Start").click()
    expect(state(seen)).to_have_text(re.compile(r"is running: [1-9][0-9,]* of 1,000,000 trials"), timeout=PATIENCE_MS)
    expect(seen.page.get_by_role("progressbar")).to_be_visible()
    counted = r"running: ([0-9,]+) of"
    first = re.search(counted, state(seen).inner_text())
    assert first is not None
    expect(state(seen)).not_to_contain_text(first[0])  # it goes on, and the page with it
    photograph(seen, "search_running")
    fill(seen, form(seen), out, studio, trials=ENDLESS)
    seen.button("Start").click()
    expect(seen.page.get_by_role("alert").filter(has_text="is writing to")).to_be_visible()
    seen.button("Cancel").click()
    seen.button("Stop").click()
    expect(state(seen)).to_contain_text("was stopped; it can go on", timeout=PATIENCE_MS)
    assert find_holder(out) is None
    tried = len(read_search(out).points)
    fill(seen, form(seen), out, studio, trials=tried + 5)
    seen.button("Start").click()
    expect(state(seen)).to_contain_text(f"is finished: {tried + 5:,} of {tried + 5:,} trials", timeout=PATIENCE_MS)
    seen.check()


def test_a_row_stays_while_others_come(visit: Open, studio: Studio, out: Path) -> None:
    """A click is a press and a release: a row that is made anew in between, each second, would not hear it."""
    seen = visit("?file=mine.yaml")
    fill(seen, form(seen), out, studio, trials=ENDLESS)
    seen.button("Start").click()
    expect(state(seen)).to_have_text(re.compile(r"is running: [1-9]"), timeout=PATIENCE_MS)
    table = seen.page.get_by_role("region", name="Networks")
    wait_until(lambda: table.locator("tbody tr").count() > 10, PATIENCE_MS / 1000)
    best = read_search(out).best
    assert best is not None
    button = seen.button(f"Open trial {best.number}")
    before = button.element_handle()
    for _ in range(3):
        told = state(seen).inner_text()
        expect(state(seen)).not_to_have_text(told)
    assert before.evaluate("element => element.isConnected")
    button.click()
    expect(seen.page.locator(".studio-name")).to_have_text(f"{out.name}_{best.number:05d}.yaml")
    numbers = [int(text) for text in table.locator("tbody th").all_inner_texts()]
    assert len(numbers) == len(set(numbers))
    seen.button("Stop").click()
    expect(state(seen)).to_contain_text("was stopped; it can go on", timeout=PATIENCE_MS)
    found = read_search(out)
    others = sorted((point for point in found.points if not point.on_front), key=lambda point: -point.score)
    expected = [str(point.number) for point in [*found.front, *others][:50]]
    expect(table.locator("tbody th")).to_have_text(expected)
    seen.check()


def test_one_of_a_terminal_is_seen_and_stopped(visit: Open, studio: Studio, out: Path) -> None:
    name = out.relative_to(studio.folder).as_posix()
    words = ["--budget", BUDGET, "--space", "small.yaml", "--evaluator", "params", "--out", name]
    seen = visit("?file=mine.yaml")
    seen.page.get_by_role("tab", name="Searches").click()
    with subprocess.Popen(
        [sys.executable, "-m", "explorer.search", *words, "--trials", str(ENDLESS)],
        cwd=studio.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as process:
        wait_until(lambda: (out / "study.journal").exists() and has_begun(out), PATIENCE_MS / 1000)
        seen.button("Look again").click()
        seen.choose(seen.page.get_by_role("combobox", name="Search", exact=True), name)
        expect(state(seen)).to_have_text(re.compile("is running: [1-9]"), timeout=PATIENCE_MS)
        seen.button("Stop").click()
        assert process.wait(PATIENCE_MS / 1000) == 130
    expect(state(seen)).to_contain_text("was stopped; it can go on")
    seen.check()


def test_it_runs_on_when_the_page_is_closed(visit: Open, studio: Studio, out: Path) -> None:
    seen = visit("?file=mine.yaml")
    fill(seen, form(seen), out, studio, trials=ENDLESS)
    seen.button("Start").click()
    expect(state(seen)).to_have_text(re.compile("is running: [1-9]"), timeout=PATIENCE_MS)
    process = find_holder(out)
    seen.page.close()
    before = len(read_search(out).points)
    wait_until(lambda: len(read_search(out).points) > before + 20, PATIENCE_MS / 1000)
    assert find_holder(out) == process
    again = visit(f"?file=mine.yaml&search={out.relative_to(studio.folder).as_posix()}")
    expect(state(again)).to_contain_text("is running")
    again.button("Stop").click()
    expect(state(again)).to_contain_text("was stopped; it can go on", timeout=PATIENCE_MS)
    again.check()


def test_mistakes_are_told_in_the_form(visit: Open, studio: Studio, out: Path) -> None:
    mistakes = [
        ("Folder", "../elsewhere", "../elsewhere"),
        ("Folder", "mine.yaml", "is a file, not a folder"),
        ("Folder", "", "'' is no path"),
        ("Budget", "much", "'much'"),
        ("Budget", "", "''"),
        ("Resolution", "7", "7 is too small"),
        ("Stages", "few", "few"),
        ("Stages", "9", "no networks of 9 stages"),
        ("Trials", "0", "0 trials are too few"),
        ("Trials", "1e300", "too many"),
        ("Processes", "-2", "-2"),
        ("Most parameters", "35 apples", "35 apples"),
    ]
    seen = visit("?file=mine.yaml")
    dialog = form(seen)
    fill(seen, dialog, out, studio, trials=5)
    alert = dialog.locator('[role="alert"]')
    for label, value, told in mistakes:
        field = dialog.get_by_label(label, exact=True)
        right = field.input_value()
        field.fill(value)
        expect(alert).not_to_contain_text(told)  # or what follows would be content with what was told before
        seen.button("Start").click()
        expect(alert).to_contain_text(told)
        expect(alert).to_be_visible()
        field.fill(right)
    assert not out.exists()
    dialog.get_by_label("Budget").fill(
        "0.001mmacs"
    )  # which only the search knows, when it has looked through its space
    seen.button("Start").click()
    expect(state(seen)).to_contain_text("ended early", timeout=PATIENCE_MS)
    expect(seen.page.locator(".studio-log")).to_contain_text("--budget")
    seen.check()
