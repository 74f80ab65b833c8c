"""What one page has open: a text, where it belongs, and what is known of it; panels are shown each change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from nicegui import background_tasks, run, ui

from hiri_spec.errors import SpecError
from hiri_spec.schema import ModelSpec

from ..analysis import Analysis, analyse
from ..workspace import Workspace

UNTITLED = "untitled.yaml"


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
    _put: Callable[[str], None] | None = None

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

    def on_put(self, put: Callable[[str], None]) -> None:
        """What writes a text into the editor."""
        self._put = put

    def edit(self, text: str) -> None:
        """Take the text that was typed."""
        if text != self.text:
            self.text = text
            self.refresh()
            self.tell()

    def put(self, text: str) -> None:
        """Write a text into the editor, as one step that can be undone."""
        if self._put is not None:
            self._put(text)
        self.edit(text)

    def open(self, text: str, *, path: str | None, version: str | None = None, suggested: str = UNTITLED) -> None:
        """Take another text in place of this one."""
        self.path, self.version, self.suggested = path, version, suggested
        self.text = self.saved = text
        if self._put is not None:
            self._put(text)
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

    async def _follow(self) -> None:
        try:
            while self._seen != self._wanted:
                self._seen = self._wanted
                found = await run.io_bound(self._prepare)
                if found is None:  # the server is being ended
                    return
                analysis, prepared = found
                self.analysis = analysis
                self.spec = analysis.spec or self.spec
                for panel, own in prepared:
                    panel.show(own)
        finally:
            self._is_following = False

    def _prepare(self) -> tuple[Analysis, list[tuple[Panel, Any]]]:
        analysis = analyse(self.text, file=self.file, roots=[self.workspace.root], sizes=self.sizes)
        return analysis, [(panel, panel.prepare(analysis)) for panel in self.panels]


def words(error: SpecError) -> str:
    """What is wrong, a line each, for a notice on the page."""
    return "\n".join(str(problem) for problem in error.problems)
