"""Every trial as a table: complete ones and failed ones, with what was decided for each parameter."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from searches import run

from explorer.evaluators import params
from explorer.results import Failed, SearchResult
from explorer.trials_frame import COLUMNS, trials_csv
from hiri_spec import ModelSpec


@pytest.fixture
def broken(space_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SearchResult:
    """A search whose fourth trial has failed."""
    own, seen = params.Params.__call__, []

    def fail_once(self: params.Params, spec: ModelSpec, seed: int) -> float:
        seen.append(spec)
        if len(seen) == 4:
            raise RuntimeError('no <b>luck</b>, "once"')
        return own(self, spec, seed)

    monkeypatch.setattr(params.Params, "__call__", fail_once)
    return run(space_file, tmp_path / "broken")


def test_one_row_a_trial(broken: SearchResult) -> None:
    frame = broken.trials
    assert list(frame.columns[: len(COLUMNS)]) == list(COLUMNS)
    assert list(frame.columns[len(COLUMNS) :]) == [f"params_{name}" for name in broken.parameters]
    assert list(frame.number) == list(range(13))
    assert list(frame[frame.state != "complete"].number) == [3]
    assert frame.reason[3] == 'RuntimeError: no <b>luck</b>, "once"'
    assert frame.score.isna().sum() == 1
    complete = frame[frame.state == "complete"]
    for row, member in zip(complete.itertuples(), broken.members, strict=True):
        told = (row.number, row.score, row.macs, row.params, row.seconds, row.architecture, row.stages)
        own = (member.number, member.score, member.macs, member.params, member.seconds, member.sketch)
        assert told == (*own, len(member.spec.stages))
    assert list(frame[frame.on_front].number) == sorted(member.number for member in broken.front)


def test_parameters_without_a_say_have_no_value(broken: SearchResult) -> None:
    frame = broken.trials.set_index("number")
    for member in broken.members:
        row = frame.loc[member.number].filter(like="params_").dropna()
        assert {name.removeprefix("params_"): value for name, value in row.items()} == member.values
    assert frame["params_stem.width"].dtype == "Int64"


def test_it_is_made_once(broken: SearchResult) -> None:
    assert broken.trials is broken.trials


def test_what_failed_is_known_to_later_runs(broken: SearchResult, space_file: Path) -> None:
    again = run(space_file, broken.out, trials=13)
    (failed,) = again.failed
    assert failed == broken.failed[0]
    assert (failed.number, failed.state, failed.file) == (3, "failed", broken.out / "failed-3.yaml")
    assert len(again.members) == 13


def test_csv_reads_back(broken: SearchResult) -> None:
    told = pd.read_csv(io.StringIO(trials_csv(broken)), keep_default_na=False, na_values=[""])
    assert list(told.score.dropna()) == [member.score for member in broken.members]
    assert told.reason[3] == broken.failed[0].reason
    assert (broken.out / "trials.csv").read_text() == trials_csv(broken)


def test_no_trial_at_all(broken: SearchResult) -> None:
    empty = replace(broken, members=(), front=(), failed=())
    assert len(empty.trials) == 0
    assert list(empty.trials.columns) == list(broken.trials.columns)


def test_only_failures(broken: SearchResult) -> None:
    frame = replace(broken, members=(), front=()).trials
    assert list(frame.state) == ["failed"]


def test_what_is_stopped(broken: SearchResult) -> None:
    stopped: Failed = replace(broken.failed[0], number=13, state="stopped", reason="no better than half")
    frame = replace(broken, stopped=(stopped,)).trials
    assert list(frame.state) == ["complete"] * 3 + ["failed"] + ["complete"] * 9 + ["stopped"]
    assert frame.reason[13] == "no better than half"


def test_latency(broken: SearchResult) -> None:
    assert broken.trials.latency_ms.isna().all()
    timed = tuple(replace(member, latency_ms=2.5) for member in broken.members)
    assert set(replace(broken, members=timed).trials.latency_ms.dropna()) == {2.5}
