"""A studio that runs in a process of its own, and a browser that looks at it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Request, Route, expect
from playwright.sync_api import TimeoutError as BrowserTimeoutError

MOST_SECONDS = 20.0
ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = shutil.which("chromium")
IN_BROWSER = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium; apt-get install chromium"),
    pytest.mark.slow,
]
"""The marks of a file of tests that look at the page."""
SPEC = (ROOT / "specs" / "hiri_s.yaml").read_text()
STAGE = next(line for line in SPEC.splitlines() if "transformer, depth: 9" in line)
LINE = SPEC.splitlines().index(STAGE) + 1
expect.set_options(timeout=1000 * MOST_SECONDS)


@dataclass
class Studio:
    """A running `hiri-spec studio`."""

    process: subprocess.Popen[str]
    address: str
    folder: Path

    @property
    def origin(self) -> str:
        """The address without what is opened at first."""
        return "/".join(self.address.split("/")[:3])

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(MOST_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


def start_studio(folder: Path, *arguments: str, port: str | None = "0") -> Studio:
    """Start one on any free port, or on the one it chooses for None, and wait for the address that it prints."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "hiri_spec", "studio", *arguments, "--no-browser"]
    command += [] if port is None else ["--port", port]
    log = folder.parent / f"{folder.name}-studio.log"
    with log.open("w") as stream:
        process = subprocess.Popen(command, cwd=folder, stderr=stream, stdout=stream, text=True, env=environment)
    deadline = time.monotonic() + 3 * MOST_SECONDS
    while time.monotonic() < deadline:
        told = log.read_text()
        found = re.search(r"the studio is at (\S+) ", told)
        if found:
            return Studio(process, found[1], folder)
        if process.poll() is not None:
            break
        time.sleep(0.05)
    process.kill()
    raise AssertionError(f"no address was printed: {log.read_text()}")


@dataclass
class Seen:
    """A page in the browser, with everything that it asked other hosts for and complained of."""

    page: Page
    origin: str
    strangers: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, context: BrowserContext, address: str) -> Seen:
        origin = "/".join(address.split("/")[:3])
        seen = cls(context.new_page(), origin)

        def watch(route: Route, request: Request) -> None:
            if request.url.startswith((origin, "data:", "blob:")):
                route.continue_()
            else:
                seen.strangers.append(request.url)
                route.abort()

        seen.page.route("**/*", watch)
        seen.page.on("console", lambda message: seen.told.append(message.text) if message.type == "error" else None)
        seen.page.on("pageerror", lambda error: seen.told.append(str(error)))
        seen.page.set_default_timeout(1000 * MOST_SECONDS)
        seen.page.goto(address)
        seen.page.locator('.studio-editor[data-ready="true"]').wait_for()
        return seen

    def check(self) -> None:
        """No other host was asked and nothing is on the console."""
        assert self.strangers == []
        assert self.told == []

    @property
    def editor(self) -> Locator:
        return self.page.locator(".cm-content")

    @property
    def text(self) -> str:
        """The text in the editor, whatever of it is on the screen."""
        script = "getElement(+document.querySelector('.nicegui-codemirror')?.id.slice(1))?.editor?.state.doc.toString()"
        return str(self.page.evaluate(script))

    def expect_text(self, text: str) -> None:
        """The text in the editor comes to be this; what the server writes there is on its way for a while."""
        deadline = time.monotonic() + MOST_SECONDS
        while self.text != text and time.monotonic() < deadline:
            self.page.wait_for_timeout(20)
        assert self.text == text

    def type_at_line(self, line: int, keys: str) -> None:
        """Put the cursor at the end of a line, by keyboard, and type."""
        self.editor.focus()
        self.editor.press("Control+Home")
        for _ in range(line - 1):
            self.editor.press("ArrowDown")
        self.editor.press("End")
        self.page.keyboard.type(keys)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def choose(self, field: Locator, option: str) -> None:
        """Choose from a list, by typing where it can be searched; what is not offered yet is looked for again."""
        found = self.page.get_by_role("option", name=option, exact=True)
        deadline = time.monotonic() + MOST_SECONDS
        while True:
            field.click()
            if field.is_editable():
                field.fill(option)
            try:
                found.click(timeout=1000)
                break
            except BrowserTimeoutError:
                if time.monotonic() > deadline:
                    raise
                field.press("Escape")
        expect(self.page.get_by_role("listbox")).to_have_count(0)

    def status(self) -> Locator:
        return self.page.locator(".studio-status")

    def totals(self) -> tuple[str, str]:
        large = self.page.locator(".studio-large")
        return large.nth(0).inner_text(), large.nth(1).inner_text()
