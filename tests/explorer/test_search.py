"""The search from end to end: within the budget, repeatable, resumable, and safe with what it has."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import explorer
import hiri_spec
from explorer.command import app
from explorer.search import Member, SearchResult, Watcher, pareto_front, search
from hiri_spec import SpecError

BUDGET = "4mmacs"
ROOT = Path(__file__).parent.parent.parent


def run(space_file: Path, out: Path, trials: int = 12, **options: object) -> SearchResult:
    return search(BUDGET, space=space_file, out=out, trials=trials, **{"evaluator": "params", **options})


def told(result: SearchResult) -> list[tuple[object, ...]]:
    return [(member.number, member.spec, member.score, member.macs) for member in result.trials]


@pytest.fixture
def found(space_file: Path, tmp_path: Path) -> SearchResult:
    return run(space_file, tmp_path / "run")


def test_every_trial_is_within_the_budget_and_no_network_is_tried_twice(space_file: Path, tmp_path: Path) -> None:
    result = run(space_file, tmp_path / "run", trials=60)
    assert len(result.trials) == 60
    for member in result.trials:
        cost = hiri_spec.cost(member.spec)
        assert (cost.macs, cost.params) == (member.macs, member.params)
        assert 3_600_000 <= member.macs <= 4_000_000
    assert len({member.spec.model_copy(update={"name": "x"}) for member in result.trials}) == 60


def test_what_it_writes(found: SearchResult) -> None:
    best = hiri_spec.load(found.out / "best.yaml")
    assert best == found.best.spec
    assert hiri_spec.build(best) is not None
    front = sorted((found.out / "front").glob("*.yaml"))
    assert len(front) == len(found.front)
    assert {hiri_spec.load(path).name for path in front} == {member.spec.name for member in found.front}
    rows = list(csv.DictReader((found.out / "trials.csv").read_text().splitlines()))
    assert [int(row["trial"]) for row in rows] == list(range(12))
    assert sum(int(row["on_front"]) for row in rows) == len(found.front)
    assert float(rows[0]["score"]) == found.trials[0].score
    assert (found.out / "pareto.png").read_bytes().startswith(b"\x89PNG")
    page = (found.out / "pareto.html").read_text()
    assert "trial 0: " in page
    assert 'src="http' not in page
    text = (found.out / "best.yaml").read_text()
    assert text.startswith(f"# Found by python -m explorer.search: trial {found.best.number} of 12.\n")


def test_one_seed_one_search(space_file: Path, tmp_path: Path, found: SearchResult) -> None:
    assert told(run(space_file, tmp_path / "again")) == told(found)
    assert told(run(space_file, tmp_path / "other", seed=1)) != told(found)


@pytest.mark.parametrize("objective", ["pareto", "score"])
def test_resuming_goes_on_as_if_never_stopped(space_file: Path, tmp_path: Path, objective: str) -> None:
    whole = run(space_file, tmp_path / "whole", trials=60, objective=objective)
    for trials in (7, 30, 60):
        parts = run(space_file, tmp_path / "parts", trials=trials, objective=objective)
    assert told(parts) == told(whole)


def test_a_finished_search_is_told_again(space_file: Path, found: SearchResult) -> None:
    journal = (found.out / "study.journal").read_bytes()
    again = run(space_file, found.out)
    assert told(again) == told(found)
    assert (found.out / "study.journal").read_bytes() == journal


def test_the_search_beats_chance(space_file: Path, tmp_path: Path) -> None:
    scores = [member.score for member in run(space_file, tmp_path / "run", trials=150, objective="score").trials]
    assert sum(scores[-40:]) / 40 > sum(scores[:24]) / 24


@pytest.mark.parametrize(
    ("options", "difference"),
    [
        ({"seed": 3}, "seed was 0, is 3"),
        ({"evaluator": "naswot"}, "evaluator was params, is naswot"),
        ({"objective": "score"}, "objective was pareto, is score"),
        ({"resolution": 72}, "resolution was 64, is 72"),
        ({"stages": [3]}, "space was .*stages was None, is 3"),
        ({"max_params": "1m"}, "max_params was None, is 1000000"),
        ({"set": {"stem.width": 8}}, "space was small.yaml .*, is small.yaml"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_folder_of_another_search_is_left_alone(
    space_file: Path, found: SearchResult, options: dict[str, object], difference: str
) -> None:
    before = {path: path.read_bytes() for path in found.out.rglob("*") if path.is_file() and path.name != ".lock"}
    with pytest.raises(SpecError, match=rf"holds another search: {difference}.*Nothing there was changed"):
        run(space_file, found.out, **options)
    assert {path: path.read_bytes() for path in before} == before


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
    with pytest.raises(SpecError, match=r"study\.journal:3: is damaged, this line is no JSON; move the file away"):
        run(space_file, found.out)
    assert journal.read_bytes() == before


@pytest.mark.slow
def test_a_killed_search_goes_on(space_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After kill -9, in a folder named relative to here, whatever locks the process had left behind."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    options = ["--budget", BUDGET, "--space", str(space_file), "--evaluator", "params", "--out", "run"]
    process = subprocess.Popen(
        [sys.executable, "-m", "explorer.search", *options, "--trials", "100000"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    journal = tmp_path / "run" / "study.journal"
    deadline = time.monotonic() + 60
    while not (journal.exists() and journal.stat().st_size > 20_000) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.wait()
    Path("run/study.journal.lock").symlink_to("run/study.journal")  # as Optuna's own lock would lie there
    kept = journal.read_bytes().count(b'"op_code":4')
    again = run(space_file, Path("run"), trials=kept + 2)
    assert len(again.trials) == kept + 2
    assert told(again) == told(run(space_file, tmp_path / "whole", trials=kept + 2))


def test_a_full_disk_keeps_the_trials_before(space_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from explorer.study import SearchStudy

    class Full:
        def __init__(self, inner: Any) -> None:
            self.inner, self.writes = inner, 0

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inner, name)

        def add_trial(self, trial: Any) -> None:
            self.writes += 1
            if self.writes > 3:
                with (tmp_path / "run" / "study.journal").open("ab") as journal:
                    journal.write(b'{"op_code":4,"half')
                raise OSError(28, "No space left on device")
            self.inner.add_trial(trial)

    opened = SearchStudy._open
    monkeypatch.setattr(SearchStudy, "_open", lambda self, *rest: Full(opened(self, *rest)))
    with pytest.raises(SpecError, match=r"does not take trial 3: No space left on device; those before it are kept"):
        run(space_file, tmp_path / "run")
    monkeypatch.undo()
    assert told(run(space_file, tmp_path / "run")) == told(run(space_file, tmp_path / "whole"))


def test_an_unknown_evaluator_leaves_no_trace(space_file: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="unknown evaluator 'parms'"):
        run(space_file, tmp_path / "run", evaluator="parms")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("score", [float("nan"), float("inf"), float("-inf")])
def test_a_score_that_is_no_number(
    space_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, score: float
) -> None:
    import explorer.evaluators.params as params

    own = params.Params.__call__
    seen: list[str] = []

    def fail_once(self: params.Params, spec: hiri_spec.ModelSpec, seed: int) -> float:
        seen.append(spec.name)
        return score if len(seen) == 4 else own(self, spec, seed)

    monkeypatch.setattr(params.Params, "__call__", fail_once)
    with pytest.raises(SpecError, match=rf"trial 3: ArithmeticError: the score is {score}; .* next network"):
        run(space_file, tmp_path / "run")
    assert (tmp_path / "run" / "best.yaml").exists()
    result = run(space_file, tmp_path / "run")
    assert [member.number for member in result.trials] == [0, 1, 2, *range(4, 13)]
    failed = hiri_spec.load(tmp_path / "run" / "failed-3.yaml")
    assert failed not in [member.spec.model_copy(update={"name": failed.name}) for member in result.trials]


def test_two_at_once(space_file: Path, found: SearchResult) -> None:
    class Second(Watcher):
        def tried(self, member: Member, best: Member) -> None:
            with pytest.raises(SpecError, match=rf"another search \(process {os.getpid()}\) is writing"):
                run(space_file, found.out)

    assert len(run(space_file, found.out, trials=13, watcher=Second()).trials) == 13


def test_an_evaluator_that_fails_keeps_the_rest(
    space_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import explorer.evaluators.params as params

    def fail_later(self: object, spec: hiri_spec.ModelSpec, seed: int) -> float:
        if len(list(tmp_path.glob("run/study.journal"))) and (tmp_path / "run/study.journal").stat().st_size > 8000:
            raise RuntimeError("out of memory")
        return 1.0

    monkeypatch.setattr(params.Params, "__call__", fail_later)
    with pytest.raises(
        SpecError, match=r"failed on trial \d+: RuntimeError: out of memory; the trials before are kept"
    ):
        run(space_file, tmp_path / "run")
    (spec,) = (tmp_path / "run").glob("failed-*.yaml")
    assert hiri_spec.load(spec).name == "small"
    assert "out of memory" in spec.with_suffix(".txt").read_text()
    monkeypatch.undo()
    assert len(run(space_file, tmp_path / "run").trials) == 12


def test_ctrl_c_keeps_what_is_finished(space_file: Path, tmp_path: Path) -> None:
    class Stop(Watcher):
        def tried(self, member: Member, best: Member) -> None:
            if member.number == 4:
                raise KeyboardInterrupt

    result = run(space_file, tmp_path / "run", watcher=Stop())
    assert result.was_interrupted
    assert len(result.trials) == 5
    assert (result.out / "best.yaml").exists()
    assert told(run(space_file, tmp_path / "run")) == told(run(space_file, tmp_path / "whole"))


@pytest.mark.slow
def test_ctrl_c_on_the_command_line(space_file: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "explorer.search", "--budget", BUDGET, "--space", str(space_file)]
    command += ["--trials", "100000", "--evaluator", "params", "--out", str(tmp_path / "run")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    journal = tmp_path / "run" / "study.journal"
    deadline = time.monotonic() + 60
    while not (journal.exists() and journal.stat().st_size > 20_000) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "trials are kept in" in err
    assert "the front of" in out


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["--budget", "five"], "--budget: 'five' is not an amount; write it like 5gflops"),
        (["--budget", "1mmacs"], "--budget: 0.001 GMACs are too few: the cheapest network"),
        (["--budget", BUDGET, "--stages", "two"], "--stages: 'two' are no numbers of stages"),
        (["--budget", BUDGET, "--stages", "9"], "no networks of 9 stages; it offers 2, 3"),
        (["--budget", BUDGET, "--objective", "scor"], "--objective: unknown objective 'scor'; did you mean 'score'?"),
        (["--budget", BUDGET, "--evaluator", "nasw"], "--evaluator: unknown evaluator 'nasw'; did you mean 'naswot'?"),
        (["--budget", BUDGET, "--trials", "0"], "--trials: 0 trials are too few"),
        (["--budget", BUDGET, "--resolution", "64,96"], "--resolution: a search has one image size"),
        (["--budget", BUDGET, "--resolution", "16"], "too small; use 32 or more"),
        (["--budget", BUDGET, "--out", "/proc/nothing"], "--out: /proc/nothing cannot be written"),
        (["--budget", BUDGET, "--out", "/dev/null"], "--out: /dev/null is a file, not a folder"),
        (["--budget", BUDGET, "--trials", "many"], "Invalid value for '--trials'"),
        (["--budget", BUDGET, "--tials", "3"], "No such option"),
        ([], "Missing option '--budget'"),
    ],
    ids=lambda value: "" if isinstance(value, str) else " ".join(value[-2:]),
)
def test_mistakes_on_the_command_line(space_file: Path, tmp_path: Path, arguments: list[str], match: str) -> None:
    options = ["--out", str(tmp_path / "run")] if "--out" not in arguments else []
    command = [sys.executable, "-m", "explorer.search", "--space", str(space_file), *options, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert match in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_a_missing_space(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no such file"):
        search(BUDGET, space=tmp_path / "none.yaml", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_json(space_file: Path, tmp_path: Path) -> None:
    arguments = ["--budget", BUDGET, "--space", str(space_file), "--evaluator", "params", "--trials", "5"]
    result = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "run"), "--json"])
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert told["trials"] == 5
    assert told["settings"]["budget"] == 4_000_000
    assert Path(told["front"][0]["file"]).exists()
    assert "networks in order" in result.stderr


def test_what_the_screen_says(space_file: Path, tmp_path: Path) -> None:
    arguments = ["--budget", BUDGET, "--space", str(space_file), "--evaluator", "params", "--trials", "5"]
    result = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "run")])
    assert "33,696 networks" in result.stderr
    assert "budget: 0.0036 to 0.004 GMACs at 64 px" in result.stderr
    assert "1/5 best" in result.stderr
    assert "best: " in result.stdout


def test_the_function_is_reached_in_every_way(space_file: Path, tmp_path: Path) -> None:
    result = explorer.search(BUDGET, space=space_file, out=tmp_path / "a", trials=2, evaluator="params")
    assert isinstance(result, SearchResult)
    code = "import explorer, explorer.search as module; print(explorer.search is module, callable(module))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split() == ["True", "True"]
    with pytest.raises(AttributeError, match="no attribute 'serach'"):
        _ = explorer.serach


def test_default_folder(space_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = search(BUDGET, space=space_file, trials=1, evaluator="params", max_params="2m", seed=4)
    assert result.out.parts[:1] == ("runs",)
    assert result.out.name.startswith("small-0.004gmacs-64-2mparams-params-seed4-")


def test_a_search_by_cost_alone_loads_no_torch(space_file: Path, tmp_path: Path) -> None:
    code = (
        "import sys, explorer.search\n"
        f"explorer.search({BUDGET!r}, space={str(space_file)!r}, out={str(tmp_path / 'r')!r}, trials=3,"
        " evaluator='params')\n"
        "print(sorted({'torch', 'timm', 'torchvision'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_pareto_front(found: SearchResult) -> None:
    front = pareto_front(found.trials)
    assert front == found.front
    assert [member.macs for member in front] == sorted(member.macs for member in front)
    for member in found.trials:
        beaten = [other for other in front if other.macs <= member.macs and other.score >= member.score]
        assert beaten
    assert found.best in front


def test_too_many_trials_for_a_small_space(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(
        "name: tiny\nstem: vit\nresolution: 64\nstages: [{block: ffn, depth: {choice: [1, 2]}, width: 8}]\n"
    )
    spec = hiri_spec.load(path, set={"stages.0.depth": 2})
    budget = hiri_spec.cost(spec).macs
    with pytest.raises(SpecError, match=r"no new network within .* in 20,000 draws, 1 found before"):
        search(budget, space=path, out=tmp_path / "run", trials=5, evaluator="params")
    assert len(search(budget, space=path, out=tmp_path / "run", trials=1, evaluator="params").trials) == 1
