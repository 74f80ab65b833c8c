"""Draws report.png beside this file: the page of a search, in a headless Chromium.

It searches for some minutes, or takes a folder in which it did.
"""

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

import explorer

PICTURE = Path(__file__).with_suffix(".png")
SIZE = {"width": 1280, "height": 1130}

with TemporaryDirectory() as folder, sync_playwright() as playwright:
    out = Path(sys.argv[1] if len(sys.argv) > 1 else folder)
    found = explorer.search("1gflops", resolution=224, evaluator="naswot", trials=60, out=out)
    chosen, pointed = (member.number for member in found.front[2:4])
    browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
    page = browser.new_page(viewport=SIZE)
    page.goto(found.report().resolve().as_uri())
    points = page.locator("#front-plot svg")
    for number, act in ((chosen, page.mouse.click), (pointed, page.mouse.move)):
        box = points.locator(f'[data-trial="{number}"]').bounding_box()
        assert box is not None
        act(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.screenshot(path=PICTURE)
    browser.close()
