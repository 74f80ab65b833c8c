"""The commands of tasks as users type them."""

from __future__ import annotations

import sys

import pytest
import typer
from told import Told

from hiri_spec.command_line import run_app
from hiri_spec.commands.tasks.cost import cost
from hiri_spec.commands.tasks.trying import try_out


def run_tasks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str, *arguments: str
) -> Told:
    """What `hiri-spec tasks cost …` or `try …` says."""
    app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command("cost")(cost)
    app.command("try")(try_out)
    monkeypatch.setattr(sys, "argv", ["hiri-spec tasks", command, *arguments])
    with pytest.raises(SystemExit, match=r"\d") as caught:
        run_app(app)
    assert isinstance(caught.value.code, int)
    return Told(caught.value.code, *capsys.readouterr())
