"""`hiri-spec …`: all commands, the smaller ones whole. Importing it loads no torch; those that need it do."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from . import __version__
from .command_line import JsonOption, SetOption, console, print_tables, run_app, width_of
from .commands.bench import bench
from .commands.check import check
from .commands.code import code
from .commands.evaluate import evaluate
from .commands.export import export
from .commands.predict import predict
from .commands.scale import scale_up
from .commands.studio import studio
from .commands.summary import summary
from .commands.tasks.app import tasks
from .commands.train import train
from .commands.tune import tune
from .cost import CONVENTION, Cost, CostRow
from .cost import cost as cost_of
from .differences import compare
from .errors import Problem, SpecError, suggest
from .files import builtin_specs, load, parse_assignments, to_data, write_text
from .json_schema import json_schema
from .quantities import parse_resolutions
from .schema import ModelSpec

app = typer.Typer(
    help="Declarative vision backbones: what a YAML spec costs, what it looks like, what a change does to it.",
    epilog="Example: hiri-spec cost hiri_s --resolution 224,448",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

SpecArgument = Annotated[str, typer.Argument(metavar="SPEC", help="A YAML file, or a built-in name such as hiri_s.")]
ResolutionOption = Annotated[
    str | None,
    typer.Option("--resolution", "-r", metavar="SIZES", help="Image sizes, e.g. 224,448 or 512x1024 (height first)."),
]
DRAWINGS = {".svg": "svg", ".mmd": "mermaid", ".mermaid": "mermaid", ".md": "mermaid"}
"""The form of a drawing by what its file's name ends with."""
OutOption = Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write here instead of stdout.")]


def _sizes(text: str | None) -> list[tuple[int, int] | None]:
    return [None] if text is None else list(parse_resolutions(text))


def _costs(spec: ModelSpec, resolution: str | None) -> list[Cost]:
    return [cost_of(spec, size) for size in _sizes(resolution)]


