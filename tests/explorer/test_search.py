"""The search from end to end: within the budget, written down, told on screen, and clear about mistakes."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from searches import BUDGET, run, told
from typer.testing import CliRunner

import explorer
import hiri_spec
from explorer.command import app
from explorer.results import SearchResult, pareto_front
from explorer.search import search
from explorer.space import load_space
from hiri_spec import SpecError
from hiri_spec.document import parse

ROOT = Path(__file__).parent.parent.parent


def test_every_trial_is_within_the_budget_and_no_network_is_tried_twice(space_file: Path, tmp_path: Path) -> None:
    result = run(space_file, tmp_path / "run", trials=60)
    assert len(result.members) == 60
    for member in result.members:
        cost = hiri_spec.cost(member.spec)
        assert (cost.macs, cost.params) == (member.macs, member.params)
        assert 3_600_000 <= member.macs <= 4_000_000
    assert len({member.spec.model_copy(update={"name": "x"}) for member in result.members}) == 60


def test_the_search_beats_chance(space_file: Path, tmp_path: Path) -> None:
    scores = [member.score for member in run(space_file, tmp_path / "run", trials=150, objective="score").members]
    assert sum(scores[-40:]) / 40 > sum(scores[:24]) / 24


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["--budget", "five"], "--budget: 'five' is not an amount; write it like 5gflops"),
        (["--budget", "1mmacs"], "--budget: 1.000 MMACs are too few: the cheapest network"),
        (
            ["--budget", BUDGET, "--resolution", "31"],
            "--resolution: 31 is too small; use 32 to 10,000,000",
        ),
        (["--budget", BUDGET, "--stages", "two"], "--stages: 'two' are no numbers of stages"),
        (["--budget", BUDGET, "--stages", "²"], "--stages: '²' are no numbers of stages; write them like 4,5,6"),
        (["--budget", BUDGET, "--out", ""], "--out: '' is no path; give one, like runs/mine"),
        (["--budget", BUDGET, "--stages", "9"], "no networks of 9 stages; it offers 2, 3"),
        (["--budget", BUDGET, "--objective", "scor"], "--objective: unknown objective 'scor'; did you mean 'score'?"),
        (["--budget", BUDGET, "--evaluator", "naswat"], "unknown evaluator 'naswat'; did you mean 'naswot'?"),
        (["--budget", BUDGET, "--trials", "0"], "--trials: 0 trials are too few"),
        (["--budget", BUDGET, "--trials", "1" + 99 * "0"], "trials are too many; ask for at most 1,000,000,000"),
        (["--budget", BUDGET, "--resolution", "64,96"], "--resolution: a search has one image size"),
        (["--budget", BUDGET, "--resolution", "16"], "--resolution: 16 is too small"),
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
    assert told["command"].endswith(f"--trials 5 --space {space_file} --evaluator params --out {tmp_path / 'run'}")
    assert Path(told["report"]).exists()
    assert told["failed"] == []
    assert Path(told["front"][0]["file"]).exists()
    assert "networks in order" in result.stderr


def test_what_the_screen_says(space_file: Path, tmp_path: Path) -> None:
    arguments = ["--budget", BUDGET, "--space", str(space_file), "--evaluator", "params", "--trials", "5"]
    result = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "run")])
    assert "33,696 networks" in result.stderr
    assert "budget: 0.0036 to 0.004 GMACs at 64 px" in result.stderr
    assert re.search(r"\n1/5, [0-9.e+]+ trials/s, 0:00:0\d left, front 1, best 0\.\d+: ", result.stderr)
    assert f"best: {tmp_path / 'run' / 'best.yaml'}; all of it: {tmp_path / 'run' / 'report.html'}" in result.stdout


def test_the_function_is_reached_in_every_way(space_file: Path, tmp_path: Path) -> None:
    result = explorer.search(BUDGET, space=space_file, out=tmp_path / "a", trials=2, evaluator="params")
    assert isinstance(result, SearchResult)
    code = "import explorer, explorer.search as module; print(explorer.search is module, callable(module))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split() == ["True", "True"]
    with pytest.raises(AttributeError, match="no attribute 'serach'"):
        _ = explorer.serach


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
    front = pareto_front(found.members)
    assert front == found.front
    assert [member.macs for member in front] == sorted(member.macs for member in front)
    for member in found.members:
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
    assert sorted(member.macs for member in result.members) == within
    assert f": all {len(within)} of this space have been tried; loosen the limits" in result.ending
    assert (result.out / "best.yaml").exists()
    again = search(budget, space=tiny_file, out=tmp_path / "run", trials=100, evaluator="params")
    assert told(again) == told(result)


def test_one_network_by_two_names_is_evaluated_once(tmp_path: Path) -> None:
    """Its assignments differ, and what they decode to does not: 4 is what an expansion is unless it is given."""
    space = tmp_path / "twice.yaml"
    space.write_text(
        """
name: twice
resolution: 64
stem: {stem: conv, width: 16}
stages:
  - choice:
      - {block: ffn, depth: {range: [1, 3]}, width: 16, expansion: 4}
      - {block: ffn, depth: {range: [1, 3]}, width: 16}
head: {classes: 10}
"""
    )
    first = load_space(space)
    spec = first.spec(next(first.every()))
    assert spec is not None
    budget = hiri_spec.cost(spec).macs
    result = search(budget, space=space, out=tmp_path / "run", trials=10, evaluator="params")
    assert len(result.members) == 1


def test_an_exhausted_space_on_the_command_line(tiny_file: Path, tmp_path: Path) -> None:
    arguments = ["--budget", "10mmacs", "--space", str(tiny_file), "--evaluator", "params", "--trials", "99"]
    result = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "run")])
    assert result.exit_code == 0
    assert re.search(r"ended after (\d+) trials: .*: all \1 of this space have been tried", result.stderr)
    assert "the front of" in result.stdout
    assert (tmp_path / "run" / "report.html").exists()


def test_a_budget_between_the_networks_of_a_space(tiny_file: Path, tmp_path: Path) -> None:
    """Neither below the cheapest nor above the dearest, and yet met by none."""
    tiny_file.write_text(tiny_file.read_text().replace("{range: [1, 30]}", "{choice: [1, 30]}"))
    with pytest.raises(SpecError, match=r"no new network within .*: this space has none; loosen the limits"):
        search("6mmacs", space=tiny_file, out=tmp_path / "run", evaluator="params")
