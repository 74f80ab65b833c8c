"""The installed package works away from its checkout, specs and spaces included."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the contents of the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def run(site: Path, cwd: Path, *arguments: str) -> str:
    code = f"import sys; sys.path.insert(0, {str(site)!r}); import runpy; sys.argv = sys.argv[1:]; "
    code += "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
    command = [sys.executable, "-c", code, *arguments]
    result = subprocess.run(command, check=False, capture_output=True, text=True, cwd=cwd)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_wheel_carries_specs_and_schemas(installed: Path) -> None:
    shipped = {str(path.relative_to(ROOT)) for path in (ROOT / "specs").rglob("*") if path.is_file()}
    carried = {str(path.relative_to(installed / "hiri_spec")) for path in (installed / "hiri_spec/specs").rglob("*.*")}
    assert shipped == carried
    assert (installed / "hiri_spec" / "py.typed").exists()
    assert (installed / "explorer" / "py.typed").exists()
    assert (installed / "studio" / "py.typed").exists()


def test_the_wheel_carries_the_page_of_a_search(installed: Path) -> None:
    folder = Path("explorer/report_page")
    own = {path.name for path in (ROOT / folder).rglob("*") if path.suffix in (".html", ".css", ".js")}
    assert {path.name for path in (installed / folder).rglob("*.*") if path.suffix != ".py"} == own


def test_the_wheel_carries_the_studio(installed: Path) -> None:
    own = {path.relative_to(ROOT / "studio") for path in (ROOT / "studio").rglob("*.*") if path.suffix != ".pyc"}
    carried = {path.relative_to(installed / "studio") for path in (installed / "studio").rglob("*.*")}
    assert carried == own
    assert {path.name for path in (installed / "studio" / "page" / "assets").iterdir()} >= {"editor.js", "studio.css"}


def test_built_in_specs_are_found_once_installed(installed: Path, tmp_path: Path) -> None:
    assert "hiri_s_6stage" in run(installed, tmp_path, "hiri_spec", "list")
    (tmp_path / "mine.yaml").write_text("extends: hiri_s\nname: mine\nset: {stages.3.depth: 12}\n")
    assert "stages[3].depth" in run(installed, tmp_path, "hiri_spec", "diff", "hiri_s", "mine.yaml")


def test_the_search_finds_its_space_once_installed(installed: Path, tmp_path: Path) -> None:
    arguments = ["--budget", "1gflops", "--trials", "2", "--evaluator", "params"]
    assert "best.yaml" in run(installed, tmp_path, "explorer.search", *arguments)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["hiri-1gmacs-448-params"]
    assert (tmp_path / "runs" / "hiri-1gmacs-448-params" / "report.html").exists()
