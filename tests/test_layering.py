"""Imports go one way, and what needs no torch loads none."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = [
    # from the ground up; a module may import from its own layer's line and from lines above it in this list
    ["errors", "plotting", "colours"],
    ["graph", "quantities"],
    ["ops", "scopes"],
    ["feature_map"],
    ["block"],
    ["blocks"],
    ["schema"],
    ["document", "json_schema"],
    ["messages"],
    ["files", "saving", "locking"],
    ["network"],
    ["memory", "tensors"],
    ["cost", "draw", "differences", "transforms", "checkpoint_file", "module_cost"],
    ["source"],
    ["nn"],
    ["train", "tasks", "timm_models"],
    ["tables", "command_line"],
    ["commands"],
    ["cli", "__init__", "__main__"],
]
EXPLORER_LAYERS = [
    ["entry", "interrupts", "names"],
    ["figures", "latency", "untrained", "own_evaluator", "invocation", "pace"],
    ["scale", "reproduce"],
    ["choices"],
    ["space"],
    ["bounds", "results", "trials_frame", "report_page"],
    ["budget", "plots", "enumeration"],
    ["survey"],
    ["evaluators"],
    ["account", "arguments", "samplers", "report", "journal", "extension"],
    ["facts", "pruning", "trials"],
    ["study", "evaluation"],
    ["roles"],
    ["pursuit"],
    ["chain"],
    ["quest"],
    ["shared"],
    ["watching", "dashboard"],
    ["running"],
    ["search", "trust", "survey_command"],
    ["screen"],
    ["worker", "proxy"],
    ["command", "worker_command", "proxy_command", "__init__"],
]
EXPLORER_FLOOR = {name: index for index, names in enumerate(EXPLORER_LAYERS) for name in names}
FLOOR = {name: index for index, names in enumerate(LAYERS) for name in names}
HEAVY = {"torch", "torchvision", "timm", "optuna", "matplotlib", "plotly", "networkx", "numpy", "fvcore"}


def room(path: Path) -> str:
    """The first component of a module inside hiri_spec; what `python -m` runs stands on top of all."""
    if path.name == "__main__.py":
        return "__main__"
    return path.relative_to(ROOT / "hiri_spec").parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """Absolute names of all modules that a file imports anywhere, type-checking blocks left out."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            prefix = [*base, *([node.module] if node.module else [])]
            yield from (".".join([*prefix, alias.name]) for alias in node.names)


FILES = sorted((ROOT / "hiri_spec").rglob("*.py"))
EXPLORER_FILES = sorted((ROOT / "explorer").rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_downwards(path: Path) -> None:
    here = room(path)
    assert here in FLOOR, f"{here} has no place in LAYERS; decide where it belongs"
    for name in imported(path):
        parts = name.split(".")
        assert parts[0] != "explorer", f"{path.name} imports the explorer"
        if parts[0] == "hiri_spec" and len(parts) > 1 and parts[1] in FLOOR:
            assert FLOOR[parts[1]] <= FLOOR[here], f"{path.name} imports {name} from above"


@pytest.mark.parametrize("path", EXPLORER_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_downwards_in_the_explorer(path: Path) -> None:
    here = path.relative_to(ROOT / "explorer").parts[0].removesuffix(".py")
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "explorer" and len(parts) > 1 and parts[1] in EXPLORER_FLOOR:
            assert EXPLORER_FLOOR[parts[1]] <= EXPLORER_FLOOR[here], f"{path.name} imports {name} from above"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_torch_stays_in_its_rooms(path: Path) -> None:
    if room(path) not in ("nn", "train", "tasks"):
        tops = {name.split(".")[0] for name in imported(path)}
        assert not tops & (HEAVY - {"networkx"}), f"{path.name} imports {tops & HEAVY}"


COMMANDS = {
    "import": "import hiri_spec",
    "cost": "import sys; from hiri_spec.cli import app; app(['cost', 'hiri_s'], standalone_mode=False)",
    "check": "from hiri_spec.cli import app; app(['check', 'hiri_s'], standalone_mode=False)",
    "diff": "from hiri_spec.cli import app; app(['diff', 'hiri_s', 'hiri_b'], standalone_mode=False)",
    "draw": "from hiri_spec.cli import app; app(['draw', 'hiri_s'], standalone_mode=False)",
    "summary": "from hiri_spec.cli import app; app(['summary', 'hiri_s'], standalone_mode=False)",
    "graph": "import hiri_spec; hiri_spec.graph('hiri_s')",
}


@pytest.mark.parametrize("code", COMMANDS.values(), ids=COMMANDS)
def test_nothing_heavy_is_loaded(code: str) -> None:
    report = f"{code}\nimport sys; print('LOADED', *sorted({HEAVY!r} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.splitlines()[-1].split() == ["LOADED"]


def test_build_is_loaded_on_first_use() -> None:
    code = "import sys, hiri_spec; hiri_spec.build; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.strip() == "True"


def test_public_names() -> None:
    import hiri_spec

    assert set(hiri_spec.__all__) <= set(dir(hiri_spec))
    for name in hiri_spec.__all__:
        assert getattr(hiri_spec, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'bild'"):
        _ = hiri_spec.bild


def test_no_room_without_a_name() -> None:
    names = {path.stem for path in [*FILES, *(ROOT / "explorer").rglob("*.py")]}
    assert not names & {"utils", "util", "helpers", "misc", "common"}
