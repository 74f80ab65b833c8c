"""The form that starts a search in the background, filled with the page's budget and resolution."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from nicegui import run, ui

from explorer.evaluators import EVALUATORS
from explorer.names import DEFAULT_EVALUATOR
from explorer.search import DEFAULT_TRIALS
from explorer.space import SPACES
from hiri_spec.errors import SpecError
from hiri_spec.quantities import format_resolution

from ..searches import start_search
from ..searches.starting import DATA
from .asking import ask
from .desk import Desk, words

OWN_SPACE = "hiri"


async def ask_search(desk: Desk) -> str | None:
    """Ask what to search for and start it; the folder of the search, or None if it was not started."""
    budget = "5gflops" if desk.budget is None else f"{desk.budget / 1e9:.12g}gflops"
    size = desk.sizes[0] if desk.sizes else desk.spec.size if desk.spec is not None else (448, 448)
    listing = await run.io_bound(desk.workspace.listing)
    if listing is None:  # the server is being ended
        return None
    spaces = [*sorted(path.stem for path in SPACES.glob("*.yaml")), *listing.spaces]
    with ui.dialog().props('aria-label="New search"') as dialog, ui.card().classes("studio-dialog"):
        ui.label("New search").classes("studio-heading").props('role="heading" aria-level="2"')
        with ui.element("div").classes("studio-form"):
            out = ui.input("Folder", value=_free_folder(listing.searches)).props("outlined dense autofocus")
            budget_field = ui.input("Budget", value=budget).props("outlined dense")
            resolution = ui.input("Resolution", value=format_resolution(size)).props("outlined dense")
            space = ui.select(spaces, label="Space", value=OWN_SPACE, with_input=True).props("outlined dense")
            stages = ui.input("Stages", placeholder="4,5,6; empty: any").props("outlined dense")
            trials = ui.number("Trials", value=DEFAULT_TRIALS, placeholder=str(DEFAULT_TRIALS), precision=0).props(
                "outlined dense"
            )
            evaluator = ui.select(sorted(EVALUATORS), label="Evaluator", value=DEFAULT_EVALUATOR).props(
                "outlined dense"
            )
            data = ui.select(list(DATA), label="Data, for train", clearable=True).props("outlined dense")
            epochs = ui.number("Epochs, for train", precision=0).props("outlined dense")
            most_params = ui.input("Most parameters", placeholder="35m").props("outlined dense")
            workers = ui.number("Processes", value=1, placeholder="1", precision=0).props("outlined dense")
        wrong = ui.label("").classes("studio-warning").props('role="alert"')
        wrong.set_visibility(False)
        ui.label("It runs on when this page is closed; the terminal's command can go on with it.").classes(
            "studio-note"
        )

        async def start() -> None:
            asked: dict[str, Any] = {
                "out": (out.value or "").strip(),
                "budget": (budget_field.value or "").strip(),
                "resolution": (resolution.value or "").strip() or None,
                "space": space.value,
                "stages": (stages.value or "").strip() or None,
                "trials": DEFAULT_TRIALS if trials.value is None else int(trials.value),
                "evaluator": evaluator.value,
                "data": data.value,
                "epochs": None if epochs.value is None else int(epochs.value),
                "max_params": (most_params.value or "").strip() or None,
                "workers": 1 if workers.value is None else int(workers.value),
            }
            wrong.set_visibility(False)
            button.props("loading")
            try:
                await run.io_bound(lambda: start_search(desk.workspace, **asked))
            except SpecError as error:
                wrong.text = words(error)
                wrong.set_visibility(True)
            else:
                dialog.submit(asked["out"])
            finally:
                button.props(remove="loading")

        with ui.row().classes("studio-buttons"):
            ui.button("Cancel", on_click=lambda: dialog.submit(None)).props("flat no-caps")
            button = ui.button("Start", on_click=start).props("no-caps unelevated")
    started = await ask(dialog)
    return started if isinstance(started, str) else None


def _free_folder(taken: Collection[str]) -> str:
    """A name under runs/ that no search has yet."""
    return next(name for name in (f"runs/search-{number}" for number in range(1, 10_000)) if name not in taken)
