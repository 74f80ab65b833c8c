"""What a search leaves behind: files, table and plot."""

import csv
from dataclasses import replace
from pathlib import Path

from searches import BUDGET
from typer.testing import CliRunner

import hiri_spec
from explorer.command import app
from explorer.plots import labelled, pareto_figure
from explorer.report import front_rows, front_table
from explorer.results import SearchResult, latency_of, pareto_front
from hiri_spec import SpecError


def test_what_it_writes(found: SearchResult, tmp_path: Path) -> None:
    best = hiri_spec.load(found.out / "best.yaml")
    assert best == found.best.spec
    assert hiri_spec.build(best) is not None
    front = sorted((found.out / "front").glob("*.yaml"))
    assert len(front) == len(found.front)
    assert {hiri_spec.load(path).name for path in front} == {member.spec.name for member in found.front}
    rows = list(csv.DictReader((found.out / "trials.csv").read_text().splitlines()))
    assert [int(row["number"]) for row in rows] == list(range(12))
    assert sum(row["on_front"] == "True" for row in rows) == len(found.front)
    assert float(rows[0]["score"]) == found.members[0].score
    assert (found.out / "pareto.png").read_bytes().startswith(b"\x89PNG")
    assert (found.out / "report.html").read_text() == found.report(tmp_path / "again.html").read_text()
    text = (found.out / "best.yaml").read_text()
    assert text.startswith(f"# Found by python -m explorer.search: trial {found.best.number} of 12.\n")


def test_files_that_cannot_be_written_keep_no_other_from_it(space_file: Path, tmp_path: Path) -> None:
    for name in ("front", "pareto.png"):
        (tmp_path / "run" / name).mkdir(parents=True)
    (tmp_path / "run" / "front").rmdir()
    (tmp_path / "run" / "front").write_text("mine")
    arguments = ["--budget", BUDGET, "--space", str(space_file), "--evaluator", "params", "--trials", "2"]
    result = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "run")])
    assert isinstance(result.exception, SpecError)
    told = str(result.exception)
    assert "run/front: cannot be made: File exists" in told
    assert "run/pareto.png: cannot be written: Is a directory" in told
    assert "all 2 trials are kept; make room or move what is in the way, and run the same command again" in told
    assert "the front of 2 trials; best: trial" in result.stdout
    assert (tmp_path / "run" / "front").read_text() == "mine"
    assert {path.name for path in (tmp_path / "run").iterdir()} >= {"trials.csv", "best.yaml", "report.html"}


def test_costs_that_are_the_score_are_told_once(found: SearchResult) -> None:
    assert [column.header for column in front_table(found).columns] == ["trial", "network", "GMACs", "params M"]
    (axes,) = pareto_figure(found).axes
    assert axes.get_ylabel() == "params M"
    by_macs = replace(found, score_name="GMACs")
    assert [column.header for column in front_table(by_macs).columns] == ["trial", "network", "GMACs", "params M"]
    scored = replace(found, score_name="ZiCo score")
    assert [column.header for column in front_table(scored).columns][2:] == ["ZiCo score", "GMACs", "params M"]
    (axes,) = pareto_figure(scored).axes
    assert axes.get_ylabel() == "ZiCo score (no training)"


def test_what_was_timed_is_told(found: SearchResult) -> None:
    members = tuple(replace(member, latency_ms=20.0 - member.number) for member in found.members)
    timed = replace(
        found,
        members=members,
        front=pareto_front(members, latency_of),
        settings={**found.settings, "objective": "latency"},
    )
    assert [column.header for column in front_table(timed).columns][-1] == "ms"
    assert front_rows(timed)[0]["latency_ms"] == timed.front[0].latency_ms
    (axes,) = pareto_figure(timed).axes
    assert axes.get_xlabel() == "ms for one image"
    assert list(axes.lines[0].get_xdata()) == [member.latency_ms for member in timed.front]


def test_each_column_of_the_legend_keeps_to_its_own(found: SearchResult) -> None:
    texts = [text.get_text().strip() for text in pareto_figure(found).legends[0].get_texts()]
    kinds, networks = texts[: len(texts) // 2], texts[len(texts) // 2 :]
    assert [text for text in kinds if text] == ["2 stages", "3 stages", "Pareto front"]
    assert [text.split(",")[0] for text in networks if text] == [member.sketch for member in labelled(found.front)]
