"""What all commands share: error lines, statuses, closed pipes, colour."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from hiri_spec import SpecError
from hiri_spec.command_line import console, fail, run_app

ROOT = Path(__file__).resolve().parent.parent


def test_a_mistake_is_told_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    def app() -> None:
        raise SpecError(["one", "two"][0])

    with pytest.raises(SystemExit, match="2"):
        run_app(app)
    captured = capsys.readouterr()
    assert captured.err == "error: one\n"
    assert captured.out == ""


def test_fail(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit, match=r"^1$") as caught:
        fail("one\ntwo", status=1)
    assert caught.value.exit_code == 1
    assert capsys.readouterr().err == "error: one\nerror: two\n"


def test_output_for_a_pipe_is_neither_cut_nor_coloured(capsys: pytest.CaptureFixture[str]) -> None:
    console().print("[bold]" + "x" * 190 + "[/bold]")
    assert capsys.readouterr().out == "x" * 190 + "\n"


def test_a_reader_that_leaves_ends_the_command_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "hiri_spec", "cost", "hiri_s", "--json"]
    result = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, cwd=ROOT, check=False)
    os.close(writing)
    assert (result.returncode, result.stderr) == (1, "")


@pytest.mark.parametrize("arguments", [["cost", "hiri_s"], ["cost", "hiri_s", "--json"]], ids=["table", "json"])
def test_output_that_cannot_be_written_is_told(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "hiri_spec", *arguments]
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT, check=False)
    assert (result.returncode, result.stderr) == (2, "error: the output cannot be written: No space left on device\n")


def test_a_closed_output_is_no_error() -> None:
    command = ["sh", "-c", f"{sys.executable} -m hiri_spec cost hiri_s >&-"]
    result = subprocess.run(command, stderr=subprocess.PIPE, text=True, cwd=ROOT, check=False)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_a_narrow_terminal_cuts_no_figure(columns: int) -> None:
    command = [
        "script",
        "-qec",
        f"stty cols {columns}; {sys.executable} -m hiri_spec cost hiri_s -r 224,448",
        "/dev/null",
    ]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    assert "…" not in result.stdout
    for figure in ("11,488,960", "128x28x28", "2,501.6"):
        assert figure in result.stdout


@pytest.mark.parametrize(
    ("environment", "codes"),
    [({}, {"1", "2"}), ({"NO_COLOR": "1"}, {"1", "2"}), ({"TERM": "dumb"}, set())],
    ids=["terminal", "no-color", "dumb"],
)
def test_only_terminals_get_styles_and_none_a_colour(environment: dict[str, str], codes: set[str]) -> None:
    # `script` gives the command a terminal
    command = ["script", "-qec", f"{sys.executable} -m hiri_spec cost hiri_s", "/dev/null"]
    surroundings = {"PATH": "/usr/bin:/bin", "TERM": "xterm-256color", **environment}
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=surroundings, check=True)
    assert set(re.findall(r"\x1b\[([0-9;]+)m", result.stdout)) - {"0"} == codes
