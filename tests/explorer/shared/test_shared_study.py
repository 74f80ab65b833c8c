"""One process's part in a shared study, and how the parts of several fit together."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from optuna.trial import TrialState
from sharing import HEARTBEAT_S, all_trials, scores_of, take_part
from waiting import wait_until

from explorer.names import FAILURE, NETWORK
from explorer.shared.heartbeat import SILENT_BEATS
from explorer.shared.ledger import CLAIM, DOUBLE, LOST, RETURNED, origin_of
from explorer.shared.shared_study import SharedStudy
from hiri_spec import SpecError

SHORT_S = 0.05
SECONDS = {"seconds": 0.1}


def claim(study: SharedStudy) -> int:
    number = study.ask()
    assert number is not None
    return number


def endings(address: str) -> list[object]:
    return [trial.user_attrs.get(FAILURE, trial.state.name) for trial in all_trials(address)]


def test_two_that_draw_at_the_same_moment(storage: str, space_file: Path, tmp_path: Path) -> None:
    """Both have the same seed, and have seen the same: one of them gives way, and parts from the other."""
    first, second = (take_part(storage, space_file, tmp_path) for _ in range(2))
    with first, second:
        numbers = [claim(first), claim(second), claim(first), claim(second)]
        assert numbers == [0, 2, 3, 4]
        for study, number in zip((first, second) * 2, numbers, strict=True):
            study.tell(number, [1.0 * number], SECONDS)
    assert endings(storage) == ["COMPLETE", DOUBLE, "COMPLETE", "COMPLETE", "COMPLETE"]
    networks = [trial.user_attrs[NETWORK] for trial in scores_of(storage)]
    assert len({*networks}) == 4
    assert [trial.score for trial in take_part(storage, space_file, tmp_path).trials] == [0.0, 2.0, 3.0, 4.0]


def test_what_others_finish_is_heard_of(storage: str, space_file: Path, tmp_path: Path) -> None:
    first, second = (take_part(storage, space_file, tmp_path) for _ in range(2))
    with first, second:
        number = claim(first)
        second.pause()
        assert (second.refresh(), second.elsewhere) == ([], 1)
        told = first.tell(number, [5.0], SECONDS)
        second.pause()
        assert [trial.params for trial in second.refresh()] == [told.params]
        assert (second.refresh(), second.elsewhere) == ([], 0)
        assert first.refresh() == []


def test_no_more_than_were_asked_for(storage: str, space_file: Path, tmp_path: Path) -> None:
    first = take_part(storage, space_file, tmp_path, wanted=2)
    numbers = [claim(first)]
    second = take_part(storage, space_file, tmp_path, wanted=2)  # which draws other networks
    with first, second:
        numbers.append(claim(first))
        assert second.ask() is None
        assert first.ask() is None
        assert endings(storage) == ["RUNNING", "RUNNING", RETURNED]
        first.fail(numbers[0], "no memory")
        second.pause()
        second.refresh()
        again = claim(second)  # the network that there was no room for
        assert second.origin(again) == 2
        assert again == 3
    assert endings(storage)[0] == "no memory"


def test_what_is_given_back_is_taken_at_once(storage: str, space_file: Path, tmp_path: Path) -> None:
    with take_part(storage, space_file, tmp_path) as first:
        number = claim(first)
        params = first.params(number)
    with take_part(storage, space_file, tmp_path) as second:
        assert second.has_interrupted
        again = claim(second)
        assert (again, second.origin(again), second.begin(again, {}), second.params(again)) == (1, 0, 1, params)
        second.tell(again, [1.0], SECONDS)
    assert endings(storage) == [RETURNED, "COMPLETE"]


def test_who_falls_silent_is_given_up_three_times(storage: str, space_file: Path, tmp_path: Path) -> None:
    """Without a context there is no heartbeat, as after kill -9."""
    with take_part(storage, space_file, tmp_path, heartbeat_s=SHORT_S) as living:
        for attempt in (1, 2, 3):
            silent = take_part(storage, space_file, tmp_path)
            number = claim(silent)
            assert (silent.origin(number), silent.begin(number, {})) == (0, attempt)

            def is_given_up(number: int = number) -> bool:
                living.pause()
                living.refresh()
                return all_trials(storage)[number].state == TrialState.FAIL

            wait_until(is_given_up)
        living.pause()
        living.refresh()
        assert not living.has_interrupted
    assert endings(storage) == [LOST, LOST, "it was interrupted 3 times"]


def test_who_lives_is_not_given_up(storage: str, space_file: Path, tmp_path: Path) -> None:
    with take_part(storage, space_file, tmp_path) as busy, take_part(storage, space_file, tmp_path) as idle:
        number = claim(busy)
        ends = time.monotonic() + 2 * SILENT_BEATS * HEARTBEAT_S
        while time.monotonic() < ends:
            idle.pause()
            idle.refresh()
        assert all_trials(storage)[number].state == TrialState.RUNNING
        busy.tell(number, [1.0], SECONDS)


@pytest.mark.parametrize("is_taken", [True, False], ids=["evaluated again", "not yet"])
def test_who_was_cut_off_loses_no_score(storage: str, space_file: Path, tmp_path: Path, is_taken: bool) -> None:
    """It goes to the trial in the place of the one that was given up, which another process may be evaluating."""
    slow = take_part(storage, space_file, tmp_path, heartbeat_s=SHORT_S)
    number = claim(slow)
    with take_part(storage, space_file, tmp_path) as other:
        wait_until(lambda: bool(other.pause() or other.refresh() or other.has_interrupted))
        if is_taken:
            again = claim(other)
        told = slow.tell(number, [7.0], SECONDS)
        assert (told.number, told.score) == (1, 7.0)
        if is_taken:
            told = other.tell(again, [7.0], SECONDS)
            assert (told.number, told.score) == (1, 7.0)
        assert [trial.number for trial in slow.refresh()] == []
    assert endings(storage) == [LOST, "COMPLETE"]
    assert origin_of(all_trials(storage)[1]) == 0


def test_a_score_of_what_another_process_has_stopped(sqlite: str, space_file: Path, tmp_path: Path) -> None:
    """It is not lost either: nobody goes on with the one that was stopped, so it gets a trial of its own."""
    slow = take_part(sqlite, space_file, tmp_path, heartbeat_s=SHORT_S)
    number = claim(slow)
    with take_part(sqlite, space_file, tmp_path) as other:
        wait_until(lambda: bool(other.pause() or other.refresh() or other.has_interrupted))
        other.stop(claim(other), "hopeless", SECONDS)
    assert (slow.tell(number, [7.0], SECONDS).number, endings(sqlite)) == (2, [LOST, "PRUNED", "COMPLETE"])


def test_a_claim_that_was_heard_and_not_answered(
    sqlite: str, space_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is made twice, and is one trial: the other one gives way, or falls silent."""
    from sqlalchemy.exc import OperationalError

    study = take_part(sqlite, space_file, tmp_path)
    storage = study._records._storage
    create, calls = storage.create_new_trial, []

    def cut_off(*arguments: object) -> int:
        calls.append(arguments)
        trial_id = create(*arguments)
        if len(calls) == 1:
            raise OperationalError("insert", {}, Exception("server closed the connection unexpectedly"))
        return trial_id

    monkeypatch.setattr(storage, "create_new_trial", cut_off)
    with study:
        number = claim(study)
        study.tell(number, [1.0], SECONDS)
    trials = all_trials(sqlite)
    assert len(calls) >= 2
    assert trials[0].user_attrs[CLAIM] == trials[1].user_attrs[CLAIM]
    assert len(scores_of(sqlite)) == 1


