"""Searches read from their journals, as they are written: what the search itself knows, and not less."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from searches import BUDGET, SMALL_SPACE, run

from explorer.evaluators import EVALUATORS
from explorer.results import Member, SearchResult
from explorer.search import search
from explorer.watching import Watcher
from hiri_spec import SpecError
from hiri_spec.files import to_yaml
from studio.charts.pareto import choose, pareto
from studio.searches import SearchView, TriedPoint, read_search

ROOT = Path(__file__).resolve().parent.parent.parent
FAILING_SOME = """
def score(spec, seed):
    if spec.stages[0][0].depth > 2:
        raise ValueError("too deep")
    return spec.stages[0][0].width
"""
OLD = ("search.json", "report.html")


@pytest.fixture
def space_file(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL_SPACE)
    return path


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> SearchResult:
    """A search that is only looked at."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "small.yaml").write_text(SMALL_SPACE)
    return run(folder / "small.yaml", folder / "run", trials=20)


def assert_same(view: SearchView, result: SearchResult) -> None:
    points = {point.number: point for point in view.points}
    assert list(points) == [member.number for member in result.members]
    for member in result.members:
        assert facts(points[member.number]) == facts(member)
        assert view.spec_text(member.number) == to_yaml(member.spec)
    assert [point.number for point in view.front] == [member.number for member in result.front]
    assert view.best is not None
    assert view.best.number == result.best.number
    assert view.score_name == result.score_name


def facts(each: Member | TriedPoint) -> tuple[object, ...]:
    return each.score, each.macs, each.params, each.seconds, each.latency_ms, each.sketch


def test_a_search_that_is_over(kept: SearchResult) -> None:
    view = read_search(kept.out)
    assert_same(view, kept)
    assert (view.state, view.ending, view.running) == ("finished", "", False)
    assert (view.trials, view.finished, view.failed) == (20, 20, 0)
    assert (view.command, view.directory) == (kept.command, str(Path.cwd()))
    assert (view.budget, view.resolution) == (4_000_000, "64")
    assert view.title == "20 networks within 4 MMACs at 64 px"
    assert view.earlier == ()
    for point in view.points:
        assert point.stages in (2, 3)
        assert len(point.placement) == point.stages
        assert set(point.placement) <= {"HR", "C", "T"}


def test_reading_writes_nothing(kept: SearchResult) -> None:
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in kept.out.iterdir() if path.is_file()}
    for _ in range(3):
        read_search(kept.out).spec_text(3)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in before} == before


