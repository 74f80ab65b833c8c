"""Journals: what is wrong with one is told with its line, and nothing in it is lost."""

from pathlib import Path

import pytest
from searches import run, told

from explorer.results import SearchResult
from hiri_spec import SpecError


def test_a_half_written_last_line_is_cut_off(space_file: Path, tmp_path: Path, found: SearchResult) -> None:
    journal = found.out / "study.journal"
    content = journal.read_bytes()
    journal.write_bytes(content[:-20])
    again = run(space_file, found.out)
    assert told(again) == told(found)
    assert journal.read_bytes().count(b"\n") == content.count(b"\n")


def test_a_damaged_journal_is_told_and_left_alone(space_file: Path, found: SearchResult) -> None:
    journal = found.out / "study.journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines[:2], b"\0\0\0\n", *lines[3:]]))
    before = journal.read_bytes()
    with pytest.raises(SpecError, match=r"study\.journal:3: is damaged, this line is no JSON; .* move the file away"):
        run(space_file, found.out)
    assert journal.read_bytes() == before


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b'{"a":1}', "no record of a search"),
        (b"[]", "no record of a search"),
        (b'{"op_code":4,"worker_id":"x"}', r"no record that Optuna can read \(KeyError: 'study_id'\)"),
        (b'{"op_code":77,"worker_id":"x"}', r"no record that Optuna can read \(AssertionError"),
        (b'{"op_code":4,"worker_id":"x","study_id":0,"state":1}', r"no record that Optuna can read \(KeyError"),
    ],
    ids=["another", "list", "half", "unknown", "empty-trial"],
)
def test_a_line_that_is_no_record(space_file: Path, found: SearchResult, line: bytes, what: str) -> None:
    journal = found.out / "study.journal"
    whole = journal.read_bytes()
    journal.write_bytes(whole + line + b"\n")
    with pytest.raises(SpecError, match=rf"journal:15: is damaged, this line is {what}.*take the line out to go on"):
        run(space_file, found.out)
    assert journal.read_bytes() == whole + line + b"\n"
    journal.write_bytes(whole)
    assert told(run(space_file, found.out)) == told(found)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"macs":', b'"mac":'),
        (b'"params":{"', b'"params":{"x'),
        (b'"values":[', b'"values":[NaN,'),
        (b'"state":1', b'"state":0'),
    ],
    ids=["facts", "parameters", "values", "state"],
)
def test_a_trial_of_another_kind(space_file: Path, found: SearchResult, old: bytes, new: bytes) -> None:
    journal = found.out / "study.journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    assert old in lines[6]
    journal.write_bytes(b"".join([*lines[:6], lines[6].replace(old, new), *lines[7:]]))
    with pytest.raises(SpecError, match=r"study\.journal:7: is damaged, this line is no "):
        run(space_file, found.out)
    journal.write_bytes(b"".join([*lines[:6], *lines[7:]]))
    assert len(run(space_file, found.out).members) == 12


def test_a_damaged_head_of_a_journal(space_file: Path, found: SearchResult) -> None:
    """Without its first line no trial can be read, so taking it out is no way."""
    journal = found.out / "study.journal"
    journal.write_bytes(b"{}\n" + journal.read_bytes().split(b"\n", 1)[1])
    with pytest.raises(SpecError, match=r"journal:1: is damaged, .*; nothing was changed; move the file away"):
        run(space_file, found.out)


def test_a_folder_where_the_journal_belongs(space_file: Path, tmp_path: Path) -> None:
    (tmp_path / "run" / "study.journal").mkdir(parents=True)
    with pytest.raises(SpecError, match=r"run/study\.journal cannot be used: Is a directory"):
        run(space_file, tmp_path / "run")


def test_a_journal_of_what_was_evaluated_apart_loses_no_line(space_file: Path, tmp_path: Path) -> None:
    """Its records name trials by their places: a line less would give each the score of the next."""
    code = "import time\n\ndef score(spec, seed):\n    time.sleep(0.05)\n    return float(spec.stages[0][0].width)\n"
    (tmp_path / "own.py").write_text(code)
    out, options = tmp_path / "run", {"evaluator": f"{tmp_path}/own.py:score", "trials": 8, "workers": 2}
    run(space_file, out, **options)
    journal = out / "study.journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    place = [place for place, line in enumerate(lines) if b'"op_code":4' in line][2]
    journal.write_bytes(b"".join([*lines[:place], lines[place][:40] + b"\n", *lines[place + 1 :]]))
    with pytest.raises(SpecError, match=rf"journal:{place + 1}: is damaged, this line is no JSON.*cut it off before"):
        run(space_file, out, **options)
    journal.write_bytes(b"".join([*lines[:place], *lines[place + 1 :]]))
    with pytest.raises(SpecError, match=r"is damaged, this line is of another network than what is told of it"):
        run(space_file, out, **options)
    journal.write_bytes(b"".join(lines[:place]))
    again = run(space_file, out, **options)
    assert [member.score for member in again.members] == [member.spec.stages[0][0].width for member in again.members]
    assert len(again.members) == 8