def test_a_quota(sqlite: str, space_file: Path, tmp_path: Path) -> None:
    with take_part(sqlite, space_file, tmp_path, quota=1) as study:
        study.tell(claim(study), [1.0], SECONDS)
        assert study.ask() is None
        with pytest.raises(SpecError, match="this process has evaluated what it was asked to"):
            study.pause()


def test_a_trial_of_somebody_elses(sqlite: str, space_file: Path, tmp_path: Path) -> None:
    import optuna

    take_part(sqlite, space_file, tmp_path)
    optuna.load_study(study_name="s", storage=sqlite).ask()
    with pytest.raises(SpecError, match=r"shared.db s: trial 0 there is no trial of this search; somebody else has"):
        take_part(sqlite, space_file, tmp_path)


def test_an_exhausted_space(sqlite: str, tmp_path: Path) -> None:
    small = tmp_path / "tiny.yaml"
    small.write_text(
        "name: tiny\nresolution: 64\nstem: {stem: conv, width: 8}\n"
        "stages: [[{block: hr, depth: 1, width: {choice: [8, 50]}}]]\nhead: {classes: 10}\n"
    )
    with take_part(sqlite, small, tmp_path) as first, take_part(sqlite, small, tmp_path) as second:
        first.tell(claim(first), [1.0], SECONDS)
        with pytest.raises(SpecError, match="there is no new network within"):
            first.ask()
        second.pause()
        assert len(second.refresh()) == 1
        with pytest.raises(SpecError, match="there is no new network within"):
            second.ask()
