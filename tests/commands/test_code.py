"""`hiri-spec code`: a file on stdout or in its place, and clear words for what can't be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import hiri_spec
from hiri_spec.cli import app

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["code", *arguments])


def told(*arguments: str) -> tuple[int, str, str]:
    """Status, stdout and stderr of the command as users run it."""
    command = [sys.executable, "-m", "hiri_spec", "code", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    return result.returncode, result.stdout, result.stderr


def test_help_has_an_example() -> None:
    assert "Example: hiri-spec code hiri_s --class-name HiriS --out hiri_s.py" in run("--help").stdout


def test_source_on_stdout() -> None:
    result = run("pvt_v2_b0")
    assert (result.exit_code, result.stdout) == (0, hiri_spec.to_source("pvt_v2_b0"))


def test_a_file_with_changes_and_a_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    result = run("pvt_v2_b0", "--set", "head.classes=7", "--class-name", "Mine", "--out", str(path))
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", f"wrote {path}\n")
    changed = hiri_spec.load("pvt_v2_b0", set={"head.classes": 7})
    assert path.read_text(encoding="utf-8") == hiri_spec.to_source(changed, class_name="Mine")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["hiri_x"], "error: 'hiri_x' is no file and no built-in spec; did you mean"),
        (["hiri_s", "--class-name", "my net"], "error: --class-name: 'my net' is no name for a Python class"),
        (["hiri_s", "--class-name", "HR"], "error: --class-name: 'HR' already means something in the file"),
        (["hiri_s", "--out", "no/such/folder/a.py"], "error: no/such/folder/a.py: cannot be written: No such file"),
        (["hiri_s", "--set", "stages.3.heads=3"], "error: --set stages[3].width: 320 is not a multiple of heads=3"),
    ],
    ids=["spec", "class-name", "taken", "out", "set"],
)
def test_mistakes(arguments: list[str], message: str) -> None:
    status, out, err = told(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith(message)
    assert len(err.splitlines()) == 1


def test_it_is_utf8_whatever_the_terminal_says() -> None:
    command = [sys.executable, "-m", "hiri_spec", "code", "hiri_s"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    result = subprocess.run(command, capture_output=True, check=True, cwd=ROOT, env=environment)
    assert result.stdout.decode() == hiri_spec.to_source("hiri_s")


def test_no_torch_is_loaded() -> None:
    code = (
        "from hiri_spec.cli import app; app(['code', 'hiri_s', '--out', '/dev/null'], standalone_mode=False)\n"
        "import sys; print(sorted({'torch', 'timm', 'numpy'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout == "[]\n"


def test_the_spec_itself_is_not_overwritten(tmp_path: Path) -> None:
    spec = tmp_path / "mine.yaml"
    spec.write_text("extends: pvt_v2_b0\n")
    status, _, err = told(str(spec), "--out", str(spec))
    assert (status, err) == (2, f"error: --out: {spec} is the spec itself, and would be lost; name another file\n")
    assert spec.read_text() == "extends: pvt_v2_b0\n"
