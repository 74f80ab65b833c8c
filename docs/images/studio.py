"""Draws studio.png beside this file: a studio in a headless Chromium, with HIRI-S over a budget."""

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, expect, sync_playwright

PICTURE = Path(__file__).with_suffix(".png")
SPEC = Path(__file__).resolve().parents[2] / "specs" / "hiri_s.yaml"
FILE = "hiri_s.yaml"
SIZE = {"width": 1400, "height": 900}
AT = "depth: "
"""The cursor is put behind this in the longest stage."""
STEADY = ".studio-footer { display: none; } .cm-cursorLayer { visibility: hidden; }"
"""The folder is one of this machine, and the cursor blinks."""


def prepare(page: Page, text: str) -> None:
    """A budget that is too low, and the cursor on a depth."""
    page.locator('.studio-editor[data-ready="true"]').wait_for()
    page.add_style_tag(content=STEADY)
    page.get_by_label("Budget", exact=True).fill("4.5gflops")
    expect(page.locator(".studio-gauge-told")).to_contain_text("over the budget")
    lines = [line.lstrip() for line in text.splitlines()]  # Home leads to the first letter
    line = next(place for place, each in enumerate(lines) if f"{AT}9" in each)
    editor = page.locator(".cm-content")
    keys = ["Control+Home", *["ArrowDown"] * line, "Home", *["ArrowRight"] * (lines[line].index(AT) + len(AT))]
    for key in keys:
        editor.press(key)
    expect(page.locator(".studio-slider-label")).to_contain_text("9, from 1")
    page.wait_for_timeout(1000)  # the charts move until then


with TemporaryDirectory() as folder, sync_playwright() as playwright:
    kept = [line for line in SPEC.read_text().splitlines() if not line.startswith(("#", "description"))]
    text = "\n".join(kept) + "\n"
    (Path(folder) / FILE).write_text(text)
    command = [sys.executable, "-m", "hiri_spec", "studio", FILE, "--port", "0", "--no-browser"]
    studio = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
    try:
        assert studio.stderr is not None
        told = studio.stderr.readline()
        address = re.search(r"http://\S+", told)
        assert address is not None, told
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE)
        page.goto(address[0])
        prepare(page, text)
        page.screenshot(path=PICTURE)
        browser.close()
    finally:
        studio.send_signal(signal.SIGINT)
        studio.wait()
