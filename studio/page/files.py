"""Opening, saving, downloading and sharing: where the text comes from and where it goes."""

from __future__ import annotations

from collections import defaultdict
from pathlib import PurePosixPath
from typing import Any

from nicegui import run, ui

from hiri_spec.draw import draw_svg
from hiri_spec.errors import SpecError
from hiri_spec.files import builtin_specs
from hiri_spec.schema import ModelSpec

from ..sharing import to_fragment
from ..workspace import Conflict
from .asking import ask, refuse
from .browser import ask_browser
from .desk import Desk, words
from .keeping import draft_of, place
from .markup import text_difference


class OpenFiles:
    """Which files are open on which pages of this studio."""

    def __init__(self) -> None:
        self._desks: dict[str, list[FilesPanel]] = defaultdict(list)

    def take(self, panel: FilesPanel, path: str | None) -> int:
        """Note that a page has a file open now, and tell the others; how many others have."""
        self.leave(panel)
        if path is None:
            return 0
        # a page that was closed or loaded again stays for a while, in case it was only cut off
        others = [panel for panel in self._desks[path] if panel.is_seen]
        self._desks[path].append(panel)
        for other in others:
            other.warn()
        return len(others)

    def leave(self, panel: FilesPanel) -> None:
        """Note that a page has no file open, and tell one that was the only other."""
        for panels in self._desks.values():
            if panel in panels:
                panels.remove(panel)
                seen = [other for other in panels if other.is_seen]
                if len(seen) == 1:
                    seen[0].warn_no_more()


