"""The table of measurements: whole lines only, each value once, and nothing of it lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.trust.table import HEADER, Measurement, Measurements, TableFile, read_table
from hiri_spec import SpecError

ROWS = [
    Measurement("a", "zico", 0, 1.5, 0.1),
    Measurement("b", "zico", 0, -2.25, 0.2),
    Measurement("a", "train:finegrain:classes=6,train=80:5", 0, 97.5, 4.0),
    Measurement("a", "train:finegrain:classes=6,train=80:5", 1, 98.5, 4.0),
]


def write(path: Path) -> TableFile:
    table = TableFile(path)
    for row in ROWS:
        table.add(row)
    return table


def test_what_is_written_is_read(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv")
    read, whole = read_table(tmp_path / "t.csv")
    assert whole == (tmp_path / "t.csv").stat().st_size
    for each in (table.measurements, read, TableFile(tmp_path / "t.csv").measurements):
        assert len(each) == 4
        assert each.measures == ["zico", "train:finegrain:classes=6,train=80:5"]
        assert each.values("zico") == {"a": {0: 1.5}, "b": {0: -2.25}}
        assert each.means("train:finegrain:classes=6,train=80:5") == {"a": 98.0}
        assert each.has("a", "zico", 0)
        assert not each.has("b", "zico", 1)


@pytest.mark.parametrize("cut", range(1, 12))
def test_half_a_line_is_cut_off(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "t.csv"
    write(path)
    content = path.read_bytes()
    path.write_bytes(content[:-cut])
    table = TableFile(path)
    assert len(table.measurements) == 3
    table.add(ROWS[3])
    assert path.read_bytes() == content


def test_a_half_written_first_line(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"netw")
    TableFile(path).add(ROWS[0])
    assert path.read_text().splitlines() == [",".join(HEADER), "a,zico,0,1.5,0.1"]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("number,score\n", r"t\.csv:1: is no table of measurements, whose first line is network,measure,seed"),
        (f"{','.join(HEADER)}\na,zico,0,1.5\n", r"t\.csv:2: a,zico,0,1\.5 is no measurement; take the line out"),
        (f"{','.join(HEADER)}\na,zico,x,1.5,1\n", r"t\.csv:2: a,zico,x,1\.5,1 is no measurement"),
    ],
    ids=["other", "short", "no number"],
)
def test_what_is_no_table(tmp_path: Path, text: str, match: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(SpecError, match=match):
        TableFile(tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == text


def test_no_table(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot be read: No such file"):
        read_table(tmp_path / "t.csv")


def test_a_full_disk(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv")
    (tmp_path / "t.csv").unlink()
    (tmp_path / "t.csv").symlink_to("/dev/full")
    with pytest.raises(SpecError, match=r"takes no more: No space left on device; what is in it is kept"):
        table.add(Measurement("c", "zico", 0, 1.0, 1.0))
    assert not table.measurements.has("c", "zico", 0)


def test_the_same_value_counts_once() -> None:
    measurements = Measurements([ROWS[0], ROWS[0]])
    assert len(measurements) == 1


def test_what_was_not_asked_for_is_left_out() -> None:
    some = Measurements(ROWS).only(["a"], ["zico"])
    assert (len(some), some.measures, some.means("zico")) == (1, ["zico"], {"a": 1.5})
