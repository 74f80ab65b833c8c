"""The search from end to end: within the budget, written down, told on screen, and clear about mistakes."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import BUDGET, run, told
from rich.console import Console
from typer.testing import CliRunner

import explorer
import hiri_spec
from explorer.arguments import default_folder
from explorer.budget import Budget, Feasibility
from explorer.command import Screen, app
from explorer.entry import start
from explorer.plots import labelled, pareto_figure
from explorer.report import front_table
from explorer.results import SearchResult, pareto_front
from explorer.search import Started, search
from explorer.space import Space, load_space
from hiri_spec import SpecError
from hiri_spec.document import parse

ROOT = Path(__file__).parent.parent.parent


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
        (["--budget", "1mmacs"], "--budget: 1.000 MMACs are too few: the cheapest network"),
        (["--budget", BUDGET, "--resolution", "31"], "--resolution resolution: 31 is too small; use 32 or more a side"),
        (["--budget", BUDGET, "--stages", "two"], "--stages: 'two' are no numbers of stages"),
        (["--budget", BUDGET, "--stages", "²"], "--stages: '²' are no numbers of stages; write them like 4,5,6"),
        (["--budget", BUDGET, "--out", ""], "--out: '' is no path; give one, like runs/mine"),
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


@pytest.fixture
def tiny_file(tmp_path: Path) -> Path:
    """A space of 60 networks."""
    path = tmp_path / "tiny.yaml"
    path.write_text(
        "name: tiny\nstem: vit\nresolution: 64\nstages:\n"
        "  - {block: ffn, depth: {range: [1, 30]}, width: 16}\n"
        "  - {block: ffn, depth: {range: [1, 2]}, width: 8, downsample: norm_conv}\n"
    )
    return path


def test_a_search_ends_well_where_no_network_is_left(tiny_file: Path, tmp_path: Path) -> None:
    """Every network within the budget is found, one that random draws would hardly meet as well."""
    costs = [
        hiri_spec.cost({**parse(tiny_file.read_text(), "").data, "stages": stages}).macs
        for stages in (
            [
                {"block": "ffn", "depth": depth, "width": 16},
                {"block": "ffn", "depth": last, "width": 8, "downsample": "norm_conv"},
            ]
            for depth in range(1, 31)
            for last in (1, 2)
        )
    ]
    budget = sorted(costs)[40]
    within = sorted(value for value in costs if 0.9 * budget <= value <= budget)
    result = search(budget, space=tiny_file, out=tmp_path / "run", trials=100, evaluator="params")
    assert sorted(member.macs for member in result.trials) == within
    assert f": all {len(within)} of this space have been tried; loosen the limits" in result.ending
    assert (result.out / "best.yaml").exists()
    again = search(budget, space=tiny_file, out=tmp_path / "run", trials=100, evaluator="params")
    assert told(again) == told(result)


def test_an_exhausted_space_on_the_command_line(tiny_file: Path, tmp_path: Path) -> None:
    arguments = ["--budget", "10mmacs", "--space", str(tiny_file), "--evaluator", "params", "--trials", "99"]
    result = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "run")])
    assert result.exit_code == 0
    assert re.search(r"ended after (\d+) trials: .*: all \1 of this space have been tried", result.stderr)
    assert "the front of" in result.stdout
    assert (tmp_path / "run" / "pareto.html").exists()


def test_a_budget_between_the_networks_of_a_space(tiny_file: Path, tmp_path: Path) -> None:
    """Neither below the cheapest nor above the dearest, and yet met by none."""
    tiny_file.write_text(tiny_file.read_text().replace("{range: [1, 30]}", "{choice: [1, 30]}"))
    with pytest.raises(SpecError, match=r"no new network within .*: this space has none; loosen the limits"):
        search("6mmacs", space=tiny_file, out=tmp_path / "run", evaluator="params")


def test_files_that_cannot_be_written_keep_no_other_from_it(space_file: Path, tmp_path: Path) -> None:
    for name in ("front", "pareto.png"):
        (tmp_path / "run" / name).mkdir(parents=True)
    (tmp_path / "run" / "front").rmdir()
    (tmp_path / "run" / "front").write_text("mine")
    arguments = ["--budget", BUDGET, "--space", str(space_file), "--evaluator", "params", "--trials", "2"]
    result = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "run")])
    assert isinstance(result.exception, SpecError)
    told = str(result.exception)
    assert "run/front: cannot be made: File exists" in told
    assert "run/pareto.png: cannot be written: Is a directory" in told
    assert "all 2 trials are kept; make room or move what is in the way, and run the same command again" in told
    assert "the front of 2 trials; best: trial" in result.stdout
    assert (tmp_path / "run" / "front").read_text() == "mine"
    assert {path.name for path in (tmp_path / "run").iterdir()} >= {"trials.csv", "best.yaml", "pareto.html"}


def test_sizes_and_stages_as_python_writes_them(space_file: Path, tmp_path: Path) -> None:
    result = run(space_file, tmp_path / "run", trials=2, resolution=(64, 72), stages=2)
    assert {(len(member.spec.stages), member.spec.size) for member in result.trials} == {(2, (64, 72))}
    assert {len(member.spec.stages) for member in run(space_file, tmp_path / "three", trials=2, stages="3").trials} == {
        3
    }
    assert run(space_file, tmp_path / "both", trials=1, stages="2, 3").settings["stages"] == "2,3"


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"resolution": (64,)}, r"--resolution: \(64,\) is no image size; give \(height, width\)"),
        ({"resolution": (64, 64.0)}, r"--resolution: \(64, 64\.0\) is no image size; give \(height, width\)"),
        ({"stages": []}, r"--stages: \[\] are no numbers of stages; write them like 4,5,6"),
        ({"stages": [2.0]}, r"--stages: \[2\.0\] are no numbers of stages"),
        ({"stages": True}, r"--stages: true are no numbers of stages"),
        ({"stages": "2,"}, r"--stages: '2,' are no numbers of stages"),
        ({"trials": "2"}, r"--trials: '2' is no number of trials; give a whole number, like 300"),
        ({"trials": float("nan")}, r"--trials: nan is no number of trials"),
        ({"trials": 2.5}, r"--trials: 2\.5 is no number of trials"),
        ({"trials": True}, r"--trials: true is no number of trials"),
        ({"seed": "x"}, r"--seed: 'x' is no seed; give a whole number, like 0"),
        ({"seed": 10**22}, r"--seed: 10000000000000000000000 is too long for a seed; use at most 18 digits"),
        ({"space": 5}, r"--space: 5 is no path; give one, like space\.yaml"),
        ({"out": 5}, r"--out: 5 is no path; give one, like runs/mine"),
        ({"out": ""}, r"--out: '' is no path"),
        ({"evaluator": ["x"]}, r"--evaluator: unknown evaluator \['x'\]; known: naswot, params, zico"),
        ({"objective": ["x"]}, r"--objective: unknown objective \['x'\]; known: pareto, score"),
        ({"set": 5}, r"--set: 5 sets nothing; give a mapping from dotted paths"),
        ({"set": {5: 1}}, r"--set: \{5: 1\} sets nothing"),
    ],
    ids=str,
)
def test_mistakes_in_python(space_file: Path, tmp_path: Path, arguments: dict[str, object], match: str) -> None:
    options = {"space": space_file, "out": tmp_path / "run", "trials": 1, "evaluator": "params"}
    with pytest.raises(SpecError, match=match):
        search(BUDGET, **{**options, **arguments})
    assert not (tmp_path / "run").exists()


def test_numbers_of_numpy_are_numbers(space_file: Path, tmp_path: Path) -> None:
    result = run(space_file, tmp_path / "run", trials=np.int64(2), seed=np.int32(3), stages=np.array([2, 3]))
    assert (len(result.trials), result.settings["seed"], result.settings["stages"]) == (2, 3, "2,3")


@pytest.mark.parametrize("budget", [5, "5", 999])
def test_a_budget_without_its_unit(budget: object) -> None:
    with pytest.raises(SpecError, match=rf"--budget: {budget} MACs are too few: .*; did you mean {budget}gflops\?"):
        search(budget)  # type: ignore[arg-type]


def test_budgets_that_differ_have_folders_that_differ(space: Space) -> None:
    names = [
        default_folder(space, Budget(macs, params), (64, 64), "pareto", "zico", 0).name.rsplit("-", 1)[0]
        for macs, params in [(5 * 10**9, None), (5_000_000_100, None), (1, 2_000_001), (10**12, 2 * 10**6)]
    ]
    assert names == [
        "small-5gmacs-64",
        "small-5.0000001gmacs-64",
        "small-0.000000001gmacs-64-2.000001mparams",
        "small-1000gmacs-64-2mparams",
    ]


def test_parameters_that_are_the_score_are_told_once(found: SearchResult) -> None:
    assert [column.header for column in front_table(found).columns] == ["trial", "network", "GMACs", "params M"]
    (axes,) = pareto_figure(found).axes
    assert axes.get_ylabel() == "params M"
    scored = replace(found, score_name="ZiCo score")
    assert [column.header for column in front_table(scored).columns][2:] == ["ZiCo score", "GMACs", "params M"]
    (axes,) = pareto_figure(scored).axes
    assert axes.get_ylabel() == "ZiCo score (no training)"


def test_each_column_of_the_legend_keeps_to_its_own(found: SearchResult) -> None:
    texts = [text.get_text().strip() for text in pareto_figure(found).legends[0].get_texts()]
    kinds, networks = texts[: len(texts) // 2], texts[len(texts) // 2 :]
    assert [text for text in kinds if text] == ["2 stages", "3 stages", "Pareto front"]
    assert [text.split(",")[0] for text in networks if text] == [member.sketch for member in labelled(found.front)]


def test_only_the_best_gives_way_on_a_narrow_terminal(found: SearchResult, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    terminal = Console(file=shown, width=80, force_terminal=True, color_system=None, legacy_windows=False)
    monkeypatch.setattr("explorer.command.console", lambda stderr: terminal)
    screen = Screen()
    feasibility = Feasibility(2000, 0.5, 0.1)
    screen.started(Started(load_space(), Budget(1), feasibility, (448, 448), Path("x"), 3000, 0, 0))
    long = found.best.spec.model_copy(update={"stages": found.best.spec.stages * 4})
    screen.tried(found.best, replace(found.best, spec=long))
    screen._progress.refresh()
    line = shown.getvalue().replace("\r", "\n").rstrip().rsplit("\n", 1)[-1]
    screen.close()
    assert re.search(r"searching .* 1/3000 [-0-9:]+ best .*…", line)
    assert len(line.replace("\x1b[2K", "").rstrip()) <= 80


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
