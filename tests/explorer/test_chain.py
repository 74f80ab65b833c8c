"""Chains of evaluators: the best of one get the next, nothing twice, and all of it goes on where it stopped."""

from __future__ import annotations

from pathlib import Path

import pytest
from searches import run, told

from explorer.chain import rank, read_chain
from explorer.results import latency_of
from hiri_spec import SpecError

COUNTING = """
import os
from explorer.space import network_hash
from hiri_spec import cost

def note(name, spec):
    with open(os.environ["CALLS"], "a") as calls:
        calls.write(f"{name} {network_hash(spec)}\\n")

def small(spec, seed):
    note("small", spec)
    return -cost(spec).params / 1e6

def breaking(spec, seed):
    note("breaking", spec)
    if len(spec.stages) == 2:
        raise ValueError("no")
    return 1.0
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "mine.py").write_text(COUNTING)
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return f"{tmp_path}/mine.py"


def calls(tmp_path: Path) -> list[str]:
    path = tmp_path / "calls"
    return path.read_text().splitlines() if path.exists() else []


def test_levels_are_read() -> None:
    first, second = read_chain(["200:zico", " 20 : train,epochs=5"], {"data": "digits", "epochs": 2, "recipe": None})
    assert (first.count, first.chosen.name, dict(first.chosen.settings)) == (200, "zico", {})
    assert (second.count, second.chosen.name) == (20, "train")
    assert dict(second.chosen.settings) == {"data": "digits", "epochs": 5}


@pytest.mark.parametrize(
    ("texts", "match"),
    [
        (["zico"], "--then: 'zico' is no further level; write COUNT:EVALUATOR"),
        (["0:zico"], "--then: '0:zico' is no further level"),
        (["3:"], "--then: '3:' is no further level"),
        ([7], "--then: 7 is no further level"),
        (["3:zcio"], "--then: 3:zcio: --evaluator: unknown evaluator 'zcio'; did you mean 'zico'"),
        (["3:train"], "--then: 3:train: --data: train needs it"),
        (["3:zico,epochs=2"], "--then: 3:zico,epochs=2: --epochs: zico takes none"),
        (["3:zico", "5:naswot"], "--then: 5:naswot wants more networks than the level before it has"),
    ],
    ids=str,
)
def test_mistakes(texts: list[str], match: str) -> None:
    with pytest.raises(SpecError, match=match):
        read_chain(texts, {})


def test_the_best_get_the_next_and_keep_their_numbers(space_file: Path, tmp_path: Path, mine: str) -> None:
    all_of_it = run(space_file, tmp_path / "all", trials=30)
    found = run(space_file, tmp_path / "run", trials=30, then=["8:naswot", f"3:{mine}:small"])
    assert told(found.earlier[0]) == told(all_of_it)
    best = sorted(all_of_it.members, key=lambda member: -member.score)[:8]
    assert {member.number for member in found.earlier[1].members} == {member.number for member in best}
    second = sorted(found.earlier[1].members, key=lambda member: -member.score)[:3]
    specs = {member.number: member.spec for member in all_of_it.members}
    assert {member.number: member.spec for member in found.members} == {
        member.number: specs[member.number] for member in second
    }
    assert [member.score for member in found.members] == [-member.params / 1e6 for member in found.members]
    assert found.score_name == "small"
    assert len(calls(tmp_path)) == 3


def test_the_same_command_evaluates_nothing_twice_and_a_longer_search_only_what_is_new(
    space_file: Path, tmp_path: Path, mine: str
) -> None:
    chain = [f"5:{mine}:small"]
    first = run(space_file, tmp_path / "run", trials=15, then=chain)
    again = run(space_file, tmp_path / "run", trials=15, then=chain)
    assert told(again) == told(first)
    assert len(calls(tmp_path)) == 5
    longer = run(space_file, tmp_path / "run", trials=40, then=chain)
    best = {member.number for member in sorted(longer.earlier[0].members, key=lambda member: -member.score)[:5]}
    assert best - {member.number for member in first.members}, "the longer search should find better ones"
    assert best <= {member.number for member in longer.members}
    assert len(calls(tmp_path)) == len(set(calls(tmp_path))) == len(longer.members)


def test_a_chain_may_be_added_to_a_search_that_is_there(space_file: Path, tmp_path: Path, mine: str) -> None:
    before = run(space_file, tmp_path / "run", trials=12)
    found = run(space_file, tmp_path / "run", trials=12, then=[f"4:{mine}:small"])
    assert told(found.earlier[0]) == told(before)
    assert len(found.members) == 4


def test_another_evaluator_at_a_level_is_refused(space_file: Path, tmp_path: Path) -> None:
    run(space_file, tmp_path / "run", then=["4:macs"])
    with pytest.raises(SpecError, match="holds another search: evaluator was macs, is random"):
        run(space_file, tmp_path / "run", then=["4:random"])


def test_what_fails_at_a_level_fails_under_its_number(space_file: Path, tmp_path: Path, mine: str) -> None:
    found = run(space_file, tmp_path / "run", trials=12, then=[f"12:{mine}:breaking"])
    two = {member.number for member in found.earlier[0].members if len(member.spec.stages) == 2}
    assert {failed.number for failed in found.failed} == two
    assert {member.number for member in found.members} == set(range(12)) - two
    assert not list(found.out.glob("failed-*.yaml"))
    assert len(list(found.out.glob("then-1-failed-*.yaml"))) == len(two)


def test_chains_are_not_for_databases_yet(space_file: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="--then: chains are not for studies in a database yet"):
        run(space_file, tmp_path / "run", then=["4:macs"], storage=f"sqlite:///{tmp_path}/x.db")


def test_ranking(space_file: Path, tmp_path: Path) -> None:
    members = run(space_file, tmp_path / "run", trials=10).members
    by_score = rank(members, None)
    assert [member.score for member in by_score] == sorted((member.score for member in members), reverse=True)
    import dataclasses

    timed = [dataclasses.replace(member, latency_ms=float(member.number)) for member in members]
    by_front = rank(timed, latency_of)
    assert by_front[0].score == max(member.score for member in members)
    assert {member.number for member in by_front} == set(range(10))
    first_front = {0} | {m.number for m in timed if all(m.score > o.score for o in timed if o.number < m.number)}
    assert {member.number for member in by_front[: len(first_front)]} == first_front


def test_what_came_before_is_in_files_too(space_file: Path, tmp_path: Path) -> None:
    found = run(space_file, tmp_path / "run", trials=12, then=["6:naswot", "3:macs"])
    rows = {"trials.csv": 3, "trials-1.csv": 12, "trials-2.csv": 6}
    assert {name: len((found.out / name).read_text().splitlines()) - 1 for name in rows} == rows


def test_a_pruner_is_for_the_levels_that_report(space_file: Path, tmp_path: Path, reporting: str) -> None:
    options = {"trials": 30, "then": [f"20:{reporting}"]}
    assert run(space_file, tmp_path / "stopped", **options).stopped
    assert not run(space_file, tmp_path / "all", pruner="none", **options).stopped
    run(space_file, tmp_path / "halving", pruner="halving", **options)
    with pytest.raises(SpecError, match="params and macs tell nothing on their way"):
        run(space_file, tmp_path / "x", pruner="median", then=["3:macs"])
