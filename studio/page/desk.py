"""What one page has open: a text, where it belongs, and what is known of it; panels are shown each change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from nicegui import background_tasks, run, ui

from hiri_spec.errors import Problem, SpecError
from hiri_spec.schema import ModelSpec

from ..analysis import Analysis, analyse
from ..workspace import Workspace

UNTITLED = "untitled.yaml"
LARGEST_TEXT = 200_000
"""Characters of the longest text in the editor, which a message to the server holds; editor.js has it too."""


UNFORESEEN = (
    "This text could not be looked at, which is a mistake of the studio's; the terminal has more. Save still works."
)


class Panel(Protocol):
    """A part of the page that follows the text: `prepare` runs in a thread, `show` puts it on the page."""

    def prepare(self, analysis: Analysis) -> Any:
        """Whatever takes time, without touching the page."""

    def show(self, prepared: Any) -> None:
        """Put on the page what was prepared."""


@dataclass
class Desk:
    """The text of a page, its file and what is asked of it; every change is followed by all panels."""

    workspace: Workspace
    text: str = ""
    path: str | None = None
    """Its file, relative to the opened folder; None for a text that has none yet."""
    version: str | None = None
    """The file as it was read or written last."""
    saved: str = ""
    """The text as it was opened or saved last."""
    line_end: str = "\n"
    """How lines end in its file; in the text it is always a line feed, as in the browser."""
    suggested: str = UNTITLED
    """A name for a text without a file."""
    sizes: tuple[tuple[int, int], ...] | None = None
    """The resolutions to cost it at; None: its own."""
    budget: int | None = None
    """MACs that it should not exceed."""
    is_dark: bool = False
    analysis: Analysis | None = None
    """Of the newest text that was looked at."""
    spec: ModelSpec | None = None
    """Of the newest text without mistakes."""
    panels: list[Panel] = field(default_factory=list)
    listeners: list[Callable[[], None]] = field(default_factory=list)
    """Called when the file or its being saved changes."""
    _wanted: int = 0
    _seen: int = 0
    _is_following: bool = False
    _put: Callable[[str, bool], None] | None = None
    _open: Callable[[str], None] | None = None

    @property
    def name(self) -> str:
        """What the text is called."""
        return self.path or self.suggested

    @property
    def is_changed(self) -> bool:
        """Whether there is something to save."""
        return self.text != self.saved

    @property
    def file(self) -> Path:
        """The place the text belongs to, whether or not a file is there."""
        return self.workspace.root / self.name

    def on_put(self, put: Callable[[str, bool], None], open: Callable[[str], None]) -> None:
        """What writes a text into the editor, as a step of its own or not, and what begins there with another one."""
        self._put, self._open = put, open

    def edit(self, text: str) -> None:
        """Take the text that was typed."""
        if text != self.text:
            self.text = text
            self.refresh()
            self.tell()

    def put(self, text: str, *, is_own_step: bool = True) -> None:
        """Write a text into the editor, which undo takes back, with what was put just before unless by itself."""
        text = with_line_feeds(text)
        if self._put is not None:
            self._put(text, is_own_step)
        self.edit(text)

    def open(self, text: str, *, path: str | None, version: str | None = None, suggested: str = UNTITLED) -> None:
        """Take another text in place of this one, which undo doesn't go back to; raises SpecError for a huge one."""
        if len(text) > LARGEST_TEXT:
            message = f"{len(text):,} characters are more than the {LARGEST_TEXT:,} that the studio edits"
            raise SpecError(Problem(f"{message}; use another editor", file=path or suggested, code="too_large"))
        self.path, self.version, self.suggested = path, version, suggested
        self.line_end = "\r\n" if "\r\n" in text else "\n"
        self.text = self.saved = with_line_feeds(text)
        self.analysis = self.spec = None
        if self._open is not None:
            self._open(self.text)
        self.refresh()
        self.tell()

    def tell(self) -> None:
        """Call those who show the file's name and whether it is saved."""
        for listener in self.listeners:
            listener()

    def refresh(self) -> None:
        """Look at the text again, soon; many changes at once are looked at once."""
        self._wanted += 1
        if not self._is_following:
            self._is_following = True
            background_tasks.create(self._follow(), name="follow the text", context=ui.context.client)

    def text_for_file(self) -> str:
        """The text with its lines ending as they did when it was opened."""
        return self.text.replace("\n", self.line_end)

    async def _follow(self) -> None:
        try:
            while self._seen != self._wanted:
                self._seen = self._wanted
                text = self.text
                found = await run.io_bound(self._prepare)
                if found is None:  # the server is being ended
                    return
                analysis, prepared = found
                if self.text != text and self.spec is None and self.analysis is None:
                    continue  # another text was opened meanwhile
                self.analysis = analysis
                self.spec = analysis.spec or self.spec
                for panel, own in prepared:
                    panel.show(own)
        except Exception:
            ui.notify(UNFORESEEN, type="negative", close_button="Close", timeout=0)
            raise
        finally:
            self._is_following = False

    def _prepare(self) -> tuple[Analysis, list[tuple[Panel, Any]]]:
        analysis = analyse(self.text, file=self.file, roots=[self.workspace.root], sizes=self.sizes)
        return analysis, [(panel, panel.prepare(analysis)) for panel in self.panels]


def with_line_feeds(text: str) -> str:
    """A text as the browser has it: each line ends with a line feed."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def words(error: SpecError) -> str:
    """What is wrong, a line each, for a notice on the page."""
    return "\n".join(str(problem) for problem in error.problems)
