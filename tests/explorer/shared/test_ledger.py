"""Who evaluates what: the rules that lead every process to the same conclusion."""

from __future__ import annotations

import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from explorer.names import FAILURE
from explorer.shared.ledger import DOUBLE, LOST, RETURNED, Ledger, origin_of
from hiri_spec import SpecError

STATES = {"running": TrialState.RUNNING, "done": TrialState.COMPLETE}


def trial(number: int, network: str, how: str, **attributes: object) -> FrozenTrial:
    """One that runs, is done, or has failed for a reason."""
    state = STATES.get(how, TrialState.FAIL)
    noted = {"network": network, "attempts": 1, "macs": 1, "params": 1, "seconds": 0.1, **attributes}
    if state == TrialState.FAIL:
        noted[FAILURE] = how
    made = create_trial(state=state, values=[1.0] if how == "done" else None, user_attrs=noted)
    made.number = number
    return made


def ledger(*trials: tuple[str, str]) -> Ledger:
    made = Ledger(1, "there")
    made.take(trial(number, *each) for number, each in enumerate(trials))
    return made


@pytest.mark.parametrize(
    ("before", "rival"),
    [
        ([("a", "running")], 0),
        ([("a", "done")], 0),
        ([("a", "no memory")], 0),
        ([("b", "running")], None),
        ([("a", LOST)], None),
        ([("a", RETURNED), ("a", DOUBLE)], None),
        ([("a", LOST), ("a", "running")], 1),
    ],
    ids=str,
)
def test_who_gives_way(before: list[tuple[str, str]], rival: int | None) -> None:
    found = ledger(*before, ("a", "running"), ("a", "running")).find_rival(len(before))
    assert (None if found is None else found.number) == rival


@pytest.mark.parametrize(
    ("trials", "again"),
    [
        ([("a", "running")], []),
        ([("a", LOST)], [0]),
        ([("a", RETURNED), ("b", LOST)], [0, 1]),
        ([("a", LOST), ("a", LOST)], [1]),
        ([("a", LOST), ("a", "running")], []),
        ([("a", LOST), ("a", "done")], []),
        ([("a", LOST), ("a", "no memory")], []),
        # who gave way leaves it to the one before, which was then lost
        ([("a", LOST), ("a", LOST), ("a", DOUBLE)], [1]),
        ([("a", "it was interrupted 3 times")], []),
    ],
    ids=str,
)
def test_what_is_evaluated_again(trials: list[tuple[str, str]], again: list[int]) -> None:
    assert [each.number for each in ledger(*trials).unevaluated()] == again


def test_it_follows_what_happens() -> None:
    made = ledger(("a", LOST), ("a", "running"))
    assert [*made.unevaluated()] == []
    assert (made.running, made.count_live()) == ({1}, 1)
    assert [each.number for each in made.take([trial(0, "a", LOST), trial(1, "a", LOST)])] == [1]
    assert [each.number for each in made.unevaluated()] == [1]
    assert (made.running, made.count_live()) == (set(), 0)
    made.take([trial(2, "a", "done", origin=0)])
    assert [*made.unevaluated()] == []
    assert (made.count_live(), made.count_live(below=2)) == (1, 0)
    found = made.find_live("a")
    assert found is not None
    assert (found.number, origin_of(found), origin_of(made.trials[0])) == (2, 0, 0)


@pytest.mark.parametrize(
    "strange",
    [
        create_trial(state=TrialState.RUNNING),
        create_trial(state=TrialState.WAITING, user_attrs={"network": "a", "attempts": 1}),
        create_trial(values=[1.0], user_attrs={"network": "a", "attempts": 1}),
        create_trial(
            values=[1.0, 2.0],
            user_attrs={"network": "a", "attempts": 1, "macs": 1, "params": 1, "seconds": 1.0},
        ),
    ],
    ids=["bare", "waiting", "without facts", "of more objectives"],
)
def test_a_trial_of_somebody_else(strange: FrozenTrial) -> None:
    strange.number = 0
    with pytest.raises(SpecError, match="there: trial 0 there is no trial of this search; somebody else has written"):
        Ledger(1, "there").take([strange])
