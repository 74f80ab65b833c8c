"""How soon the studio's page shows what a keystroke does to the cost, in a browser on the same machine."""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from hiri_spec.files import find

from .timing import report

KEYSTROKES = 60
PAUSE_MS = 250
"""Between two, about as one types who thinks."""
TARGET_MS = 100.0
WATCH = """() => {
    let current;
    const noted = [];
    addEventListener("keydown", () => noted.push((current = { pressed: performance.now() })), true);
    new MutationObserver(() => {
        const own = current;
        if (!own || own.known) return;
        own.known = performance.now();
        requestAnimationFrame(() => setTimeout(() => { own.painted = performance.now(); }));
    }).observe(document.querySelector(".studio-figures"), { characterData: true, childList: true, subtree: true });
    window.waited = () => noted.map(({ pressed, known, painted }) => painted && [known - pressed, painted - pressed]);
    window.forget = () => { noted.length = 0; };
}"""
"""Notes when a key is pressed, and when the totals that it changed are in the page and painted; each changes them."""


def keystrokes() -> bool:
    """From a key pressed in hiri_s to the totals on the screen, by the median: the slowest are the machine's doing."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        text = find("hiri_s").read_text()
        (folder / "mine.yaml").write_text(text)
        command = [sys.executable, "-m", "hiri_spec", "studio", "mine.yaml", "--port", "0", "--no-browser"]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, env=environment) as studio:
            try:
                assert studio.stderr is not None
                found = re.search(r"is at (\S+) ", studio.stderr.readline())
                assert found is not None, "the studio printed no address"
                waited = _type(found[1], text.splitlines())
            finally:
                studio.terminate()
    known, painted = ([each[place] for each in waited] for place in (0, 1))
    print(f"       in the page: {_told(known)}; painted: {_told(painted)}, of {len(waited)} keystrokes")
    median = statistics.median(painted)
    what = "from a keystroke to its cost on the screen, hiri_s"
    return report(what, f"{median:.0f} ms", f"{TARGET_MS:.0f} ms", median < TARGET_MS)


def _told(times_ms: list[float]) -> str:
    return f"median {statistics.median(times_ms):.0f} ms, 95 % {statistics.quantiles(times_ms, n=20)[-1]:.0f} ms"


def _type(address: str, lines: list[str]) -> list[tuple[float, float]]:
    """Type a digit after the number of classes and take it away, again and again; how long each took, in ms."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1500, "height": 1000})
        page.goto(address)
        page.locator('.studio-editor[data-ready="true"]').wait_for()
        page.get_by_text("No mistakes.").wait_for()
        page.locator(".cm-content").focus()
        page.keyboard.press("Control+Home")
        for _ in range(next(place for place, line in enumerate(lines) if "classes" in line)):
            page.keyboard.press("ArrowDown")
        page.keyboard.press("End")
        page.keyboard.press("ArrowLeft")
        page.evaluate(WATCH)
        for number in range(KEYSTROKES + 4):
            if number == 4:  # the first are for warming up
                page.evaluate("forget()")
            page.keyboard.press("Backspace" if number % 2 else "0")
            page.wait_for_function("waited().every(Boolean)")
            page.wait_for_timeout(PAUSE_MS)
        waited: list[tuple[float, float]] = page.evaluate("waited()")
        browser.close()
    return waited
