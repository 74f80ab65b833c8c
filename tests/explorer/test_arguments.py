"""What a search is asked for: read alike from Python and the command line, and refused in words."""

from pathlib import Path

import numpy as np
import pytest
from searches import BUDGET, run

from explorer.arguments import default_folder
from explorer.budget import Budget
from explorer.search import search
from explorer.space import Space
from hiri_spec import SpecError


def test_default_folder(space_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = search(BUDGET, space=space_file, trials=1, evaluator="params", max_params="2m", seed=4)
    assert result.out.parts[:1] == ("runs",)
    assert result.out.name.startswith("small-0.004gmacs-64-2mparams-params-seed4-")


def test_sizes_and_stages_as_python_writes_them(space_file: Path, tmp_path: Path) -> None:
    result = run(space_file, tmp_path / "run", trials=2, resolution=(64, 72), stages=2)
    assert {(len(member.spec.stages), member.spec.size) for member in result.members} == {(2, (64, 72))}
    assert {
        len(member.spec.stages) for member in run(space_file, tmp_path / "three", trials=2, stages="3").members
    } == {3}
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
        ({"evaluator": ["x"]}, r"--evaluator: unknown evaluator \['x'\]; known: gradnorm, latency, macs, meco, "),
        ({"objective": ["x"]}, r"--objective: unknown objective \['x'\]; known: latency, pareto, score"),
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
    assert (len(result.members), result.settings["seed"], result.settings["stages"]) == (2, 3, "2,3")


@pytest.mark.parametrize("budget", [5, "5", 999])
def test_a_budget_without_its_unit(budget: object) -> None:
    with pytest.raises(SpecError, match=rf"--budget: {budget} MACs are too few: .*; did you mean {budget}gflops\?"):
        search(budget)  # type: ignore[arg-type]


def test_budgets_that_differ_have_folders_that_differ(space: Space) -> None:
    names = [
        default_folder(space, Budget(macs, params), (64, 64), "pareto", "synflow", 0).name.rsplit("-", 1)[0]
        for macs, params in [(5 * 10**9, None), (5_000_000_100, None), (1, 2_000_001), (10**12, 2 * 10**6)]
    ]
    assert names == [
        "small-5gmacs-64",
        "small-5.0000001gmacs-64",
        "small-0.000000001gmacs-64-2.000001mparams",
        "small-1000gmacs-64-2mparams",
    ]
