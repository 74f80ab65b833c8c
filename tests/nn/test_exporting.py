"""What is exported does what its model does, on photographs, at any batch and size; or it is not kept."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import hiri_spec
from hiri_spec import SpecError
from hiri_spec.nn import exporting
from hiri_spec.nn.attention import apart_in_rolled_windows
from hiri_spec.nn.onnx_file import open_onnx
from hiri_spec.nn.parity import Difference, ParityError, compare, real_images
from hiri_spec.nn.resampling import cell_shares

MIXED: Any = {
    "name": "mixed",
    "resolution": 64,
    "stem": {"stem": "hr", "width": 8},
    "stages": [
        {"block": "hr", "depth": 1, "width": 16},
        [
            {"block": "cffn", "depth": 1, "width": 24, "downsample": "irds_a", "layer_scale": 1e-2},
            {"block": "transformer", "depth": 1, "width": 24, "heads": 3, "reduction": 2, "name": "late"},
        ],
        {"block": "transformer", "depth": 1, "width": 32, "heads": 4, "downsample": "irds_b"},
    ],
    "head": {"classes": 10},
}


@pytest.mark.parametrize("fuse", [False, True], ids=["as-is", "fused"])
@pytest.mark.parametrize("form", ["onnx", "pt2"])
def test_a_mixed_stage_at_any_batch_and_size(tmp_path: Path, form: str, fuse: bool) -> None:
    path = tmp_path / f"mixed.{form}"
    done = hiri_spec.export(MIXED, path, fuse=fuse)
    assert path.stat().st_size == done.file_bytes
    assert done.worst.relative < 1e-5
    assert done.inputs == {"image": ("batch", 3, "height", "width")}
    assert done.outputs == {"scores": ("batch", 10)}
    sizes = {(each.batch, each.size) for each in done.differences}
    assert {batch for batch, _ in sizes} == {1, 2}
    assert len({size for _, size in sizes}) >= 2
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["hiri_s", "pvt_v2_b0", "pvt_v2_b2_li", "davit_tiny", "swin_tiny_patch4_window7_224", "hrnet_w18_small"]
)
@pytest.mark.parametrize("form", ["onnx", "pt2"])
def test_every_family(tmp_path: Path, name: str, form: str) -> None:
    done = hiri_spec.export(name, tmp_path / f"{name}.{form}", resolution=224)
    assert done.sides is not None
    assert done.worst.relative < 1e-4


def test_maps_and_a_batch_left_open(tmp_path: Path) -> None:
    model = hiri_spec.build(MIXED, features_only=True, out_indices=(0, 2))
    done = hiri_spec.export(model, tmp_path / "maps.onnx", dynamic="batch", resolution=(64, 96))
    assert done.inputs == {"image": ("batch", 3, 64, 96)}
    assert done.outputs == {"map0": ("batch", 16, 16, 24), "map2": ("batch", 32, 4, 6)}
    assert model.training  # it was copied


@pytest.mark.parametrize(
    ("change", "outputs"),
    [
        (lambda model: model.reset_classifier(10, ""), {"scores": ("batch", 10, "height/16", "width/16")}),
        (lambda model: model.reset_classifier(0), {"features": ("batch", 32)}),
        (
            lambda model: model.prune_intermediate_layers([1]),
            {"features": ("batch", 24, "height/8", "width/8")},
        ),
    ],
    ids=["unpooled", "no-classes", "pruned"],
)
def test_what_comes_out_is_told(tmp_path: Path, change: Callable[[Any], object], outputs: dict[str, Any]) -> None:
    model = hiri_spec.build(MIXED)
    change(model)
    path = tmp_path / "a.pt2"
    assert hiri_spec.export(model, path).outputs == outputs
    told = next(iter(outputs.values()))
    found = exporting.open_pt2(path)(torch.randn(2, 3, 64, 96))[0].shape
    values = {"batch": 2, "height/16": 4, "width/16": 6, "height/8": 8, "width/8": 12}
    assert tuple(found) == tuple(values.get(each, each) for each in told)


def test_the_smallest_size_is_not_the_only_one_checked(tmp_path: Path) -> None:
    done = hiri_spec.export(MIXED, tmp_path / "a.pt2", resolution=32)
    assert len({each.size for each in done.differences}) == 2


@pytest.mark.parametrize("form", ["onnx", "pt2"])
def test_a_full_disk(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"a.{form}"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
        with pytest.raises(SpecError, match=rf"a\.{form}: cannot be written: File too large"):
            hiri_spec.export(MIXED, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not path.exists()


def test_a_device_is_no_file(tmp_path: Path) -> None:
    pipe = tmp_path / "a.onnx"
    os.mkfifo(pipe)
    with pytest.raises(SpecError, match=r"a\.onnx: is no file; what is exported is read again to check it"):
        hiri_spec.export(MIXED, pipe)


def test_nothing_left_open(tmp_path: Path) -> None:
    done = hiri_spec.export(MIXED, tmp_path / "a.pt2", dynamic="none")
    assert done.inputs == {"image": (1, 3, 64, 64)}
    assert len(done.differences) == 1


def test_weights_are_those_of_the_file(tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = hiri_spec.build(MIXED).eval()
    model.save_pretrained(tmp_path / "weights")
    hiri_spec.export(MIXED, tmp_path / "a.onnx", weights=tmp_path / "weights", dynamic="none")
    assert compare(model, open_onnx(tmp_path / "a.onnx"), real_images(1, 3, (64, 64))).relative < 1e-5


def test_a_file_names_no_file_of_this_machine(tmp_path: Path) -> None:
    hiri_spec.export(MIXED, tmp_path / "a.onnx", dynamic="none")
    hiri_spec.export(MIXED, tmp_path / "a.pt2", dynamic="none")
    for name in ("a.onnx", "a.pt2"):
        assert b"hiri_spec/nn" not in (tmp_path / name).read_bytes()


def test_what_differs_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.pt2"
    path.write_text("mine")
    monkeypatch.setattr(exporting, "fuse_norms", lambda model: nn.Sequential(model, nn.Softmax(1)))
    with pytest.raises(ParityError, match=r"differs from the model's by .*, more than the tolerance of 0\.0001"):
        hiri_spec.export(MIXED, path, fuse=True, dynamic="none")
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


def test_what_the_exporter_says_is_kept(tmp_path: Path) -> None:
    class Branching(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x if x.sum() > 0 else -x

    model = hiri_spec.build(MIXED)
    model.stages[0].blocks[0].high.mix = Branching()
    with pytest.raises(SpecError, match=r"stages\.0\.blocks\.0\.high\.mix: torch\.export can't follow it") as caught:
        hiri_spec.export(model, tmp_path / "a.pt2")
    assert "nothing was written; all that was said" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["a.pt2.log"]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("a.txt", {}, r"a\.txt: ends in no format's letters; end it in \.onnx or \.pt2"),
        ("a.onnx", {"format": "onx"}, r"format: 'onx' is none of onnx, pt2; did you mean 'onnx'"),
        ("a.onnx", {"format": "pt2"}, r"format: 'pt2' beside a file that ends in \.onnx"),
        ("a.onnx", {"opset": 11}, r"opset: 11 is too old; 18 to 23 can be written"),
        ("a.onnx", {"opset": 99}, r"opset: 99 is too new"),
        ("a.onnx", {"opset": 18.0}, r"opset: 18\.0 is no whole number, such as 20"),
        ("a.pt2", {"opset": 18}, r"only ONNX has opsets: leave it out"),
        ("a.onnx", {"dynamic": "sizes"}, r"dynamic: 'sizes' is none of size, batch, none"),
        ("a.onnx", {"resolution": 16}, r"resolution: 16x16 is too small"),
        ("no/a.onnx", {}, r"no/a\.onnx: cannot be written: No such file or directory"),
    ],
    ids=[
        "ending",
        "format",
        "two-formats",
        "old-opset",
        "new-opset",
        "no-opset",
        "opset-of-pt2",
        "dynamic",
        "size",
        "folder",
    ],
)
def test_mistakes(tmp_path: Path, name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        hiri_spec.export(MIXED, tmp_path / name, **options)
    assert not list(tmp_path.iterdir())


def test_a_model_of_somebody_elses(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="a Linear was not built from a spec"):
        hiri_spec.export(nn.Linear(1, 1), tmp_path / "a.onnx")  # type: ignore[arg-type]


def test_the_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(SpecError, match=r"onnx needs onnxscript; install with pip install 'hiri-spec\[export\]'"):
        hiri_spec.export(MIXED, tmp_path / "a.onnx")


def test_numbers_that_are_not_finite_differ() -> None:
    images = torch.zeros(1, 3, 32, 32)
    difference = compare(nn.Identity(), lambda given: [given + torch.nan], images)
    assert difference == Difference(1, (32, 32), float("inf"), float("inf"))


@pytest.mark.parametrize(("length", "count"), [(10, 7), (7, 7), (3, 7), (16, 4)])
def test_shares_of_cells_are_adaptive_pooling(length: int, count: int) -> None:
    x = torch.randn(1, 1, length, 1, dtype=torch.float64)
    expected = nn.functional.adaptive_avg_pool2d(x, (count, 1))
    torch.testing.assert_close(cell_shares(length, count, x) @ x, expected)


def test_positions_apart_in_rolled_windows() -> None:
    apart = apart_in_rolled_windows(1, 2, 2, torch.device("cpu"))
    assert apart.shape == (2, 4, 4)
    assert not apart[0].any()
    assert apart[1, 0].tolist() == [False, True, False, True]
