"""What a search tells of itself in its folder: what was asked for, in which space, and how it ended."""

import json
from pathlib import Path

import pytest
from searches import BUDGET, run

from explorer.account import read_account
from explorer.results import SearchResult
from explorer.search import search
from explorer.watching import Watcher
from hiri_spec import SpecError

FAILING = """
def score(spec, seed):
    raise ValueError("no")
"""


def test_what_was_asked_for(found: SearchResult, space_file: Path) -> None:
    account = read_account(found.out)
    assert account is not None
    assert account.command == found.command
    assert (account.directory, account.trials, account.then) == (str(Path.cwd()), 12, ())
    assert (account.state, account.ending) == ("finished", "")
    assert account.space.file == str(space_file)
    assert [
        account.space.spec(account.space.encode(member.values) | _zeros(found, member.values))
        for member in found.members
    ] == [member.spec.model_copy(update={"name": "small"}) for member in found.members]


def _zeros(found: SearchResult, values: dict[str, object]) -> dict[str, int]:
    return {name: 0 for name in found.parameters if name not in values}


class Looking(Watcher):
    """Reads the account while the search goes on, and interrupts it after some trials."""

    def __init__(self, out: Path, trials: int) -> None:
        self.out, self.left = out, trials
        self.states: set[str] = set()

    def tried(self, member: object, best: object) -> None:
        account = read_account(self.out)
        assert account is not None
        self.states.add(account.state)
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def test_a_search_that_was_interrupted_and_goes_on(space_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    looking = Looking(out, 3)
    run(space_file, out, watcher=looking, then=["2:macs"])
    account = read_account(out)
    assert looking.states == {"running"}
    assert account is not None
    assert (account.state, account.then) == ("interrupted", (2,))
    run(space_file, out, trials=14, then=["2:macs"])
    account = read_account(out)
    assert account is not None
    assert (account.state, account.trials) == ("finished", 14)


def test_a_search_that_failed(space_file: Path, tmp_path: Path) -> None:
    (tmp_path / "failing.py").write_text(FAILING)
    with pytest.raises(SpecError, match="5 evaluations in a row failed"):
        search(BUDGET, space=space_file, out=tmp_path / "run", evaluator=f"{tmp_path}/failing.py:score", trials=9)
    account = read_account(tmp_path / "run")
    assert account is not None
    assert account.state == "failed"
    assert "5 evaluations in a row failed" in account.ending


@pytest.mark.parametrize(
    "change",
    [
        {"space": None},
        {"space": {"stages": {"choice": []}}},
        {"trials": True},
        {"trials": "12"},
        {"then": 3},
        {"state": "asleep"},
        {"command": None},
        None,
    ],
    ids=str,
)
def test_what_is_no_account_is_none(found: SearchResult, change: dict[str, object] | None) -> None:
    file = found.out / "search.json"
    file.write_text("[" if change is None else json.dumps(json.loads(file.read_text()) | change))
    assert read_account(found.out) is None


def test_an_older_search_has_none(tmp_path: Path) -> None:
    assert read_account(tmp_path) is None