def _choose(value: str, flag: str, options: tuple[str, ...]) -> str:
    if value not in options:
        raise SpecError(Problem(f"{value!r} is none of {', '.join(options)}; {suggest(value, options)}", flag))
    return value


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def _write(text: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(text)
    else:
        write_text(out, text)
        sys.stderr.write(f"wrote {out}\n")


def _as_json(cost: Cost, rows: list[CostRow]) -> dict[str, Any]:
    return cost.as_dict() | {"gmacs": round(cost.macs / 1e9, 3), "rows": [row.as_dict() for row in rows]}


@app.command(epilog="Example: hiri-spec cost hiri_s --resolution 224,448,768 --by op --set stages.3.depth=12")
def cost(
    spec: SpecArgument,
    resolution: ResolutionOption = None,
    by: Annotated[
        str, typer.Option("--by", metavar="stage|block|op", help="What to break the cost down by.")
    ] = "stage",
    set: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Parameters, MACs and activation memory, without building the network."""
    _choose(by, "--by", ("stage", "block", "op"))
    model = load(spec, set=parse_assignments(set or []))
    costs = _costs(model, resolution)
    if as_json:
        results = [_as_json(each, getattr(each, f"by_{by}")()) for each in costs]
        _print_json({"name": model.name, "convention": CONVENTION, "by": by, "results": results})
        return
    from .tables import breakdown_table, totals_table

    out = console()
    breakdowns = [breakdown_table(costs, by)]
    if width_of(out, breakdowns[0]) > out.width:  # then one below the other, if need be without memory
        breakdowns = [breakdown_table([each], by) for each in costs]
    if width_of(out, breakdowns[0]) > out.width:
        breakdowns = [breakdown_table([each], by, with_memory=False) for each in costs]
    print_tables(out, totals_table(costs, model.name), *breakdowns)
    out.print()
    out.print(f"{CONVENTION}; attention products are counted. Memory: activations, batch 1, float32.", style="dim")


@app.command(epilog="Example: hiri-spec draw hiri_s --resolution 448 --out hiri_s.svg")
def draw(
    spec: SpecArgument,
    resolution: ResolutionOption = None,
    form: Annotated[
        str | None, typer.Option("--format", metavar="svg|mermaid", help="By default what FILE ends with, else svg.")
    ] = None,
    by: Annotated[
        str, typer.Option("--by", metavar="stage|block|op", help="Level of detail; op is for mermaid.")
    ] = "stage",
    set: SetOption = None,
    out: OutOption = None,
) -> None:
    """Draw the architecture as SVG or as a Mermaid flowchart."""
    from .draw import draw_mermaid, draw_svg

    if form is None:
        form = "svg" if out is None or not out.suffix else DRAWINGS.get(out.suffix.lower())
    if form is None:
        message = f"{out} would hold no such picture; end it with {', '.join(DRAWINGS)}, or name the --format"
        raise SpecError(Problem(message, "--out"))
    _choose(form, "--format", ("svg", "mermaid"))
    if by == "op" and form == "svg":
        raise SpecError(Problem("op is a level of detail for mermaid; add --format mermaid, or use block", "--by"))
    model = load(spec, set=parse_assignments(set or []))
    sizes = _sizes(resolution)
    if len(sizes) != 1:
        raise SpecError(Problem("a drawing shows one size; give one", "--resolution"))
    _write((draw_svg if form == "svg" else draw_mermaid)(model, sizes[0], by=by), out)


@app.command(epilog="Example: hiri-spec diff hiri_s hiri_b --resolution 224,448")
def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="A YAML file or a built-in name.")],
    after: Annotated[str, typer.Argument(metavar="B", help="A YAML file or a built-in name.")],
    resolution: ResolutionOption = None,
    set: SetOption = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Leave with status 1 if there are differences.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """What changed from A to B, and what that does to the cost. --set applies to B."""
    old, new = load(before), load(after, set=parse_assignments(set or []))
    changes = compare(old, new)
    costs = [(cost_of(old, size or old.size), cost_of(new, size or new.size)) for size in _sizes(resolution)]
    if as_json:
        _print_json(
            {
                "before": old.name,
                "after": new.name,
                "convention": CONVENTION,
                "changes": [{"path": c.path, "before": c.before, "after": c.after} for c in changes],
                "costs": [{"before": a.as_dict(), "after": b.as_dict()} for a, b in costs],
            }
        )
    elif not changes:
        console().print("no differences")
    else:
        from .tables import changes_table, cost_change_table

        out = console()
        print_tables(out, changes_table(changes), cost_change_table([a for a, _ in costs], [b for _, b in costs]))
    if changes and exit_code:
        raise typer.Exit(1)


@app.command("list", epilog="Example: hiri-spec list --json")
def list_specs(as_json: JsonOption = False) -> None:
    """The built-in specs with their costs."""
    models = [load(name) for name in builtin_specs()]
    costs = [cost_of(model) for model in models]
    if as_json:
        _print_json(
            [{"name": m.name, "description": m.description} | c.as_dict() for m, c in zip(models, costs, strict=True)]
        )
        return
    from .tables import list_table

    print_tables(console(), list_table(models, costs))


@app.command(epilog="Example: hiri-spec schema --out hiri-spec.schema.json")
def schema(
    space: Annotated[
        bool, typer.Option("--space", help="The schema of search spaces: choices wherever values may vary.")
    ] = False,
    out: OutOption = None,
) -> None:
    """The JSON Schema with which an editor completes and checks specs.

    Name it in a spec's first line: # yaml-language-server: $schema=hiri-spec.schema.json
    """
    _write(json.dumps(json_schema(space=space), indent=2) + "\n", out)


@app.command(epilog="Example: hiri-spec show hiri_s --set stages.3.depth=12 > my.yaml")
def show(spec: SpecArgument, set: SetOption = None, out: OutOption = None, as_json: JsonOption = False) -> None:
    """The whole spec with `extends` and `set` applied, as YAML."""
    from .files import to_yaml

    model = load(spec, set=parse_assignments(set or []))
    _write(json.dumps(to_data(model), indent=2) + "\n" if as_json else to_yaml(model), out)


app.command("check", epilog="Example: hiri-spec check specs/*.yaml --budget 5.1gmacs --max-params 35m")(check)
app.command("scale", epilog="Example: hiri-spec scale pvt_v2_b2 --resolution 448 --out pvt_448.yaml")(scale_up)
app.command("summary", epilog="Example: hiri-spec summary runs/hiri_s --resolution 448 --depth 4")(summary)
app.command("export", epilog="Example: hiri-spec export hiri_s --weights runs/hiri_s --out hiri_s.onnx")(export)
app.command("code", epilog="Example: hiri-spec code hiri_s --class-name HiriS --out hiri_s.py")(code)
app.command("train", epilog="Example: hiri-spec train specs/tiny.yaml --data digits --epochs 10")(train)
app.command("evaluate", epilog="Example: hiri-spec evaluate runs/tiny-digits --data digits --ema --json")(evaluate)
app.command("predict", epilog="Example: hiri-spec predict runs/tiny-digits photo.jpg more/ --top 3 --json")(predict)
app.command("bench", epilog="Example: hiri-spec bench hiri_s@448 pvt_v2_b2@448 timm:resnet50@224 --modes eager,onnx")(
    bench
)
app.add_typer(tasks, name="tasks")
app.command("studio", epilog="Example: hiri-spec studio specs/hiri_s.yaml --port 9000")(studio)
app.command("tune", epilog="Example: hiri-spec tune hiri_s --resolution 448 --threads 2")(tune)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"hiri-spec {__version__}\n")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options of every command."""


def main() -> None:
    """Run the command line."""
    run_app(app)


if __name__ == "__main__":
    main()
