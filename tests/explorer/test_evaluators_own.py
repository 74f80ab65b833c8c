"""A user's own evaluator: named by its place, searched with, and told in one line what is wrong with it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from searches import BUDGET, run, told

from explorer.arguments import default_folder
from explorer.budget import Budget
from explorer.evaluators import choose
from explorer.plots import pareto_figure
from explorer.pursuit import evaluation_seed
from explorer.search import search
from explorer.space import Space
from hiri_spec import SpecError

ROOT = Path(__file__).parent.parent.parent
CODE = """\
import dataclasses

import hiri_spec

LIMIT = 3


def stages(spec, seed):
    return len(spec.stages) + seed / 2


class Deepest:
    def __call__(self, spec: hiri_spec.ModelSpec, seed: int) -> float:
        return float(max(run.depth for stage in spec.stages for run in stage))


@dataclasses.dataclass
class Weighted:
    weight: "float" = 2.0

    def __call__(self, spec, seed):
        return self.weight * len(spec.stages)

    def of(self, spec, seed):
        return self.weight


class Needy:
    def __init__(self, weight):
        self.weight = weight


class Idle:
    pass


weighted = Weighted(5.0)


def short(spec):
    return 0.0


def nothing(spec, seed):
    spec.stages


def leave(spec, seed):
    raise SystemExit(3)
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that a user is in, with a module, a package and a file whose name no import takes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] in ("mine", "ours", "broken", "wants", "left")]:
        monkeypatch.delitem(sys.modules, name)
    (tmp_path / "ours" / "inner").mkdir(parents=True)
    for file in ("mine.py", "ours/scores.py", "ours/inner/my-scores.py"):
        (tmp_path / file).write_text(CODE)
    (tmp_path / "broken.py").write_text("LIMIT = 3\n\n\ndef stages(spec, seed):\n    return 1\n\n\nLIMIT / 0\n")
    (tmp_path / "wrong.py").write_text("def stages(spec, seed)\n    return 1\n")
    (tmp_path / "wants.py").write_text("import not_there\n")
    (tmp_path / "left.py").write_text("import sys\n\nsys.exit()\n")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "called", "expected"),
    [
        ("mine:stages", "stages", 5.5),
        ("ours.scores:stages", "stages", 5.5),
        ("mine.py:stages", "stages", 5.5),
        ("./ours/inner/my-scores.py:stages", "stages", 5.5),
        ("mine:Deepest", "Deepest", 13.0),
        ("mine:Weighted", "Weighted", 10.0),
        ("ours/scores.py:Weighted", "Weighted", 10.0),
        ("mine:weighted", "weighted", 25.0),
        ("mine:weighted.of", "of", 5.0),
    ],
    ids=lambda value: value if isinstance(value, str) and ":" in value else "",
)
def test_what_can_be_named(name: str, called: str, expected: float) -> None:
    from hiri_spec import load

    chosen = choose(name)
    assert (chosen.name, chosen.score_name) == (name.removeprefix("./"), called)
    assert chosen.load()(load("hiri_s", set={"stages.3.depth": 13}), 1) == expected


MISTAKES = [
    ("mien:stages", "there is no module 'mien'; it is looked for in the folder that you are in, and among what is"),
    ("ours.score:stages", "there is no module 'ours.score'; it is looked for"),
    ("mine.inner:stages", "there is no module 'mine.inner'; it is looked for"),
    ("mine:stage", "mine has no 'stage'; did you mean 'stages'?"),
    ("mine:weighted.off", "mine has no 'off'; did you mean 'of'?"),
    ("ours:stages", "ours has no 'stages'; nothing there can be called"),
    ("mine:LIMIT", "mine:LIMIT is 3, which can't be called; name a function of (spec, seed)"),
    ("mine:Idle", "mine:Idle is <mine.Idle object at "),
    ("mine:short", "mine:short takes (spec), and is called as (spec, seed); let it take those two"),
    (
        "mine:Needy",
        "making Needy() failed: TypeError: Needy.__init__() missing 1 required positional",
    ),
    ("math:sqrt", "math:sqrt takes (x, /), and is called as (spec, seed)"),
    ("broken:stages", "broken.py:8 --evaluator: importing broken failed: ZeroDivisionError: division by zero"),
    ("broken.py:stages", "broken.py:8 --evaluator: importing broken.py failed: ZeroDivisionError: division by zero"),
    ("wrong:stages", "wrong.py:1 --evaluator: importing wrong failed: SyntaxError: expected ':'"),
    ("wrong.py:stages", "wrong.py:1 --evaluator: importing wrong.py failed: SyntaxError: expected ':'"),
    (
        "wants:stages",
        "wants.py:1 --evaluator: importing wants failed: ModuleNotFoundError: No module named 'not",
    ),
    ("left:stages", "left.py:3 --evaluator: importing left failed: SystemExit"),
    ("min.py:stages", "there is no file min.py; did you mean 'mine'?"),
    ("away/mine.py:stages", "there is no file away/mine.py; it is looked for from the folder that you are in"),
    ("ours.py:stages", "there is no file ours.py; it is looked for from the folder that you are in"),
    (":stages", "':stages' names no evaluator; write package.module:function"),
    ("mine:", "'mine:' names no evaluator; write package.module:function"),
    (".mine:stages", "'.mine:stages' names no evaluator; write package.module:function"),
    ("my-scores:stages", "'my-scores:stages' names no evaluator; write package.module:function"),
    ("mine\n.py:stages", r"'mine\n.py:stages' names no evaluator"),
]


