"""The curves of a run."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from hiri_spec import SpecError
from hiri_spec.train import curves
from hiri_spec.train.curves import NO_FIGURES, Row, draw_curves, read_metrics, write_curves
from hiri_spec.train.run_folder import RunFolder


@pytest.fixture
def folder(digits_run: Path, tmp_path: Path) -> RunFolder:
    """A run's folder to change."""
    return RunFolder(shutil.copytree(digits_run, tmp_path / "run"))


def lines(figure: Any) -> dict[str, list[float]]:
    """What each labelled curve shows."""
    return {line.get_label(): list(line.get_ydata()) for axes in figure.axes for line in axes.get_lines()}


def test_a_run_leaves_its_curves(digits_run: Path) -> None:
    with Image.open(digits_run / "curves.png") as picture:
        picture.load()
        assert picture.format == "PNG"
        assert min(picture.size) > 500


@pytest.mark.parametrize(
    ("column", "label"),
    [
        ("train_loss", "training (augmented, as minimised)"),
        ("loss", "held out"),
        ("ema_loss", "held out, moving average"),
        ("top1", "network, best {:.2f} %"),
        ("ema_top1", "moving average, best {:.2f} %"),
        ("learning_rate", "_learning rate"),
    ],
)
def test_each_curve_is_a_column(digits_run: Path, column: str, label: str) -> None:
    rows = read_metrics(digits_run / "metrics.csv")
    values = [row[column] for row in rows]
    assert lines(draw_curves(rows, "mini on digits"))[label.format(max(values))] == values


def test_without_an_average_there_is_no_curve_of_it(timm_run: Path) -> None:
    drawn = lines(draw_curves(read_metrics(timm_run / "metrics.csv"), "$100 on _"))
    assert not [label for label in drawn if "average" in label]


def test_an_accuracy_of_0_is_no_gap() -> None:
    rows: list[Row] = [{"epoch": epoch, "top1": epoch - 1, "loss": 1.0} for epoch in (1.0, 2.0)]
    figure = draw_curves(rows, "title")
    figure.savefig(io.BytesIO())
    assert lines(figure)["network, best 1.00 %"] == [0.0, 1.0]


def test_a_panel_without_figures_says_so(digits_run: Path) -> None:
    rows: list[Row] = [{"epoch": epoch, "AP": None, "train_loss": 1.0, "learning_rate": 1e-3} for epoch in (1.0, 2.0)]
    _, panel, _ = draw_curves(rows, "title", "AP", "AP").axes
    assert [text.get_text() for text in panel.texts] == [NO_FIGURES]
    assert list(panel.get_yticks()) == []
    _, panel, _ = draw_curves(read_metrics(digits_run / "metrics.csv"), "title").axes
    assert not panel.texts


def test_a_folder_of_data_is_called_by_its_name(
    folder: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "flowers").mkdir()
    folder.write_run(folder.read_run().model_copy(update={"data": str(tmp_path / "flowers")}))
    titles: list[str] = []
    monkeypatch.setattr(curves, "draw_curves", lambda rows, title, *_: titles.append(title) or draw_curves(rows, title))
    write_curves(folder)
    assert titles == ["mini on flowers"]


def test_a_young_picture_stays(folder: RunFolder) -> None:
    place = folder.path / "curves.png"
    place.write_bytes(b"young")
    write_curves(folder, least_age_s=60)
    assert place.read_bytes() == b"young"
    os.utime(place, (0, 0))
    write_curves(folder, least_age_s=60)
    assert place.read_bytes() != b"young"


def test_before_the_first_epoch_there_is_nothing_to_draw(folder: RunFolder) -> None:
    (folder.path / "curves.png").unlink()
    (folder.path / "metrics.csv").write_text("epoch,loss\n")
    write_curves(folder)
    assert not (folder.path / "curves.png").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"epoch,loss\n1,much\n", "is not as hiri-spec train writes it"),
        (b"epoch,loss\n1,2,3\n", "is not as hiri-spec train writes it"),
        (b"\xff\xfe", "is not as hiri-spec train writes it"),
        (None, r"metrics\.csv: cannot be read: No such file or directory; it is written at the end of each epoch"),
    ],
    ids=["text", "cells", "bytes", "missing"],
)
def test_damaged_metrics(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "metrics.csv").write_bytes(content)
    with pytest.raises(SpecError, match=message):
        read_metrics(tmp_path / "metrics.csv")