class FilesPanel:
    """The name of the file, whether it is saved, and what can be done with it."""

    def __init__(self, desk: Desk, opened: OpenFiles) -> None:
        self._desk = desk
        self._opened = opened
        self._client = ui.context.client
        with ui.row().classes("studio-file"):
            self._name = ui.label("").classes("studio-name")
            self._state = ui.label("").classes("studio-state").props('role="status"')
        with ui.row().classes("studio-actions").props('role="toolbar" aria-label="File"'):
            for label, action in (("Open", self.ask_open), ("Save", self.save), ("Save as", self.ask_save_as)):
                ui.button(label, on_click=action).props("flat dense no-caps")
            with ui.button("Download").props('flat dense no-caps aria-haspopup="menu"'), ui.menu().props("auto-close"):
                ui.menu_item("YAML", self.download_yaml).props('role="menuitem"')
                ui.menu_item("Drawing (SVG)", self.download_svg).props('role="menuitem"')
                ui.menu_item("PyTorch source", self.download_source).props('role="menuitem"')
            ui.button("Share", on_click=self.share).props("flat dense no-caps")
        self._warning = ui.label("").classes("studio-warning").props('role="alert"')
        self._warning.set_visibility(False)
        desk.listeners.append(self._tell)
        self._client.on_disconnect(lambda: opened.leave(self))
        self._client.on_connect(self.note)
        self._client.on_delete(lambda: opened.leave(self))
        self._tell()

    @property
    def is_seen(self) -> bool:
        """Whether a browser shows the page."""
        return self._client.has_socket_connection

    def open(self, path: str) -> None:
        """Open a file of the folder; raises SpecError where it can't be read."""
        found = self._desk.workspace.read(path)
        self._desk.open(found.text, path=found.path, version=found.version)
        place(self._client, file=found.path)
        self.note()

    def open_builtin(self, name: str) -> None:
        """Show a built-in spec, as a text without a file; raises SpecError for an unknown one."""
        from hiri_spec.files import find

        path = find(name)
        self._desk.open(path.read_text(encoding="utf-8"), path=None, suggested=f"{name}.yaml")
        place(self._client, builtin=name)
        self.note()

    def open_text(self, text: str, suggested: str, *, is_in_address: bool = False) -> None:
        """Show a text that has no file; the address may hold it itself."""
        self._desk.open(text, path=None, suggested=suggested)
        if not is_in_address:
            place(self._client)
        self.note()

    def warn(self) -> None:
        """Say that another page has the same file open."""
        self._warning.text = (
            f"{self._desk.path} is open on another page too. Whoever saves second is asked before anything is lost."
        )
        self._warning.set_visibility(True)

    def warn_no_more(self) -> None:
        """No other page has the file open any more."""
        self._warning.set_visibility(False)

    async def may_leave(self) -> bool:
        """Whether the text may be replaced by another: it is saved, or the user says so."""
        if not self._desk.is_changed:
            return True
        with ui.dialog().props('aria-label="Changes that are not saved"') as dialog, ui.card():
            ui.label(f"{self._desk.name} has changes that are not saved.")
            with ui.row().classes("studio-buttons"):
                ui.button("Cancel", on_click=lambda: dialog.submit("cancel")).props("flat no-caps autofocus")
                ui.button("Leave them", on_click=lambda: dialog.submit("leave")).props("flat no-caps")
                ui.button("Save first", on_click=lambda: dialog.submit("save")).props("no-caps unelevated")
        answer = await ask(dialog)
        if answer == "save":
            return await self.save()
        return bool(answer == "leave")

    async def save(self) -> bool:
        """Write the text to its file; asks where it has none, and where the file is not what was opened."""
        if self._desk.path is None:
            return await self.ask_save_as()
        return await self._write(self._desk.path, self._desk.version)

    async def ask_open(self) -> None:
        """Let the user choose a spec of the folder or a built-in one."""
        listing = await run.io_bound(self._desk.workspace.listing)
        if listing is None:  # the server is being ended
            return
        own = [*listing.specs, *listing.spaces]
        builtin = [f"built-in: {name}" for name in builtin_specs()]
        with ui.dialog().props('aria-label="Open a spec"') as dialog, ui.card().classes("studio-dialog"):
            ui.label("Open a spec").classes("studio-heading").props('role="heading" aria-level="2"')
            # a name that isn't listed may be typed: an empty file, say, is no spec yet
            choice = ui.select([*own, *builtin], label="Spec", with_input=True, new_value_mode="add-unique")
            choice.classes("studio-wide")
            choice.props('outlined autofocus aria-label="Spec"')
            with ui.row().classes("studio-buttons"):
                ui.button("Cancel", on_click=lambda: dialog.submit(None)).props("flat no-caps")
                ui.button("Open", on_click=lambda: dialog.submit(choice.value)).props("no-caps unelevated")
        name = await ask(dialog)
        if name is None or not await self.may_leave():
            return
        try:
            if name.startswith("built-in: "):
                self.open_builtin(name.removeprefix("built-in: "))
            else:
                self.open(name)
        except SpecError as error:
            refuse(error)

    async def ask_save_as(self) -> bool:
        """Ask for a name and write there; what exists is written over only if the user says so."""
        with ui.dialog().props('aria-label="Save as"') as dialog, ui.card().classes("studio-dialog"):
            ui.label("Save as").classes("studio-heading").props('role="heading" aria-level="2"')
            name = ui.input("File in the opened folder", value=self._desk.name).classes("studio-wide")
            name.props("outlined autofocus").on("keydown.enter", lambda: dialog.submit(name.value))
            with ui.row().classes("studio-buttons"):
                ui.button("Cancel", on_click=lambda: dialog.submit(None)).props("flat no-caps")
                ui.button("Save", on_click=lambda: dialog.submit(name.value)).props("no-caps unelevated")
        answer = await ask(dialog)
        return await self._write(answer.strip(), None) if answer and answer.strip() else False

    async def _write(self, path: str, expected: Any) -> bool:
        text = self._desk.text
        try:
            version = await self._write_asking(path, self._desk.text_for_file(), expected)
        except SpecError as error:
            refuse(error)
            return False
        if version is None:
            return False
        self._desk.path, self._desk.version, self._desk.saved = PurePosixPath(path).as_posix(), version, text
        place(self._client, file=self._desk.path)
        self.note()
        self._desk.tell()
        self._desk.refresh()  # `extends` is looked up beside the file
        ui.notify(f"Saved {path}.", type="positive")
        return True

    async def _write_asking(self, path: str, content: str, expected: str | None) -> str | None:
        """Write, asking whenever something else is there than was seen; None if the user doesn't want to."""
        while True:
            try:
                return self._desk.workspace.write(path, content, expected=expected)
            except Conflict as conflict:
                there = conflict.current
                if not await _ask_overwrite(words(conflict), None if there is None else there.text, content):
                    return None
                if there is None:
                    return self._desk.workspace.overwrite(path, content)
                expected = there.version

    def download_yaml(self) -> None:
        """Hand the text over as a file, mistakes and all."""
        self._hand_over(self._desk.text, ".yaml", "text/yaml")

    def download_svg(self) -> None:
        """Hand the drawing over, as `hiri-spec draw` makes it."""
        spec = self._spec_to_hand_over()
        if spec is not None:
            self._hand_over(draw_svg(spec, self._desk.sizes[0] if self._desk.sizes else None), ".svg", "image/svg+xml")

    async def download_source(self) -> None:
        """Hand over the source that needs torch alone, as `hiri-spec code` writes it."""
        from hiri_spec.source import to_source

        spec = self._spec_to_hand_over()
        if spec is None:
            return
        try:
            source = await run.io_bound(to_source, spec)
        except SpecError as error:
            refuse(error)
            return
        if source is not None:
            self._hand_over(source, ".py", "text/x-python")

    async def share(self) -> None:
        """Show a link that holds the text itself."""
        try:
            fragment = to_fragment(self._desk.text)
        except SpecError as error:
            refuse(error)
            return
        origin = await ask_browser("location.origin")
        link = f"{origin}/#{fragment}"
        with ui.dialog().props('aria-label="A link that holds the spec"') as dialog, ui.card().classes("studio-dialog"):
            ui.label("A link that holds the spec").classes("studio-heading").props('role="heading" aria-level="2"')
            ui.label("Nothing is kept on a server: the text is in the part behind #, which opens in any studio.")
            shown = ui.textarea("Link", value=link).props("outlined readonly autogrow").classes("studio-wide")
            shown.on("focus", js_handler="(event) => event.target.select()")
            with ui.row().classes("studio-buttons"):
                ui.button("Copy", on_click=lambda: ui.clipboard.write(link)).props("flat no-caps")
                ui.button("Close", on_click=dialog.close).props("no-caps unelevated autofocus")
        await ask(dialog)

    def _spec_to_hand_over(self) -> ModelSpec | None:
        """The network of the text as it is; says why there is none where it has mistakes."""
        analysis = self._desk.analysis
        if analysis is None or analysis.text != self._desk.text or analysis.spec is None:
            ui.notify("The spec has mistakes; mend them first.", type="warning")
            return None
        return analysis.spec

    def _hand_over(self, text: str, ending: str, kind: str) -> None:
        stem = PurePosixPath(self._desk.name).stem or "spec"
        ui.download.content(text, stem + ending, kind)

    def note(self) -> None:
        """Say so if another page has the file open."""
        self._warning.set_visibility(False)
        if self._opened.take(self, self._desk.path):
            self.warn()
        self._tell()

    def _tell(self) -> None:
        self._name.text = self._desk.name
        state = "changed" if self._desk.is_changed else "saved" if self._desk.path else "not a file yet"
        self._state.text = state
        draft = draft_of(self._desk)
        if self._state.props.get("data-draft") != draft:
            self._state.props["data-draft"] = draft
            self._state.update()


async def _ask_overwrite(why: str, there: str | None, content: str) -> bool:
    with ui.dialog().props('aria-label="Write over it?"') as dialog, ui.card().classes("studio-dialog"):
        ui.label(why).style("white-space: pre-line")
        if there is not None:
            ui.label("What writing would change in it:")
            with ui.element("div").classes("studio-dialog-body"):
                ui.html(text_difference(there, content), sanitize=False)
        with ui.row().classes("studio-buttons"):
            ui.button("Cancel", on_click=lambda: dialog.submit(False)).props("flat no-caps autofocus")
            ui.button("Write over it", on_click=lambda: dialog.submit(True)).props("no-caps unelevated color=negative")
    return bool(await ask(dialog))
