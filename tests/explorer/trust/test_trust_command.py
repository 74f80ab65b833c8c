"""`python -m explorer.trust`: measures what is missing, tells what a table says, and mistakes in one line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from searches import BUDGET
from typer.testing import CliRunner

import explorer.trust.command
import explorer.trust.study
from explorer.budget import Budget
from explorer.evaluators import choose
from explorer.space import Space
from explorer.trust.command import app
from explorer.trust.measuring import list_wanted, measure_all
from explorer.trust.sample import sample_networks
from explorer.trust.table import HEADER, TABLE, Measurement, TableFile
from hiri_spec import SpecError

OWN = """
def broken(spec, seed):
    raise ValueError("no")
"""


def trust(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    error = result.exception
    return result.exit_code, result.stdout, str(error) if isinstance(error, SpecError) else result.stderr


def test_a_table_is_told(tmp_path: Path) -> None:
    table = TableFile(tmp_path / TABLE)
    for place in range(12):
        table.add(Measurement(str(place), "params", 0, float(place), 0.0))
        table.add(Measurement(str(place), "random", 0, float(place * 7 % 12), 0.0))
        for seed in range(2):
            table.add(Measurement(str(place), "train:digits:3", seed, 90.0 + place + seed, 5.0))
    for place in (tmp_path, tmp_path / TABLE):
        code, out, _ = trust("--table", place)
        assert code == 0
        assert "train:digits:3: 12 networks, 90.50 to 101.50 %" in out
        assert "two single trainings of the same networks agree by Spearman 1.00 [1.00, 1.00]" in out
        rows = [line.split() for line in out.splitlines() if line.startswith(("params", "random"))]
        assert [row[0] for row in rows] == ["params", "random"]
        assert rows[0][1:4] == ["1.00", "[1.00,", "1.00]"]
    code, out, _ = trust("--table", tmp_path, "--json")
    (told,) = json.loads(out)
    assert told["truth"] == "train:digits:3"
    assert [row["score"] for row in told["rows"]] == ["params", "random"]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ([], "--budget: is needed"),
        (["--budget", BUDGET], "--data: is needed"),
        (["--budget", BUDGET, "--data", "digits", "--window", 1.5], "--window: 1.5 is no share below the budget"),
        (["--budget", BUDGET, "--data", "digits", "--networks", "many"], "'many' is no number of networks"),
        (["--budget", BUDGET, "--data", "digits", "--networks", 2], "--networks: 2 networks are too few to rank"),
        (["--budget", BUDGET, "--data", "digitz"], "digitz"),
        (["--budget", BUDGET, "--data", "digits", "--scores", "zcio"], "unknown evaluator 'zcio'"),
        (["--budget", BUDGET, "--data", "digits", "--scores", ","], "--scores: names no score"),
        (["--budget", "4", "--data", "digits"], "did you mean 4gflops"),
        (["--table", "nowhere.csv"], "cannot be read"),
    ],
    ids=lambda value: " ".join(map(str, value)) or "nothing" if isinstance(value, list) else "",
)
def test_mistakes(
    space_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[Any], match: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, error = trust("--space", space_file, *options)
    assert code != 0
    assert match in error
    assert out == ""
    assert not (tmp_path / "runs").exists()


def test_a_folder_of_other_networks_is_left_alone(tmp_path: Path) -> None:
    explorer.trust.study._claim(tmp_path, {"budget": 5, "seed": 0})
    explorer.trust.study._claim(tmp_path, {"budget": 5, "seed": 0})
    with pytest.raises(SpecError, match=r"holds other networks: seed was 0, is 1\. Nothing there was changed"):
        explorer.trust.study._claim(tmp_path, {"budget": 5, "seed": 1})


def sampled(space: Space, count: int = 6) -> dict[str, Any]:
    drawn = sample_networks(space, Budget(4_000_000), count, seed=0)
    return {name: candidate.spec for name, candidate in drawn.items()}


def test_only_what_is_missing_is_measured(space: Space, tmp_path: Path) -> None:
    specs, table = sampled(space), TableFile(tmp_path / TABLE)
    first = dict.fromkeys(list(specs)[:4], 1) | dict.fromkeys(list(specs)[4:], 3)
    wanted = list_wanted(table, "params", specs, first)
    assert [each.seed for each in wanted] == [0] * 6 + [1, 1, 2, 2]
    told: list[Measurement] = []
    options = {"workers": 1, "timeout_s": None, "measured": told.append, "failed": lambda place, reason: None}
    measure_all(choose("params"), wanted[:7], table, **options)  # type: ignore[arg-type]
    left = list_wanted(TableFile(tmp_path / TABLE), "params", specs, first)
    assert left == wanted[7:]
    assert [row.value for row in told[:6]] == [choose("params").load()(spec, 0) for spec in specs.values()]
    assert [row.seed for row in told] == [0] * 6 + [1]


def test_failures_are_told_and_too_many_in_a_row_end_it(space: Space, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN)
    specs, table = sampled(space), TableFile(tmp_path / TABLE)
    wanted = list_wanted(table, "x", specs, dict.fromkeys(specs, 1))
    told: list[str] = []
    with pytest.raises(SpecError, match="5 evaluations in a row failed, the last one: ValueError: no"):
        measure_all(
            choose(f"{tmp_path}/mine.py:broken"),
            wanted,
            table,
            workers=1,
            timeout_s=None,
            measured=lambda row: None,
            failed=lambda place, reason: told.append(reason),
        )
    assert told == ["ValueError: no"] * 5
    assert (tmp_path / TABLE).read_text() == ",".join(HEADER) + "\n"


@pytest.mark.slow
def test_it_trains_and_goes_on(tmp_path: Path) -> None:
    options = ["--space", "small", "--budget", "5mmacs", "--data", "digits", "--epochs", 1, "--networks", 3]
    options += ["--scores", "params,random", "--out", tmp_path / "run"]
    code, out, error = trust(*options)
    assert (code, error.count("train:digits:1: 3/3")) == (0, 1)
    assert "train:digits:1: 3 networks" in out
    before = (tmp_path / "run" / TABLE).read_text()
    assert len(before.splitlines()) == 1 + 3 * 3
    code, again, error = trust(*options)
    assert (code, again) == (0, out)
    assert "3/3" not in error
    assert (tmp_path / "run" / TABLE).read_text() == before
    code, out, _ = trust(*options, "--seeds", 2, "--repeated", 1)
    assert len((tmp_path / "run" / TABLE).read_text().splitlines()) == 1 + 3 * 3 + 1
    assert code == 0


def test_without_scipy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(explorer.trust.command, "find_spec", lambda name: None)
    code, _, error = trust("--table", tmp_path)
    assert code != 0
    assert error == "correlations need scipy, which is not installed; pip install 'hiri-spec[train]'"


def test_help_loads_nothing_slow() -> None:
    code = "import sys\nfrom explorer.trust.command import app\napp(['--help'], standalone_mode=False)\n"
    code += "print(sorted({'torch', 'scipy', 'numpy', 'optuna'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"
    assert "python -m explorer.trust --budget 60mmacs" in result.stdout
