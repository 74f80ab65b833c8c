"""The notebooks in examples/ are executed, show nothing of the machine they were, and run anew without an error."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
MOST_SECONDS = 300


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> nbformat.NotebookNode:
    return nbformat.read(request.param, as_version=4)


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_some() -> None:
    assert NOTEBOOKS


def test_it_is_stored_executed(notebook: nbformat.NotebookNode) -> None:
    nbformat.validate(notebook)
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    kinds = {output.output_type for cell in cells for output in cell.outputs}
    assert "error" not in kinds
    assert kinds >= {"execute_result", "display_data"}


def test_it_shows_nothing_of_the_machine(notebook: nbformat.NotebookNode) -> None:
    text = nbformat.writes(notebook)
    assert not re.search(r"/(home|root|tmp|work|Users|usr|opt)/|[A-Z]:\\\\", text)
    assert '"stderr"' not in text


@pytest.mark.slow
def test_it_runs_anew(notebook: nbformat.NotebookNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    resources = {"metadata": {"path": str(tmp_path)}}
    client = NotebookClient(notebook, timeout=MOST_SECONDS, kernel_name="python3", resources=resources)
    client.execute()
    assert list(tmp_path.glob("runs/notebook/*/report.html"))
    assert {path.name for path in tmp_path.iterdir()} == {"runs"}
