"""The folder of a run: what is in it, and whose it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import hiri_spec
from hiri_spec import SpecError
from hiri_spec.train.recipe import Recipe
from hiri_spec.train.recipe_file import load_recipe
from hiri_spec.train.run_folder import Run, RunFolder, find_run_weights

RECIPE = load_recipe("digits")
SPEC = hiri_spec.load("tiny")


def describe(**changes: object) -> Run:
    return Run.model_validate(
        {
            "network": "tiny",
            "source": "spec",
            "classes": 10,
            "class_names": ("0", "1"),
            "resolution": (64, 64),
            "in_channels": 3,
            "data": "digits",
            "init_from": None,
            "command": "hiri-spec train tiny --data digits",
            "versions": {"torch": "2"},
            "device": "cpu",
            "processes": 1,
            "began": "2026-01-01T00:00:00+00:00",
        }
        | changes
    )


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """The folder of a run that has begun."""
    folder = RunFolder(tmp_path)
    folder.begin(describe(), SPEC, RECIPE)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_written_is_read(folder: RunFolder) -> None:
    assert folder.holds_run
    assert (folder.read_run(), folder.read_spec(), folder.read_recipe()) == (describe(), SPEC, RECIPE)
    folder.check_same(describe(began="later", device="cuda", processes=8, command="other"), SPEC, RECIPE)


@pytest.mark.parametrize(
    ("run", "spec", "recipe", "message"),
    [
        ({"data": "finegrain"}, {}, {}, "data was digits, is finegrain"),
        ({"init_from": "a.safetensors"}, {}, {}, "init_from was –, is a.safetensors"),
        ({"class_names": ("0", "2")}, {}, {}, r"class_names was \('0', '1'\), is \('0', '2'\)"),
        ({}, {"stages.3.depth": 3}, {}, r"stages\[3\].depth was 2, is 3"),
        ({}, {"resolution": 96}, {}, "resolution was 64, is 96"),
        ({}, {}, {"optimizer.learning_rate": 1, "epochs": 9}, r"epochs was \d+, is 9; optimizer.learning_rate was"),
        ({"source": "timm", "network": "resnet18"}, None, {}, "source was spec, is timm; network was tiny, is resnet"),
    ],
    ids=["data", "start", "classes", "spec", "resolution", "recipe", "timm"],
)
def test_another_run_is_refused(
    folder: RunFolder,
    run: dict[str, object],
    spec: dict[str, object] | None,
    recipe: dict[str, object],
    message: str,
) -> None:
    before = contents(folder.path)
    other = None if spec is None else hiri_spec.load("tiny", set=spec)
    with pytest.raises(SpecError, match=rf"--out: .* holds another run: {message}.* Nothing there was changed; name"):
        folder.check_same(describe(**run), other, load_recipe("digits", set=recipe))
    assert contents(folder.path) == before


def test_what_changes_no_result_may_differ(folder: RunFolder) -> None:
    folder.check_same(
        describe(), SPEC, load_recipe("digits", set={"checkpointing.every_steps": 7, "max_unreadable": 0.5})
    )


@pytest.mark.parametrize("name", ["spec.yaml", "metrics.csv", "best"])
def test_files_of_others_stay(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(SpecError, match=rf"holds {name}, which no run wrote; name another folder"):
        RunFolder(tmp_path).begin(describe(), SPEC, RECIPE)
    assert contents(tmp_path) == {name: b"mine"}


def test_a_run_that_was_killed_while_it_began(folder: RunFolder) -> None:
    (folder.path / "run.json").unlink()
    folder.begin(describe(), SPEC, RECIPE)
    assert folder.holds_run


@pytest.mark.parametrize("text", ["", "{}", "[", '{"version": 2}'])
def test_a_run_that_cannot_be_read(folder: RunFolder, text: str) -> None:
    (folder.path / "run.json").write_text(text)
    with pytest.raises(SpecError, match=r"run.json: was not written by hiri-spec train, or by one of another version"):
        folder.read_run()


def test_no_run(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"run.json: cannot be read: No such file or directory; a run's folder has one"):
        RunFolder(tmp_path).read_run()
    assert find_run_weights(tmp_path) is None


def test_clearing_leaves_what_is_not_the_runs(folder: RunFolder) -> None:
    own = (
        "best/model.safetensors",
        "best/spec.yaml",
        "last/spec.yaml",
        "checkpoints/step-00000004.pt",
        "logs/run/events",
    )
    others = "notes.txt", "best/notes.txt", "checkpoints/precious.bin"
    for name in (*own, "checkpoints/step-00000002.pt.damaged", "metrics.csv", *others):
        (folder.path / name).parent.mkdir(parents=True, exist_ok=True)
        (folder.path / name).write_text("")
    folder.clear()
    left = [str(path.relative_to(folder.path)) for path in folder.path.rglob("*") if path.is_file()]
    assert sorted(left) == sorted(others)
    assert not (folder.path / "last").exists()


def test_one_folder_by_two_names_is_the_same_data(folder: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    begun = describe(data=f"{tmp_path}/images", init_from=None)
    folder.write_run(begun)
    folder.check_same(describe(data=f"{tmp_path}/images/", init_from=None), SPEC, RECIPE)
    folder.check_same(describe(data=f"{tmp_path}/../{tmp_path.name}/images", init_from=None), SPEC, RECIPE)
    with pytest.raises(SpecError, match=r"data was \".*images\", is \".*others\""):
        folder.check_same(describe(data=f"{tmp_path}/others", init_from=None), SPEC, RECIPE)


def test_which_weights_to_use(folder: RunFolder) -> None:
    assert find_run_weights(folder.path) is None
    for name in ("last_ema", "best_ema", "last", "best"):
        (folder.path / name).mkdir()
        (folder.path / name / "model.safetensors").write_text("")
        assert find_run_weights(folder.path) == folder.path / name


def test_a_timm_run_has_no_spec(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    run = describe(source="timm", network="resnet18")
    folder.begin(run, None, Recipe(name="a"))
    assert not (tmp_path / "spec.yaml").exists()
    folder.check_same(run, None, Recipe(name="a"))
    assert json.loads((tmp_path / "run.json").read_text())["class_names"] == ["0", "1"]
