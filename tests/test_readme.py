"""README and docs/ stay true: their commands run and print what they say, their code and YAML work."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from hiri_spec.document import parse
from hiri_spec.messages import validate

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(language: str) -> list[object]:
    """The fenced blocks of a language in all pages, as parameters."""
    found = []
    for page in PAGES:
        texts = re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
        found += [pytest.param(text, id=f"{page.stem}-{number}") for number, text in enumerate(texts)]
    return found


def sessions() -> list[object]:
    """Each command of the console blocks with the output below it."""
    found = []
    for parameter in blocks("console"):
        for session in re.split(r"^\$ ", parameter.values[0], flags=re.MULTILINE)[1:]:  # type: ignore[attr-defined]
            command, _, output = session.partition("\n")
            found.append(pytest.param(command, output, id=command))
    return found


def run(*command: str, status: int = 0) -> str:
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert result.returncode == status, result.stderr
    return result.stdout + result.stderr


@pytest.mark.parametrize(("command", "output"), sessions())
def test_console_blocks_print_what_they_say(command: str, output: str, tmp_path: Path) -> None:
    program, *arguments = shlex.split(command)
    if program == "make":
        assert ".venv" in run("make", "--dry-run", "--always-make", *arguments)
    elif program == "python":
        # the whole search takes minutes, and its scores may differ in the last digit elsewhere: a short one here
        told = run(sys.executable, *arguments, "--trials", "2", "--out", str(tmp_path / "run"))
        assert output.splitlines()[0].split() in [line.split() for line in told.splitlines()]
        assert (tmp_path / "run" / "best.yaml").exists()
    else:
        assert program == "hiri-spec"
        told = run(sys.executable, "-m", "hiri_spec", *arguments, status=2 if "error:" in output else 0)
        assert [line.rstrip() for line in told.splitlines()] == [line.rstrip() for line in output.splitlines()]


@pytest.mark.parametrize("code", blocks("python"))
def test_python_blocks_run(code: str) -> None:
    run(sys.executable, "-c", code)


@pytest.mark.parametrize("text", [p for p in blocks("yaml") if "name:" in p.values[0] and "stem:" in p.values[0]])  # type: ignore[attr-defined]
def test_whole_specs_are_valid(text: str) -> None:
    assert validate(parse(text, "block")).stages


def test_the_spec_shown_is_the_spec_shipped() -> None:
    shown = re.search(r"^```yaml\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert shown is not None
    assert shown[1] in (ROOT / "specs" / "hiri_s.yaml").read_text().replace(
        "description: HIRI-ViT-S, five stages for 448 pixels (calibrated).\n", ""
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_pictures_are_current() -> None:
    drawn = run(sys.executable, "-m", "hiri_spec", "draw", "hiri_s")
    assert (ROOT / "docs" / "images" / "hiri_s.svg").read_text() == drawn
