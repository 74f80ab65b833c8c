"""What docs/scale.md shows is in order: options that exist, a manifest and a script that can be read."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from hiri_spec.document import parse

PAGE = (Path(__file__).parents[3] / "docs" / "scale.md").read_text()


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("program", ["search", "worker", "proxy"])
def test_options_exist(program: str) -> None:
    described = next(text for text in block("text").split("python -m explorer.") if text.startswith(program))
    shown = {*re.findall(r"--[a-z-]+", described)}
    help_text = subprocess.run(
        [sys.executable, "-m", f"explorer.{program}", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert len(shown) > 2
    assert shown <= {*re.findall(r"--[a-z-]+", help_text)}


def test_the_slurm_script() -> None:
    subprocess.run(["bash", "-n"], input=block("bash"), text=True, check=True)


def test_the_manifest() -> None:
    manifest = parse(block("yaml"), "scale.md").data
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    assert container["command"][:3] == ["python", "-m", "explorer.worker"]
    assert [each["name"] for each in container["env"]] == ["EXPLORER_STORAGE", "PGPASSWORD"]
