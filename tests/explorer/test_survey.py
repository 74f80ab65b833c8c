"""`--objective cost-only`: everything within the budget, in a file, and nothing evaluated."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from searches import BUDGET
from typer.testing import CliRunner

from explorer.budget import Budget, list_candidates
from explorer.command import app
from explorer.space import Space, network_hash
from explorer.survey import survey
from hiri_spec import SpecError

LIMITS = Budget(4_000_000)


def command(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["--objective", "cost-only", *(str(each) for each in arguments)])
    return result.exit_code, result.stdout, f"{result.stderr}{result.exception or ''}"


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "costs.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_small_space_is_gone_through_whole(space: Space, tmp_path: Path) -> None:
    found = survey(space, LIMITS, space.size, 0, tmp_path)
    expected = {network_hash(each.spec): each for each in list_candidates(space, LIMITS)}
    assert found.is_whole
    assert sum(found.within.values()) == len(expected) == len(rows(tmp_path))
    costs = sorted((int(row["macs"]), int(row["params"])) for row in rows(tmp_path))
    assert costs == sorted((each.macs, each.params) for each in expected.values())
    first = rows(tmp_path)[0]
    values = {name.removeprefix("params_"): value for name, value in first.items() if name.startswith("params_")}
    assert values.keys() == space.parameters.keys()
    assert first["stages"] == values["stages"]


def test_of_a_large_one_so_many_are_drawn(space: Space, tmp_path: Path) -> None:
    found = survey(space, LIMITS, 5000, 0, tmp_path)
    assert (found.is_whole, found.draws) == (False, 5000)
    assert 0 < sum(found.within.values()) == len(rows(tmp_path))
    assert len({tuple(row.values()) for row in rows(tmp_path)}) == len(rows(tmp_path))


def test_the_command(space_file: Path, tmp_path: Path) -> None:
    options = ["--budget", BUDGET, "--space", space_file, "--out", tmp_path / "run", "--trials", 3000]
    code, out, _ = command(*options)
    assert code == 0
    assert out.startswith("3,000 draws from the space: ")
    assert f"different ones are within 3.600 MMACs to 4.000 MMACs: {tmp_path}/run/costs.csv" in out
    code, out, _ = command(*options, "--json")
    told = json.loads(out)
    assert (code, told["draws"], told["is_whole"]) == (0, 3000, False)
    assert sum(told["within"].values()) == len(rows(tmp_path / "run"))
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [".lock", "costs.csv"]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["--then", "3:zico"], "--then: nothing is evaluated with --objective cost-only; leave it out"),
        (["--evaluator", "params"], "--evaluator: nothing is evaluated"),
        (["--trials", "0"], "--trials: 0 trials are too few"),
        (["--max-params", "1"], "--max-params: 1 are too few"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_mistakes(space_file: Path, tmp_path: Path, options: list[str], match: str) -> None:
    code, out, error = command("--budget", BUDGET, "--space", space_file, "--out", tmp_path / "run", *options)
    assert (code, out) == (1, "")
    assert match in error
    assert not (tmp_path / "run").exists()


def test_a_full_disk(space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "costs.csv").symlink_to("/dev/full")
    with pytest.raises(SpecError, match="No space left on device"):
        survey(space, LIMITS, 3000, 0, tmp_path)
