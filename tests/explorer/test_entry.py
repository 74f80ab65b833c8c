"""How the explorer's programs start and stop."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from explorer.entry import start

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("program", ["search", "scale", "reproduce"])
def test_ctrl_c_while_imports_are_loading(tmp_path: Path, program: str) -> None:
    """A module of the name of one that every command imports raises what Ctrl-C would just then."""
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt\n")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    command = [sys.executable, "-m", f"explorer.{program}"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path)
    assert (result.returncode, result.stdout, result.stderr) == (130, "", "stopped\n")


def test_ctrl_c_that_typer_catches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    code = ["import typer", "main = typer.Typer()", "@main.command()", "def run():", "    raise KeyboardInterrupt"]
    (tmp_path / "stops.py").write_text("\n".join(code))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("sys.argv", ["stops"])
    with pytest.raises(SystemExit, match="130"):
        start("stops")
    assert capsys.readouterr().err == "stopped\n"
