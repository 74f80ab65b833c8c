"""The tables of docs/dense_costs.md say what is counted today."""

from __future__ import annotations

from pathlib import Path

import pytest

import hiri_spec
from hiri_spec.schema import ModelSpec
from hiri_spec.tasks.cost import dense_cost
from hiri_spec.tasks.heads import HEADS
from hiri_spec.tasks.task import read_task

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "dense_costs.md").read_text()
SIZES = {"## At 800x1333": (800, 1333), "At the paper's 1600x2666:": (1600, 2666)}
SWIN = "swin_tiny_patch4_window7_224"


def rows_below(heading: str) -> list[list[str]]:
    """Cells of the first table below a line, its own heading first."""
    lines = PAGE.split(heading, 1)[1].split("\n")
    start = next(index for index, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return [rows[0], *rows[2:]]


def network_of(name: str) -> ModelSpec | str:
    """What a column stands for."""
    return name if name == "resnet50" else hiri_spec.load(SWIN if name == "swin_tiny" else name)


@pytest.mark.slow
@pytest.mark.parametrize("heading", SIZES)
@pytest.mark.parametrize("head", HEADS)
def test_costs_of_each_head(heading: str, head: str) -> None:
    (_, *networks), *rows = rows_below(heading)
    assert [row[0] for row in rows] == [each.title for each in HEADS.values()]
    (written,) = (row[1:] for row in rows if row[0] == HEADS[head].title)
    task = read_task({"head": head, "classes": 150 if head == "upernet" else 80})
    costs = [dense_cost(network_of(name), task, SIZES[heading]) for name in networks]
    assert written == [f"{own.macs / 1e9:.1f} / {own.params / 1e6:.1f}" for own in costs]


@pytest.mark.slow
@pytest.mark.parametrize("place", range(4))
def test_costs_of_the_form_of_the_recipes(place: int) -> None:
    (_, _, *networks), *rows = rows_below("RetinaNet and Mask R-CNN from mmdetection")
    assert len(rows) == 4
    title, size, *written = rows[place]
    (head,) = (name for name, each in HEADS.items() if each.title == title)
    height, width = map(int, size.split("x"))
    task = read_task({"head": head, "host": "mmdet", "classes": 80})
    costs = [dense_cost(network_of(name), task, (height, width)) for name in networks]
    assert written == [f"{own.macs / 1e9:.1f} / {own.params / 1e6:.1f}" for own in costs]


def test_costs_of_the_stage_of_stride_64() -> None:
    _, *rows = rows_below("## What the stage of stride 64 costs")
    heads = {head.title: name for name, head in HEADS.items()}
    for title, strides, params, gmacs in rows:
        head = heads[title]
        given = [int(part) for part in strides.removesuffix(" (default)").split(",")]
        classes = 150 if head == "upernet" else 80
        task = read_task({"head": head, "strides": given, "classes": classes})
        own = dense_cost(hiri_spec.load("hiri_s"), task, (800, 1333))
        assert (f"{own.params / 1e6:.2f}", f"{own.macs / 1e9:.1f}") == (params, gmacs)
        usual = dense_cost(hiri_spec.load("hiri_s"), read_task({"head": head, "classes": classes}), (800, 1333))
        assert (usual.strides == own.strides) == strides.endswith("(default)")
