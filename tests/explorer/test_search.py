"""The search from end to end: within the budget, written down, told on screen, and clear about mistakes."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import BUDGET, run
from typer.testing import CliRunner

import explorer
import hiri_spec
from explorer.command import app
from explorer.results import SearchResult, pareto_front
from explorer.search import search
from hiri_spec import SpecError


def test_every_trial_is_within_the_budget_and_no_network_is_tried_twice(space_file: Path, tmp_path: Path) -> None:
    result = run(space_file, tmp_path / "run", trials=60)
    assert len(result.trials) == 60
    for member in result.trials:
        cost = hiri_spec.cost(member.spec)
        assert (cost.macs, cost.params) == (member.macs, member.params)
        assert 3_600_000 <= member.macs <= 4_000_000
    assert len({member.spec.model_copy(update={"name": "x"}) for member in result.trials}) == 60


def test_what_it_writes(found: SearchResult) -> None:
    best = hiri_spec.load(found.out / "best.yaml")
    assert best == found.best.spec
    assert hiri_spec.build(best) is not None
    front = sorted((found.out / "front").glob("*.yaml"))
    assert len(front) == len(found.front)
    assert {hiri_spec.load(path).name for path in front} == {member.spec.name for member in found.front}
    rows = list(csv.DictReader((found.out / "trials.csv").read_text().splitlines()))
    assert [int(row["trial"]) for row in rows] == list(range(12))
    assert sum(int(row["on_front"]) for row in rows) == len(found.front)
    assert float(rows[0]["score"]) == found.trials[0].score
    assert (found.out / "pareto.png").read_bytes().startswith(b"\x89PNG")
    page = (found.out / "pareto.html").read_text()
    assert "trial 0: " in page
    assert 'src="http' not in page
    text = (found.out / "best.yaml").read_text()
    assert text.startswith(f"# Found by python -m explorer.search: trial {found.best.number} of 12.\n")


def test_the_search_beats_chance(space_file: Path, tmp_path: Path) -> None:
    scores = [member.score for member in run(space_file, tmp_path / "run", trials=150, objective="score").trials]
    assert sum(scores[-40:]) / 40 > sum(scores[:24]) / 24


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["--budget", "five"], "--budget: 'five' is not an amount; write it like 5gflops"),
        (["--budget", "1mmacs"], "--budget: 0.001 GMACs are too few: the cheapest network"),
        (["--budget", BUDGET, "--resolution", "31"], "--resolution resolution: 31 is too small; use 32 or more a side"),
        (["--budget", BUDGET, "--stages", "two"], "--stages: 'two' are no numbers of stages"),
        (["--budget", BUDGET, "--stages", "9"], "no networks of 9 stages; it offers 2, 3"),
        (["--budget", BUDGET, "--objective", "scor"], "--objective: unknown objective 'scor'; did you mean 'score'?"),
        (["--budget", BUDGET, "--evaluator", "nasw"], "--evaluator: unknown evaluator 'nasw'; did you mean 'naswot'?"),
        (["--budget", BUDGET, "--trials", "0"], "--trials: 0 trials are too few"),
        (["--budget", BUDGET, "--resolution", "64,96"], "--resolution: a search has one image size"),
        (["--budget", BUDGET, "--resolution", "16"], "too small; use 32 or more"),
        (["--budget", BUDGET, "--out", "/proc/nothing"], "--out: /proc/nothing cannot be written"),
        (["--budget", BUDGET, "--out", "/dev/null"], "--out: /dev/null is a file, not a folder"),
        (["--budget", BUDGET, "--trials", "many"], "Invalid value for '--trials'"),
        (["--budget", BUDGET, "--tials", "3"], "No such option"),
        ([], "Missing option '--budget'"),
    ],
    ids=lambda value: "" if isinstance(value, str) else " ".join(value[-2:]),
)
def test_mistakes_on_the_command_line(space_file: Path, tmp_path: Path, arguments: list[str], match: str) -> None:
    options = ["--out", str(tmp_path / "run")] if "--out" not in arguments else []
    command = [sys.executable, "-m", "explorer.search", "--space", str(space_file), *options, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert match in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_a_missing_space(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no such file"):
        search(BUDGET, space=tmp_path / "none.yaml", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_json(space_file: Path, tmp_path: Path) -> None:
    arguments = ["--budget", BUDGET, "--space", str(space_file), "--evaluator", "params", "--trials", "5"]
    result = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "run"), "--json"])
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert told["trials"] == 5
    assert told["settings"]["budget"] == 4_000_000
    assert Path(told["front"][0]["file"]).exists()
    assert "networks in order" in result.stderr


def test_what_the_screen_says(space_file: Path, tmp_path: Path) -> None:
    arguments = ["--budget", BUDGET, "--space", str(space_file), "--evaluator", "params", "--trials", "5"]
    result = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "run")])
    assert "33,696 networks" in result.stderr
    assert "budget: 0.0036 to 0.004 GMACs at 64 px" in result.stderr
    assert "1/5 best" in result.stderr
    assert "best: " in result.stdout


def test_the_function_is_reached_in_every_way(space_file: Path, tmp_path: Path) -> None:
    result = explorer.search(BUDGET, space=space_file, out=tmp_path / "a", trials=2, evaluator="params")
    assert isinstance(result, SearchResult)
    code = "import explorer, explorer.search as module; print(explorer.search is module, callable(module))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split() == ["True", "True"]
    with pytest.raises(AttributeError, match="no attribute 'serach'"):
        _ = explorer.serach


def test_default_folder(space_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = search(BUDGET, space=space_file, trials=1, evaluator="params", max_params="2m", seed=4)
    assert result.out.parts[:1] == ("runs",)
    assert result.out.name.startswith("small-0.004gmacs-64-2mparams-params-seed4-")


def test_a_search_by_cost_alone_loads_no_torch(space_file: Path, tmp_path: Path) -> None:
    code = (
        "import sys, explorer.search\n"
        f"explorer.search({BUDGET!r}, space={str(space_file)!r}, out={str(tmp_path / 'r')!r}, trials=3,"
        " evaluator='params')\n"
        "print(sorted({'torch', 'timm', 'torchvision'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_pareto_front(found: SearchResult) -> None:
    front = pareto_front(found.trials)
    assert front == found.front
    assert [member.macs for member in front] == sorted(member.macs for member in front)
    for member in found.trials:
        beaten = [other for other in front if other.macs <= member.macs and other.score >= member.score]
        assert beaten
    assert found.best in front


def test_too_many_trials_for_a_small_space(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(
        "name: tiny\nstem: vit\nresolution: 64\nstages: [{block: ffn, depth: {choice: [1, 2]}, width: 8}]\n"
    )
    spec = hiri_spec.load(path, set={"stages.0.depth": 2})
    budget = hiri_spec.cost(spec).macs
    with pytest.raises(SpecError, match=r"no new network within .* in 20,000 draws, 1 found before"):
        search(budget, space=path, out=tmp_path / "run", trials=5, evaluator="params")
    assert len(search(budget, space=path, out=tmp_path / "run", trials=1, evaluator="params").trials) == 1


def test_a_file_where_the_front_belongs(space_file: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "front").write_text("mine")
    with pytest.raises(SpecError, match=r"run/front cannot be made: File exists; move it away"):
        run(space_file, tmp_path / "run", trials=2)
    assert (tmp_path / "run" / "front").read_text() == "mine"


def test_sizes_and_stages_as_python_writes_them(space_file: Path, tmp_path: Path) -> None:
    result = run(space_file, tmp_path / "run", trials=2, resolution=(64, 72), stages=2)
    assert {(len(member.spec.stages), member.spec.size) for member in result.trials} == {(2, (64, 72))}
    with pytest.raises(SpecError, match=r"--resolution: \(64,\) is no image size; give \(height, width\)"):
        run(space_file, tmp_path / "other", resolution=(64,))
