"""The page as a whole: its parts, how they lie, and what is opened first."""

from __future__ import annotations

from fastapi import Request
from nicegui import ui
from nicegui.events import GenericEventArguments

from hiri_spec import __version__
from hiri_spec.errors import SpecError

from ..opening import FIRST, Opening
from ..sharing import KEY, from_fragment
from ..workspace import Workspace
from .asking import refuse
from .browser import ask_browser
from .comparing import ComparePanel
from .desk import Desk
from .editor import EditorPanel, add_completions
from .files import FilesPanel, OpenFiles
from .keeping import take_draft
from .limits import LimitsPanel
from .network import NetworkPanel
from .search_view import SearchPanel
from .sliders import SliderPanel

HEAD = """<link rel="stylesheet" href="/studio/studio.css"><script type="module" src="/studio/editor.js"></script>"""
COLOURS = {"primary": "#1d5f8a", "info": "#1d5f8a", "positive": "#17694f", "negative": "#a32a12"}
"""Of buttons and notices; white is read on each of them, 6 to 1 at the least."""
WATCH_ADDRESS = """
window.addEventListener("hashchange", (event) => {
  emitEvent("studio_fragment", { fragment: new URL(event.newURL).hash });
});
return location.hash;
"""
WATCH_SCHEME = """
const scheme = matchMedia("(prefers-color-scheme: dark)");
scheme.addEventListener("change", (event) => emitEvent("studio_scheme", { dark: event.matches }));
return scheme.matches;
"""


def add_page(opening: Opening) -> None:
    """Serve the page of an opened folder at /."""
    workspace = Workspace(opening.folder)
    opened = OpenFiles()
    add_completions()
    for popup in (ui.select, ui.menu, ui.dialog):
        # while one fades, Quasar keeps the focus for the end: it would be taken from who has gone on to another field
        popup.default_props("transition-duration=0")

    @ui.page("/", title="hiri-spec studio", dark=None, language="en-US")
    async def studio(
        request: Request, file: str | None = None, builtin: str | None = None, search: str | None = None
    ) -> None:
        page = Page(workspace, opened)
        page.begin(file, builtin, search)
        await ui.context.client.connected()
        await page.meet_browser()


class Page:
    """One page in a browser."""

    def __init__(self, workspace: Workspace, opened: OpenFiles) -> None:
        ui.add_head_html(HEAD)
        self._desk = desk = Desk(workspace)
        ui.colors(**COLOURS)
        self._dark = ui.dark_mode(None)
        self._editor: EditorPanel
        with ui.element("div").classes("studio"):
            with ui.element("header").classes("studio-header"):
                ui.label("hiri-spec studio").classes("studio-title").props('role="heading" aria-level="1"')
                self._files = FilesPanel(desk, opened)
                with ui.row().classes("studio-actions").props('role="toolbar" aria-label="Edit"'):
                    ui.button("Undo", on_click=lambda: self._editor.undo()).props("flat dense no-caps")
                    ui.button("Redo", on_click=lambda: self._editor.redo()).props("flat dense no-caps")
                    self._scheme = ui.button("Dark", on_click=self._switch).props("flat dense no-caps")
            with ui.element("main").classes("studio-main"):
                with ui.element("div").classes("studio-left"):
                    self._editor = EditorPanel(desk, self._files.save)
                    SliderPanel(desk, self._editor)
                with ui.element("div").classes("studio-right"):
                    with ui.tabs().props('dense no-caps align="left"') as tabs:
                        network = ui.tab("Network")
                        comparison = ui.tab("Compare")
                        searches = ui.tab("Searches")
                    with ui.tab_panels(tabs, value=network, animated=False, keep_alive=True).classes("studio-panels"):
                        with ui.tab_panel(network):
                            self._limits = LimitsPanel(desk)
                            NetworkPanel(desk)
                        with ui.tab_panel(comparison):
                            self._compare = ComparePanel(desk)
                        with ui.tab_panel(searches):
                            self._searches = SearchPanel(desk, self._files, self._compare)
                    self._tabs, self._search_tab = tabs, searches
            with ui.element("footer").classes("studio-footer"):
                ui.label(f"hiri-spec {__version__}, folder {workspace.root}")
        ui.on("studio_scheme", self._follow_scheme)
        ui.on("studio_fragment", self._follow_fragment)

    def begin(self, file: str | None, builtin: str | None, search: str | None) -> None:
        """Open what the address names."""
        try:
            if file is not None:
                self._files.open(file)
            else:
                self._files.open_builtin(builtin or FIRST)
        except SpecError as error:
            self._files.open_builtin(FIRST)
            refuse(error)
        if search is not None:
            try:
                self._searches.choose(search)
                self._tabs.set_value(self._search_tab)
            except SpecError as error:
                refuse(error)

    async def meet_browser(self) -> None:
        """What only the browser knows: dark or light, and the text in the address's fragment."""
        self._editor.equip()
        self._files.note()
        await self._searches.look_again()
        await self._compare.look_again()
        self._take_scheme(bool(await ask_browser(WATCH_SCHEME)))
        await self._take_fragment(await ask_browser(WATCH_ADDRESS))
        if await take_draft(self._desk):
            ui.notify("What you had not saved is here again; Undo takes it away.", type="info")

    async def _follow_fragment(self, event: GenericEventArguments) -> None:
        """A link that was opened where this page was: the browser doesn't load it again."""
        await self._take_fragment(event.args.get("fragment"))

    async def _take_fragment(self, fragment: object) -> None:
        if not isinstance(fragment, str) or not fragment.startswith(f"#{KEY}"):
            return
        try:
            text = from_fragment(fragment)
        except SpecError as error:
            refuse(error)
            return
        if await self._files.may_leave():
            self._files.open_text(text, "shared.yaml", is_in_address=True)

    def _follow_scheme(self, event: GenericEventArguments) -> None:
        if self._dark.value is None:
            self._take_scheme(bool(event.args.get("dark")))

    def _switch(self) -> None:
        is_dark = not self._desk.is_dark
        self._dark.set_value(is_dark)
        self._take_scheme(is_dark)

    def _take_scheme(self, is_dark: bool) -> None:
        self._desk.is_dark = is_dark
        self._scheme.text = "Light" if is_dark else "Dark"
        self._editor.follow_scheme()
        self._searches.redraw()
        self._desk.refresh()
