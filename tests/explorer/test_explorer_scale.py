"""`python -m explorer.scale`: networks as they are and scaled up, over resolutions."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from typer.testing import CliRunner

import hiri_spec
from explorer import figures
from explorer.latency import measure_latencies_ms
from explorer.scale import counted, drawing
from explorer.scale.command import app
from explorer.scale.counted import Point, count_points
from explorer.scale.stages import count_stages, find_takeovers, sides_to_look_at
from hiri_spec import SpecError, files
from hiri_spec.errors import Problem


def points_of(name: str, *sides: int) -> list[Point]:
    return [point for point, _ in count_points(hiri_spec.load(name), [(side, side) for side in sides]).points]


def test_points() -> None:
    points = points_of("hiri_s_4stage", 224, 448)
    assert [(point.form, point.resolution[0], point.stages) for point in points] == [
        ("as it is", 224, 4),
        ("as it is", 448, 4),
        ("scaled up", 448, 5),
    ]
    assert points[2].macs == hiri_spec.cost("hiri_s").macs
    assert points[0].dearest_stage.startswith("stages.2 ")
    assert points[1].quadratic_share > 3 * points[0].quadratic_share, "attention grows with the square"


@pytest.mark.parametrize("sides", [(224, 448), (448,), (1024, 224)], ids=["lower first", "own", "higher first"])
def test_ratios_are_over_the_spec_at_its_own_resolution(sides: tuple[int, ...]) -> None:
    for point in points_of("hiri_s", *sides):
        assert point.base_resolution == (448, 448)
        assert point.ratio == point.macs / hiri_spec.cost("hiri_s").macs


def test_a_size_given_twice_is_counted_once() -> None:
    assert len(points_of("pvt_v2_b0", 224, 448, 448)) == 3


def test_what_cannot_be_scaled_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(spec: object, *, resolution: tuple[int, int]) -> hiri_spec.ModelSpec:
        if resolution == (256, 256):
            raise SpecError(Problem("no doubling in it", "resolution"))
        return hiri_spec.scale_up("pvt_v2_b0", resolution=resolution)

    monkeypatch.setattr(counted, "scale_up", refuse)
    told = CliRunner().invoke(app, ["pvt_v2_b0", "-r", "256,448", "--json"])
    assert told.exit_code == 0
    assert "left out: pvt_v2_b0 is not scaled up to 256: resolution: no doubling in it" in told.stderr
    points = json.loads(told.stdout)["points"]
    assert [(point["form"], point["resolution"][0]) for point in points] == [
        ("as it is", 256),
        ("as it is", 448),
        ("scaled up", 448),
    ]


@pytest.mark.parametrize(
    ("name", "share"),
    [
        ("hiri_s_4stage", 0.17),
        ("pvt_v2_b2", 0.13),
        ("pvt_v2_b2_li", 0),
        ("davit_tiny", 0),
        ("swin_tiny_patch4_window7_224", 0),
        ("hrnet_w18_small", 0),
    ],
)
def test_the_quadratic_term(name: str, share: float) -> None:
    """Only attention over all positions has one: not windows, channels, keys pooled to a grid, or none at all."""
    (point, *_) = points_of(name, 448)
    assert math.isclose(point.quadratic_share, share, abs_tol=0.005)


@pytest.mark.parametrize("name", ["hiri_s_4stage", "pvt_v2_b2"])
def test_the_quadratic_term_grows_with_the_square(name: str) -> None:
    spec = hiri_spec.load(name)
    small, large = ([stage.quadratic_macs for stage in count_stages(spec, (side, side))] for side in (448, 896))
    assert any(small)
    assert large == [16 * macs for macs in small]


def test_stages_add_up() -> None:
    for name in ("pvt_v2_b2", "hrnet_w18_small"):
        stages = count_stages(hiri_spec.load(name), (224, 320))
        assert sum(stage.macs for stage in stages) == hiri_spec.cost(name, (224, 320)).macs
        assert all(stage.quadratic_macs <= stage.macs for stage in stages)


def test_takeovers() -> None:
    """PVTv2-B2's third stage is the dearest until the attention of its first one has outgrown it."""
    spec = hiri_spec.load("pvt_v2_b2")
    first, second = find_takeovers(spec, sides_to_look_at([(224, 224)]), name="pvt_v2_b2", form="as it is")
    assert first.from_side == 224
    assert first.stage.startswith("stages.2 ")
    assert second.from_side == 1280
    assert second.stage.startswith("stages.0 ")
    stages = {side: count_stages(spec, (side, side)) for side in (1248, 1280)}
    assert {max(own, key=lambda stage: stage.macs).name for own in stages.values()} == {"stages.2", "stages.0"}
    assert second.quadratic_half_from is not None
    for side, is_half in ((second.quadratic_half_from, True), (second.quadratic_half_from - 64, False)):
        stage = count_stages(spec, (side, side))[1]
        assert (2 * stage.quadratic_macs >= stage.macs) == is_half


def test_no_takeover_by_what_is_not_there() -> None:
    (only,) = find_takeovers(hiri_spec.load("davit_tiny"), [224, 1024], name="davit_tiny", form="as it is")
    assert (only.has_quadratic, only.quadratic_half_from) == (False, None)


