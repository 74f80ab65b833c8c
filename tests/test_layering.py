"""Imports go one way, and what needs no torch loads none."""

from __future__ import annotations

import ast
import re
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
    ["setting"],
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
STUDIO_LAYERS = [
    ["palette", "gate", "opening", "listing", "places", "outline", "fields"],
    ["analysis", "workspace"],
    ["completion", "numbers", "sharing", "drawing", "charts"],
    ["searches"],
    ["page"],
    ["serving"],
]
STUDIO_FLOOR = {name: index for index, names in enumerate(STUDIO_LAYERS) for name in names}
PAGE_LIBRARIES = {"nicegui", "fastapi", "starlette", "uvicorn"}
STUDIO_BY_NAME = "hiri_spec/commands/studio.py"
"""The one place below the studio that knows of it; it loads it by name."""
EXPLORER_FLOOR = {name: index for index, names in enumerate(EXPLORER_LAYERS) for name in names}
FLOOR = {name: index for index, names in enumerate(LAYERS) for name in names}
HEAVY = {"torch", "torchvision", "timm", "optuna", "matplotlib", "plotly", "networkx", "numpy", "fvcore"}


def room(path: Path, package: str = "hiri_spec") -> str:
    """The first component of a module inside its package; what `python -m hiri_spec` runs stands on top of all."""
    if package == "hiri_spec" and path.name == "__main__.py":
        return "__main__"
    return path.relative_to(ROOT / package).parts[0].removesuffix(".py")


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
STUDIO_FILES = sorted((ROOT / "studio").rglob("*.py"))


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
    here = room(path, "explorer")
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "explorer" and len(parts) > 1 and parts[1] in EXPLORER_FLOOR:
            assert EXPLORER_FLOOR[parts[1]] <= EXPLORER_FLOOR[here], f"{path.name} imports {name} from above"


@pytest.mark.parametrize("path", STUDIO_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_downwards_in_the_studio(path: Path) -> None:
    here = room(path, "studio")
    assert here == "__init__" or here in STUDIO_FLOOR, f"{here} has no place in STUDIO_LAYERS; decide where it belongs"
    names = list(imported(path))
    for name in names:
        parts = name.split(".")
        if parts[0] == "studio" and len(parts) > 1:
            assert here != "__init__", f"the package itself imports {name}, and so all that import any of it"
            assert STUDIO_FLOOR[parts[1]] <= STUDIO_FLOOR[here], f"{path.name} imports {name} from above"
    tops = {name.split(".")[0] for name in names}
    if here not in ("page", "serving"):
        assert not tops & PAGE_LIBRARIES, f"{path.name} imports {tops & PAGE_LIBRARIES}, which the page alone does"
    assert not tops & HEAVY, f"{path.name} imports {tops & HEAVY}, for which a keystroke would wait"


@pytest.mark.parametrize("path", [*FILES, *EXPLORER_FILES], ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_below_knows_the_studio(path: Path) -> None:
    assert "studio" not in {name.split(".")[0] for name in imported(path)}, f"{path.name} imports the studio"
    texts = {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)}
    named = {text for text in texts if isinstance(text, str) and re.fullmatch(r"studio(\.\w+)+", text)}
    is_the_one = path == ROOT / STUDIO_BY_NAME
    assert named == ({"studio.serving"} if is_the_one else set()), f"{path.name} names {named}"


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
    "studio": "import studio.page.frame, studio.serving",
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
    names = {path.stem for path in [*FILES, *EXPLORER_FILES, *STUDIO_FILES]}
    assert not names & {"utils", "util", "helpers", "misc", "common"}


def test_files_of_tests_have_names_of_their_own() -> None:
    """Pytest imports them by name alone, from whatever folder: of two of one name the second is an error."""
    names = [path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py"]
    assert sorted(names) == sorted(set(names))
