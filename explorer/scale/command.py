"""`python -m explorer.scale SPEC…`: what higher resolutions cost, as a network is and scaled up."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from hiri_spec import ModelSpec, load
from hiri_spec.command_line import JsonOption, SetOption, console, run_app
from hiri_spec.cost import CONVENTION
from hiri_spec.files import parse_assignments, to_data
from hiri_spec.quantities import parse_resolutions
from hiri_spec.saving import make_folder

from .counted import Point, count_points
from .drawing import draw
from .rendering import QUADRATIC, tell_points, tell_takeovers
from .stages import Takeover, find_takeovers, sides_to_look_at

SIZES = "224,384,448,768,1024"

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
    counted: list[tuple[Point, ModelSpec]] = []
    for name, spec in _load_all(specs, parse_assignments(set or [])).items():
        own = count_points(spec, sizes, name)
        counted += own.points
        sys.stderr.write("".join(f"left out: {refusal}\n" for refusal in own.refusals))
    if latency:
        from ..latency import measure_latencies_ms

        sys.stderr.write(f"measuring {len(counted)} networks …\n")
        times = measure_latencies_ms([(spec, point.resolution) for point, spec in counted], runs=3)
        for (point, _), time in zip(counted, times, strict=True):
            point.latency_ms = time
    points = [point for point, _ in counted]
    if out is not None:
        make_folder(out)
        draw(points, out)
        sys.stderr.write(f"wrote {out / 'scale.png'} and scale.svg\n")
    sides = sides_to_look_at(sizes)
    takeovers = _take_over(counted, sides)
    if as_json:
        data = {
            "convention": CONVENTION,
            "points": [asdict(point) for point in points],
            "takeovers": [asdict(one) for one in takeovers],
        }
        sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
        return
    screen = console()
    screen.print(tell_points(points))
    screen.print(f"\nWhich stage takes over where, for square images up to {sides[-1]} pixels a side:\n")
    screen.print(tell_takeovers(takeovers, sides[-1]))
    screen.print(f"\n{CONVENTION}. {QUADRATIC}", style="dim", soft_wrap=True)


def _load_all(names: list[str], changes: dict[str, Any]) -> dict[str, ModelSpec]:
    """The networks by what to call them, each once; two that share a name are called as they were given."""
    specs: dict[str, ModelSpec] = {}
    for name in names:
        spec = load(name, set=changes)
        if not any(to_data(spec) == to_data(other) for other in specs.values()):
            specs[name] = spec
    loaded = [spec.name for spec in specs.values()]
    return {spec.name if loaded.count(spec.name) == 1 else name: spec for name, spec in specs.items()}


def _take_over(counted: list[tuple[Point, ModelSpec]], sides: list[int]) -> list[Takeover]:
    """The takeovers of each network: as it is, and with each number of stages that it is scaled up to."""
    distinct = {(point.name, point.form, point.stages): spec for point, spec in counted}
    return [
        takeover
        for (name, form, _), spec in distinct.items()
        for takeover in find_takeovers(spec, sides, name=name, form=form)
    ]


def main() -> None:
    """Run the command line."""
    run_app(app)
