"""`python -m explorer.scale SPEC…`: what higher resolutions cost, as a network is and scaled up."""

from __future__ import annotations

if __name__ == "__main__":
    # before anything slow is imported, and never past this line
    from .entry import start

    start("explorer.scale")

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from hiri_spec import ModelSpec, cost, load, scale_up
from hiri_spec.command_line import JsonOption, SetOption, console, run_app
from hiri_spec.cost import CONVENTION, Cost
from hiri_spec.files import parse_assignments
from hiri_spec.quantities import format_resolution, parse_resolutions

from .figures import COLOURS, label_costs, make_folder, new_figure, save_figure

SIZES = "224,384,448,768,1024"

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@dataclass(slots=True)
class Point:
    """One network at one resolution: its cost, the stage that costs most, and the share of attention's products."""

    name: str
    form: str
    resolution: tuple[int, int]
    params: int
    macs: int
    dearest_stage: str
    dearest_share: float
    attention_share: float
    latency_ms: float | None = None


def count_points(spec: ModelSpec, sizes: Sequence[tuple[int, int]]) -> list[tuple[Point, ModelSpec]]:
    """The network as it is at each size and, at sizes above its own, scaled up to it."""
    points = []
    for size in sizes:
        points.append((_point(spec, "as it is", cost(spec, size)), spec))
        if all(new > old for new, old in zip(size, spec.size, strict=True)):
            scaled = scale_up(spec, resolution=size)
            points.append((_point(spec, "scaled up", cost(scaled, size)), scaled))
    return points


def _point(spec: ModelSpec, form: str, own: Cost) -> Point:
    dearest = max(own.by_stage(), key=lambda row: row.macs)
    attention = sum(row.macs for row in own.by_op() if "attention" in row.name)
    shares = dearest.macs / own.macs, attention / own.macs
    return Point(spec.name, form, own.resolution, own.params, own.macs, f"{dearest.name} ({dearest.kind})", *shares)


def tell(points: Sequence[Point]) -> Table:
    """A line a point, with what it costs over the first of its network."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    columns = ("network", "at", "form", "GMACs", "", "dearest stage", "share", "attention's products")
    has_latency = any(point.latency_ms is not None for point in points)
    for column in (*columns, "ms") if has_latency else columns:
        table.add_column(column, justify="left" if column in ("network", "form", "dearest stage") else "right")
    first: dict[str, int] = {}
    for point in points:
        base = first.setdefault(point.name, point.macs)
        cells = [point.name, format_resolution(point.resolution), point.form, f"{point.macs / 1e9:.3f}"]
        cells += [f"{point.macs / base:.2f} x", point.dearest_stage, f"{100 * point.dearest_share:.0f} %"]
        cells.append(f"{100 * point.attention_share:.0f} %")
        table.add_row(*cells, *([f"{point.latency_ms:.1f}"] if point.latency_ms is not None else []))
    return table


def draw(points: Sequence[Point], folder: Path) -> None:
    """GMACs over the side of the image: dashed as it is, solid scaled up."""
    figure, axes = new_figure()
    for colour, name in zip(COLOURS * len(points), dict.fromkeys(point.name for point in points), strict=False):
        for form, line in (("as it is", "--"), ("scaled up", "-")):
            own = [point for point in points if (point.name, point.form) == (name, form)]
            sides, costs = [max(point.resolution) for point in own], [point.macs / 1e9 for point in own]
            axes.plot(sides, costs, line, color=colour, marker="o", markersize=4, label=f"{name}, {form}")
    label_costs(axes, [max(point.resolution) for point in points])
    axes.legend(frameon=False, fontsize=7)
    save_figure(figure, folder, "scale")


@app.command(epilog="Example: python -m explorer.scale pvt_v2_b2 hiri_s_4stage --resolutions 224,448 --latency")
def command(
    specs: Annotated[list[str], typer.Argument(metavar="SPEC…", help="YAML files or built-in names.")],
    resolutions: Annotated[str, typer.Option("--resolutions", "-r", metavar="SIZES", help="Image sizes.")] = SIZES,
    latency: Annotated[
        bool, typer.Option("--latency", help="Build the networks and measure one image's time.")
    ] = False,
    set: SetOption = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Write a picture, too.")] = None,
    as_json: JsonOption = False,
) -> None:
    """What higher resolutions cost: networks as they are, and scaled up by the design of HIRI-ViT."""
    sizes = parse_resolutions(resolutions, "--resolutions")
    changes = parse_assignments(set or [])
    counted = [each for name in specs for each in count_points(load(name, set=changes), sizes)]
    if latency:
        from .latency import measure_latencies_ms

        sys.stderr.write(f"measuring {len(counted)} networks …\n")
        times = measure_latencies_ms([(spec, point.resolution) for point, spec in counted], runs=3)
        for (point, _), own in zip(counted, times, strict=True):
            point.latency_ms = own
    points = [point for point, _ in counted]
    if out is not None:
        make_folder(out)
        draw(points, out)
        sys.stderr.write(f"wrote {out / 'scale.png'} and scale.svg\n")
    if as_json:
        data = {"convention": CONVENTION, "points": [asdict(point) for point in points]}
        sys.stdout.write(json.dumps(data, indent=2) + "\n")
        return
    screen = console()
    screen.print(tell(points))
    screen.print(f"\n{CONVENTION}. Attention's products grow with the square of the positions.", style="dim")


def main() -> None:
    """Run the command line."""
    run_app(app)