def test_sides_to_look_at() -> None:
    sides = sides_to_look_at([(300, 400), (224, 5000)])
    assert sides[0] == 224
    assert sides[-1] == 5000
    assert all(low < high <= low + max(32, low / 16 + 32) for low, high in pairwise(sides))


def test_on_screen_and_drawn(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["pvt_v2_b2", "--resolutions", "224,448", "--out", str(tmp_path / "new")])
    assert told.exit_code == 0
    assert "of 224" in told.stdout
    assert "4.42 x" in told.stdout
    assert "1.09 x" in told.stdout
    assert "from 832" in told.stdout
    assert (tmp_path / "new" / "scale.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "new" / "scale.svg").read_text()


def test_networks_of_different_resolutions() -> None:
    told = CliRunner().invoke(app, ["hiri_s", "hiri_s_4stage", "-r", "448"])
    assert "1.00 x of 448" in told.stdout
    assert "4.60 x of 224" in told.stdout


def test_a_network_given_twice_is_told_once() -> None:
    path = str(files.SPECS / "pvtv2" / "pvt_v2_b0.yaml")
    told = CliRunner().invoke(app, ["pvt_v2_b0", "pvt_v2_b0", path, "-r", "224", "--json"])
    assert [point["name"] for point in json.loads(told.stdout)["points"]] == ["pvt_v2_b0"]


def test_two_networks_of_one_name_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("extends: pvt_v2_b0\nset: {stages.0.0.depth: 3}\n")
    told = CliRunner().invoke(app, ["pvt_v2_b0", str(path), "-r", "224", "--json"])
    points = json.loads(told.stdout)["points"]
    assert [point["name"] for point in points] == ["pvt_v2_b0", str(path)]
    assert points[0]["macs"] < points[1]["macs"]


def test_json_with_latency() -> None:
    told = CliRunner().invoke(
        app, ["pvt_v2_b0", "--resolutions", "64", "--set", "resolution=32", "--latency", "--json"]
    )
    points = json.loads(told.stdout)["points"]
    assert [point["form"] for point in points] == ["as it is", "scaled up"]
    assert all(point["latency_ms"] > 0 for point in points)


def test_latencies_come_in_order() -> None:
    small = hiri_spec.load("pvt_v2_b0")
    times = measure_latencies_ms([(small, 32), (small, (256, 320))], runs=3)
    assert 0 < times[0] < times[1]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Figure:
    """The picture of two networks at sizes for which one and two stages are added."""
    kept: list[Figure] = []
    monkeypatch.setattr(drawing, "save_figure", lambda figure, folder, name: kept.append(figure))
    names = ("pvt_v2_b0", "hiri_s_4stage")
    drawing.draw([point for name in names for point in points_of(name, 224, 448, 896)], tmp_path)
    return kept[0]


def test_a_picture_tells_network_form_and_stages(drawn: Figure) -> None:
    networks, forms = drawn.legends
    assert [text.get_text() for text in networks.get_texts()] == ["pvt_v2_b0", "hiri_s_4stage"]
    assert [text.get_text() for text in forms.get_texts()] == ["as it is", "scaled up"]
    for index, lines in enumerate((drawn.axes[0].lines[:3], drawn.axes[0].lines[3:])):
        looks = {(line.get_color(), line.get_marker()) for line in lines}
        assert looks == {tuple(figures.style(index).values())}
        assert [(line.get_linestyle(), len(line.get_xdata())) for line in lines] == [("--", 3), ("-", 1), ("-", 1)]
    assert {text.get_text() for text in drawn.axes[0].texts} == {"5 stages", "6 stages"}


def test_legends_lie_outside_of_the_axes(drawn: Figure) -> None:
    drawn.draw_without_rendering()
    box = drawn.axes[0].get_window_extent()
    assert not any(legend.get_window_extent().overlaps(box) for legend in drawn.legends)


def test_looks_differ_for_thirty_five_networks() -> None:
    assert len({tuple(figures.style(index).values()) for index in range(35)}) == 35


@pytest.mark.parametrize("colour", figures.COLOURS)
def test_colours_stand_out_from_white(colour: str) -> None:
    """WCAG 2.1 asks for a contrast of 3 to 1 for graphics."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    luminance = sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    assert 1.05 / (luminance + 0.05) >= 3


def test_labels_do_not_overlap() -> None:
    figure, axes = figures.new_figure()
    crowd = [(4.5, 83.0, "one network"), (4.52, 83.02, "another network"), (4.5, 83.05, "a third network")]
    axes.plot([x for x, _, _ in crowd], [y for _, y, _ in crowd], "o")
    figures.place_labels(figure, axes, crowd)
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in axes.texts]
    assert [text.get_text() for text in axes.texts] == [text for _, _, text in crowd]
    assert not any(one.overlaps(other) for one in boxes for other in boxes if one is not other)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pvt_v2_b9"], "did you mean 'pvt_v2_b"),
        (["pvt_v2_b0", "-r", "big"], "--resolutions: 'big' is no image size"),
        (["pvt_v2_b0", "-r", "16"], "--resolutions: 16 is too small"),
        (["pvt_v2_b0", "--out", "/proc/no"], "/proc/no cannot be made"),
    ],
    ids=["name", "size", "small", "out"],
)
def test_mistakes(arguments: list[str], message: str) -> None:
    with pytest.raises(hiri_spec.SpecError, match=message):
        CliRunner().invoke(app, arguments, catch_exceptions=False)
