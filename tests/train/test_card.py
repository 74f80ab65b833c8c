"""The model card of a run."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import ModelCard
from trained_runs import save_digits

import hiri_spec
from hiri_spec import SpecError
from hiri_spec.train.card import card_text, write_card
from hiri_spec.train.curves import read_metrics
from hiri_spec.train.run_folder import Run, RunFolder


@pytest.fixture
def folder(digits_run: Path, tmp_path: Path) -> RunFolder:
    """A run's folder to change."""
    return RunFolder(shutil.copytree(digits_run, tmp_path / "run"))


def change_run(folder: RunFolder, **changes: object) -> Run:
    run = folder.read_run().model_copy(update=changes)
    folder.write_run(run)
    return run


@pytest.mark.parametrize("run", ["digits_run", "timm_run"])
def test_the_hub_reads_it(run: str, request: pytest.FixtureRequest) -> None:
    place = request.getfixturevalue(run)
    data = ModelCard((place / "README.md").read_text()).data
    assert (data.library_name, data.license, data.pipeline_tag) == ("hiri-spec", "unknown", "image-classification")
    assert ("timm" in data.tags) == (run == "timm_run")
    best = max(row["top1"] or 0 for row in read_metrics(place / "metrics.csv"))
    own, *average = data.eval_results
    assert (own.dataset_type, own.metric_value) == ("digits", round(best / 100, 4))
    assert len(average) == (run == "digits_run")


def test_what_it_says(digits_run: Path) -> None:
    text = (digits_run / "README.md").read_text()
    row = read_metrics(digits_run / "metrics.csv")[-1]
    assert f"| {row['top1']:.2f} | {row['top5']:.2f} | {row['loss']:.4f} |" in text
    assert "\nhiri-spec train mini.yaml --data digits\n" in text  # whatever folder the program lies in
    assert "- recipe digits: 2 epochs, 128 images a step, adamw, learning rate 0.003 (cosine)" in text
    assert f"hiri-spec {hiri_spec.__version__}, torch " in text
    cost = hiri_spec.cost(hiri_spec.load(digits_run / "spec.yaml"))
    assert f"{cost.params / 1e3:.2f} k parameters, {cost.macs / 1e3:.2f} k MACs at 32 pixels" in text
    assert "The training is not finished" not in text


def test_what_timms_models_cost(timm_run: Path) -> None:
    import timm

    model = timm.create_model("test_vit", num_classes=10, img_size=32)
    params = sum(parameter.numel() for parameter in model.parameters())
    macs = re.search(r"([0-9.]+) k parameters, ([0-9.]+) M MACs", (timm_run / "README.md").read_text())
    assert macs is not None
    assert macs[1] == f"{params / 1e3:.2f}"
    assert 5 * params / 1e6 * 0.8 < float(macs[2]) < 5 * params / 1e6 * 1.2  # 4 patches and the class token


@pytest.mark.slow
@pytest.mark.parametrize("run", ["digits_run", "timm_run"])
def test_its_python_runs(run: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    place = shutil.copytree(request.getfixturevalue(run), tmp_path / "run")
    shutil.copy(save_digits(tmp_path / "digits", 1)[0], place / "photo.jpg")
    (code,) = re.findall(r"^```python\n(.*?)^```", (place / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    checked = code + "assert not model.training and sum(p.numel() for p in model.parameters()) > 1000\n"
    root = str(Path(hiri_spec.__file__).parent.parent)
    told = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {root!r})\n{checked}"],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert re.fullmatch(r"photo\.jpg [0-9] 0\.[0-9]+\n", told.stdout)


@pytest.mark.parametrize(("ema_top1", "flag"), [("99.5", " --ema"), ("0.5", "")], ids=["average", "network"])
def test_it_names_the_better_weights(folder: RunFolder, ema_top1: str, flag: str) -> None:
    place = folder.path / "metrics.csv"
    header, *rows = place.read_text().splitlines()
    column = header.split(",").index("ema_top1")
    cells = [row.split(",") for row in rows]
    changed = [",".join([*row[:column], ema_top1, *row[column + 1 :]]) for row in cells]
    place.write_text("\n".join([header, *changed]) + "\n")
    assert f"\nhiri-spec predict . photo.jpg{flag}\n" in card_text(folder)


def test_a_run_that_was_stopped(folder: RunFolder) -> None:
    change_run(folder, status="interrupted", epochs=1, init_from="runs/before", processes=2)
    text = card_text(folder)
    assert "The training is not finished; epochs done: 1." in text
    assert "- begun with the weights of runs/before\n" in text
    assert "2 processes on cpu" in text


def test_before_the_first_epoch(folder: RunFolder) -> None:
    (folder.path / "metrics.csv").unlink()
    text = card_text(folder)
    assert "## Training" in text
    assert "## Figures" not in text
    assert "## Use" not in text
    assert not ModelCard(text).data.eval_results


def test_data_are_called_by_their_folders_name(folder: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "flowers").mkdir()
    change_run(folder, data=str(tmp_path / "flowers"))
    text = card_text(folder)
    assert "# mini on flowers\n" in text
    assert ModelCard(text).data.eval_results[0].dataset_name == "flowers"


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("my flowers", " --data '../../my flowers'"),
        ("./link", " --data ../../link"),
        ("{here}/my flowers", ""),
        ("digits", ""),
    ],
    ids=["relative", "link", "absolute", "built in"],
)
def test_its_command_finds_the_data(
    folder: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, written: str
) -> None:
    here = tmp_path / "here"
    for name in ("my flowers", "digits"):
        (here / name).mkdir(parents=True)
    (here / "link").symlink_to(tmp_path)
    (here / "runs").mkdir()
    own = RunFolder(folder.path.rename(here / "runs" / "own"))
    monkeypatch.chdir(here)
    change_run(own, data=typed.format(here=here))
    assert f"\nhiri-spec evaluate .{written}\n" in card_text(RunFolder(Path("runs/own"))).replace(" --ema", "")


def test_it_is_written_anew(folder: RunFolder) -> None:
    change_run(folder, status="interrupted")
    assert write_card(folder)
    assert "The training is not finished" in (folder.path / "README.md").read_text()


@pytest.mark.parametrize(
    "content",
    ["my notes\n", None, b"\xff\xfe\xfd"],
    ids=["another", "a changed line", "bytes"],
)
def test_what_was_changed_by_hand_stays(folder: RunFolder, content: str | bytes | None) -> None:
    place = folder.path / "README.md"
    if content is None:
        content = place.read_text().replace("license: unknown", "license: mit")
        assert "license: mit" in content
    place.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = place.read_bytes()
    assert not write_card(folder)
    assert place.read_bytes() == before


def test_no_run(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"run\.json: cannot be read: No such file or directory"):
        write_card(RunFolder(tmp_path))
    assert list(tmp_path.iterdir()) == []