class Looking(Watcher):
    """Reads the search after each of its trials."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.seen: list[tuple[str, int, str]] = []

    def tried(self, member: Member, best: Member) -> None:
        view = read_search(self.out)
        last = next(point for point in view.points if point.number == member.number)
        assert facts(last) == facts(member)
        assert view.spec_text(member.number) == to_yaml(member.spec)
        self.seen.append((view.state, len(view.points), view.level.evaluator))


def test_a_search_while_it_goes_on(space_file: Path, tmp_path: Path) -> None:
    looking = Looking(tmp_path / "run")
    result = run(space_file, tmp_path / "run", watcher=looking)
    assert looking.seen == [("running", count, "params") for count in range(1, 13)]
    assert_same(read_search(tmp_path / "run"), result)


def test_a_chain(space_file: Path, tmp_path: Path) -> None:
    looking = Looking(tmp_path / "run")
    result = run(space_file, tmp_path / "run", watcher=looking, then=["6:macs", "2:random"])
    view = read_search(tmp_path / "run")
    assert_same(view, result)
    assert [level.evaluator for level in view.levels] == ["params", "macs", "random"]
    assert [len(level.points) for level in view.levels] == [12, 6, 2]
    assert [level.evaluator for level in view.earlier] == ["params", "macs"]
    assert [count for _, count, evaluator in looking.seen if evaluator == "macs"] == [1, 2, 3, 4, 5, 6]
    assert (view.trials, view.state) == (2, "finished")
    for level, earlier in zip(view.levels, result.earlier, strict=False):
        assert [facts(point) for point in level.points] == [facts(member) for member in earlier.members]


def test_a_search_by_time(space_file: Path, tmp_path: Path) -> None:
    """Its front is of scores and milliseconds; the times in the journal are taken as they stand."""
    result = run(space_file, tmp_path / "run", objective="score")
    assert_same(read_search(tmp_path / "run"), result)
    journal = tmp_path / "run" / "study.journal"
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    lines[1]["user_attr"]["search"]["objective"] = "latency"
    for place, line in enumerate(line for line in lines if line["op_code"] == 4):
        line["user_attrs"]["latency_ms"] = 5.0 + place % 3
    journal.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    view = read_search(tmp_path / "run")
    assert view.is_by_latency
    times = [point.latency_ms for point in view.front]
    assert times == sorted(times, key=lambda time: time or 0)
    assert 1 <= len(view.front) <= 3
    assert view.front[-1].score == result.best.score


def test_trials_without_a_score(space_file: Path, tmp_path: Path) -> None:
    (tmp_path / "failing.py").write_text(FAILING_SOME)
    place = f"{tmp_path}/failing.py:score"
    result = search(BUDGET, space=space_file, out=tmp_path / "run", evaluator=place, trials=8, seed=1)
    view = read_search(tmp_path / "run")
    assert_same(view, result)
    assert view.failed == len(result.failed) > 0
    assert [(each.number, each.reason, each.sketch, each.macs, each.has_failed) for each in view.unscored] == [
        (each.number, each.reason, each.sketch, each.macs, True) for each in result.failed
    ]
    failed = result.failed[0]
    assert view.spec_text(failed.number).partition("\n")[2] == to_yaml(failed.spec).partition("\n")[2]


def test_a_space_that_has_grown(space_file: Path, tmp_path: Path) -> None:
    run(space_file, tmp_path / "run", trials=8)
    read_search(tmp_path / "run")
    space_file.write_text(SMALL_SPACE.replace("{range: [1, 6]}", "{range: [1, 8]}"))
    result = run(space_file, tmp_path / "run", trials=16)
    assert_same(read_search(tmp_path / "run"), result)


def test_an_older_search_in_a_space_of_ours(tmp_path: Path) -> None:
    """Without an account the space is known by its fingerprint, the stages left out of it too."""
    result = run(Path("small"), tmp_path / "run", budget="5mmacs", trials=6, stages=[4])
    for name in OLD:
        (tmp_path / "run" / name).unlink()
    view = read_search(tmp_path / "run")
    assert_same(view, result)
    assert (view.state, view.trials, view.command) == ("over", None, "")


def test_an_older_search_in_another_space(space_file: Path, tmp_path: Path) -> None:
    result = run(space_file, tmp_path / "run", trials=4)
    (tmp_path / "run" / "search.json").unlink()
    view = read_search(tmp_path / "run")
    with pytest.raises(SpecError, match=r"says nothing of its space .*; run its command again, which ends at once"):
        view.spec_text(0)
    run(space_file, tmp_path / "run", trials=4)
    assert_same(read_search(tmp_path / "run"), result)


def test_a_search_that_was_killed(space_file: Path, tmp_path: Path) -> None:
    """What is left of a last line is left out, and read once it is whole."""
    run(space_file, tmp_path / "run", trials=4)
    account, journal = tmp_path / "run" / "search.json", tmp_path / "run" / "study.journal"
    account.write_text(account.read_text().replace('"finished"', '"running"'))
    content = journal.read_bytes()
    journal.write_bytes(content[:-30])
    view = read_search(tmp_path / "run")
    assert (view.state, view.running, len(view.points)) == ("killed", False, 3)
    journal.write_bytes(content)
    assert len(read_search(tmp_path / "run").points) == 4


def test_a_folder_that_is_begun_anew(space_file: Path, tmp_path: Path) -> None:
    run(space_file, tmp_path / "run", trials=9)
    assert len(read_search(tmp_path / "run").points) == 9
    (tmp_path / "run" / "study.journal").unlink()
    result = run(space_file, tmp_path / "run", trials=12, seed=4)
    assert_same(read_search(tmp_path / "run"), result)


def of_line(number: int, change: Callable[[dict[str, object]], object]) -> Callable[[list[str]], None]:
    def damage(lines: list[str]) -> None:
        told = json.loads(lines[number])
        change(told)
        lines[number] = json.dumps(told)

    return damage


DAMAGES: dict[str, tuple[Callable[[list[str]], None], int, str]] = {
    "no json": (lambda lines: lines.__setitem__(4, "{"), 5, "no JSON"),
    "deep": (lambda lines: lines.__setitem__(4, "[" * 100_000), 5, "no JSON"),
    "a list": (lambda lines: lines.__setitem__(4, "[]"), 5, "no record of a search"),
    "unknown operation": (of_line(4, lambda told: told.update(op_code=77)), 5, "no record of a search"),
    "no study": (of_line(4, lambda told: told.update(study_id=7)), 5, "no record of a search"),
    "before the first": (of_line(4, lambda told: told.update(study_id=-1)), 5, "no record of a search"),
    "no state": (of_line(4, lambda told: told.update(state="done")), 5, "no record of a search"),
    "no number": (of_line(4, lambda told: told.update(values=["much"])), 5, "no record of a search"),
    "infinite": (of_line(4, lambda told: told.update(values=[float("inf"), 1])), 5, "no record of a search"),
    "no score": (of_line(4, lambda told: told.update(values=[])), 5, "no trial of a search"),
    "no macs": (of_line(4, lambda told: told.update(user_attrs={})), 5, "no trial of a search"),
    "text as macs": (of_line(4, lambda told: told["user_attrs"].update(macs="5")), 5, "no trial of a search"),  # type: ignore[attr-defined]
}


@pytest.mark.parametrize(("damage", "line", "what"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_journal(
    kept: SearchResult, tmp_path: Path, damage: Callable[[list[str]], None], line: int, what: str
) -> None:
    lines = (kept.out / "study.journal").read_text().splitlines()
    whole = list(lines)
    damage(lines)
    journal = tmp_path / "study.journal"
    journal.write_text("".join(f"{each}\n" for each in lines))
    for _ in range(2):
        with pytest.raises(
            SpecError, match=rf"study\.journal:{line}: is damaged, this line is {what}; the search's own"
        ):
            read_search(tmp_path)
    journal.write_text("".join(f"{each}\n" for each in whole))
    assert len(read_search(tmp_path).points) == 20


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_no_journal_whatsoever_ends_in_a_traceback(kept: SearchResult, tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray((kept.out / "study.journal").read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=8))
    (tmp_path / "study.journal").write_bytes(content)
    try:
        view = read_search(tmp_path)
    except SpecError:
        return
    for point in view.points:
        try:
            view.spec_text(point.number)
        except SpecError:
            break


@pytest.mark.parametrize("kind", ["nothing", "empty", "file"])
def test_what_is_no_search(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "run"
    if kind == "empty":
        folder.mkdir()
    elif kind == "file":
        folder.write_text("")
    with pytest.raises(SpecError, match="run: holds no search; name the folder that a search was given as --out"):
        read_search(folder)


def test_no_such_trial(kept: SearchResult) -> None:
    for number in (-1, 20):
        with pytest.raises(SpecError, match=f"has no trial {number}"):
            read_search(kept.out).spec_text(number)


def test_each_evaluator_is_called_by_its_name(kept: SearchResult, tmp_path: Path) -> None:
    text = (kept.out / "study.journal").read_text()
    for name, entry in EVALUATORS.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "study.journal").write_text(text.replace('"evaluator":"params"', f'"evaluator":"{name}"'))
        view = read_search(tmp_path / name)
        assert (view.score_name, view.level.is_untrained) == (entry.score_name, not entry.settings)


@pytest.mark.slow
def test_thousands_of_trials_are_read_in_time(tmp_path: Path) -> None:
    """3,000 trials of a search in the space of HIRI-ViT: a fraction of a second, and nothing once they are read."""
    run(Path("hiri"), tmp_path / "run", budget="5gflops", trials=12)
    journal = tmp_path / "run" / "study.journal"
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join([*lines[:2], *lines[2:] * 250]))
    begun = time.perf_counter()
    assert len(read_search(tmp_path / "run").points) == 3000
    first_s, begun = time.perf_counter() - begun, time.perf_counter()
    read_search(tmp_path / "run")
    again_s, begun = time.perf_counter() - begun, time.perf_counter()
    with journal.open("a") as stream:
        stream.write(lines[2])
    assert len(read_search(tmp_path / "run").points) == 3001
    more_s = time.perf_counter() - begun
    sys.stderr.write(f"first {first_s:.3f} s, again {again_s * 1e3:.2f} ms, one more {more_s * 1e3:.1f} ms\n")
    assert first_s < 5
    assert again_s < 0.1
    assert more_s < 0.5


@pytest.mark.parametrize(
    ("sketch", "placement"),
    [("HR2 HR11 C4 T9", ("HR", "HR", "C", "T")), ("C1 C4+T12 T2", ("C", "C+T", "T")), ("", ())],
    ids=["stages", "runs", "unknown"],
)
def test_what_stands_where(sketch: str, placement: tuple[str, ...]) -> None:
    point = TriedPoint(0, 1.0, 2, 3, 0.0, None, sketch)
    assert point.placement == placement
    assert point.stages == len(placement)


def test_the_charts_take_them(kept: SearchResult) -> None:
    points = read_search(kept.out).points
    options = pareto(points, score_name="params M", placed={0: {"HR"}}, stage_counts={2})
    assert options["series"]
    chosen = choose(points, placed={0: {"HR"}})
    assert chosen == [point for point in points if point.placement[0] == "HR"]
    assert 0 < len(chosen) < len(points)


def test_points_are_plain_values(kept: SearchResult) -> None:
    for point in read_search(kept.out).points:
        assert json.loads(json.dumps(astuple(point))) == list(astuple(point))