@pytest.mark.parametrize(("name", "message"), MISTAKES, ids=[repr(name) for name, _ in MISTAKES])
def test_mistakes_are_told_before_anything_is_written(
    space_file: Path, tmp_path: Path, name: str, message: str
) -> None:
    with pytest.raises(SpecError, match=f"^(--evaluator: |.*){re.escape(message)}"):
        run(space_file, tmp_path / "run", evaluator=name)
    assert not (tmp_path / "run").exists()


def test_a_file_that_cannot_be_imported_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a program that does not look for modules in the folder that it is started in."""
    (tmp_path / "ours" / "alone.py").write_text(CODE)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path not in ("", str(tmp_path))])
    with pytest.raises(SpecError, match=r"no module 'ours'; the file is named as ours/alone\.py:stages"):
        choose("ours.alone:stages")


def test_no_traceback_on_the_command_line(space_file: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "explorer.search", "--budget", BUDGET, "--space", str(space_file)]
    options = {"capture_output": True, "text": True, "check": False, "cwd": tmp_path}
    broken = subprocess.run([*command, "--evaluator", "broken:stages"], **options)  # type: ignore[call-overload]
    assert broken.returncode == 2
    assert re.fullmatch(r"error: .*broken\.py:8 --evaluator: importing broken failed: Zero.*\n", broken.stderr)
    fine = subprocess.run([*command, "--evaluator", "mine:stages", "--trials", "2"], **options)  # type: ignore[call-overload]
    assert fine.returncode == 0, fine.stderr
    assert "stages" in fine.stdout.splitlines()[0]


def test_a_search_with_an_own_evaluator(space_file: Path, tmp_path: Path) -> None:
    result = run(space_file, tmp_path / "run", evaluator="mine:stages", seed=1)
    for member in result.members:
        assert member.score == len(member.spec.stages) + evaluation_seed(1, member.number) / 2
    assert (result.settings["evaluator"], result.score_name) == ("mine:stages", "stages")
    assert told(run(space_file, tmp_path / "run", evaluator="mine:stages", seed=1)) == told(result)
    (axes,) = pareto_figure(result).axes
    assert axes.get_ylabel() == "stages"
    text = (tmp_path / "run" / "best.yaml").read_text()
    assert "evaluator mine:stages" in text
    assert "needs no training" not in text


@pytest.mark.parametrize("other", ["mine:Deepest", "mine.py:stages", "ours.scores:stages", "params"])
def test_resuming_with_another_is_refused(space_file: Path, tmp_path: Path, other: str) -> None:
    run(space_file, tmp_path / "run", trials=2, evaluator="mine:stages")
    with pytest.raises(SpecError, match=f"holds another search: evaluator was mine:stages, is {re.escape(other)}"):
        run(space_file, tmp_path / "run", trials=3, evaluator=other)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("mine:nothing", "it returned nothing; let it return a number"),
        ("mine:leave", "SystemExit: 3"),
    ],
)
def test_what_fails_on_a_network_keeps_it(space_file: Path, tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(SpecError, match=f"5 evaluations in a row failed, .* trial 4: {re.escape(reason)}; the trials"):
        run(space_file, tmp_path / "run", evaluator=name)
    assert (tmp_path / "run" / "failed-0.yaml").exists()


def test_default_folders(space: Space) -> None:
    names = [
        default_folder(space, Budget(10**9), (64, 64), "pareto", evaluator, 0).name
        for evaluator in ("mine:stages", "mine_stages:x", "a/b.py:f", "a_b.py:f", "../ä ö/" + "x" * 300 + ".py:f")
    ]
    assert len(set(names)) == 5
    assert names[0].startswith("small-1gmacs-64-mine_stages-")
    assert names[2].startswith("small-1gmacs-64-a_b.py_f-")
    assert all(re.fullmatch(r"[a-z0-9_.-]{1,90}", name) for name in names)


def test_a_default_folder_is_found_again(space_file: Path) -> None:
    options = {"space": space_file, "evaluator": "ours/scores.py:Deepest"}
    first = search(BUDGET, trials=2, **options)
    assert first.out.parent == Path("runs")
    assert told(search(BUDGET, trials=2, **options)) == told(first)


def test_the_one_in_the_documentation(space_file: Path, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "search.md").read_text()
    (code,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    named = re.search(r"--evaluator (\w+):(\w+)", page)
    assert named is not None
    (tmp_path / f"{named[1]}.py").write_text(code)
    result = run(space_file, tmp_path / "run", evaluator=f"{named[1]}:{named[2]}")
    assert len({member.score for member in result.members}) > 1
