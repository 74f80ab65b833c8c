"""`hiri-spec scale`: a network taken to a higher resolution, as YAML with comments, and what that does to the cost."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..command_line import JsonOption, SetOption, console
from ..cost import cost
from ..errors import Problem, SpecError
from ..files import load, parse_assignments, to_yaml, write_text
from ..quantities import format_amount, format_resolution, parse_macs, parse_resolutions
from ..transforms import RULES, Scaled, find_carried, fit_to_budget, scale

RULE_HELP = "Rules to leave out, with commas between: " + ", ".join(RULES) + "."


def scale_up(
    spec: Annotated[str, typer.Argument(metavar="SPEC", help="A YAML file, or a built-in name such as pvt_v2_b2.")],
    resolution: Annotated[
        str, typer.Option("--resolution", "-r", metavar="SIZE", help="The higher image size, e.g. 448 or 512x1024.")
    ] = "448",
    without: Annotated[str | None, typer.Option(metavar="RULES", help=RULE_HELP)] = None,
    budget: Annotated[
        str | None, typer.Option(metavar="MACS", help="Then fit all widths and depths to this, e.g. 5gflops.")
    ] = None,
    set: SetOption = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write here, not to stdout.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Take a network to a higher resolution at about its old cost, by the design of HIRI-ViT."""
    sizes = parse_resolutions(resolution)
    if len(sizes) != 1:
        raise SpecError(Problem("a network is scaled to one size; give one", "--resolution"))
    model = load(spec, set=parse_assignments(set or []))
    scaled = scale(model, resolution=sizes[0], without=without or ())
    result, text = scaled.spec, scaled.text
    if budget is not None:
        result = fit_to_budget(scaled.spec, gmacs=parse_macs(budget) / 1e9)
        text = f"# {model.name} by hiri-spec scale, then fitted to {budget}: every width may differ.\n{to_yaml(result)}"
    if out is not None:
        write_text(out, text)
        sys.stderr.write(f"wrote {out}\n")
    if as_json:
        before, naive, after = cost(model), cost(model, sizes[0]), cost(result)
        data = {
            "spec": result.name,
            "costs": {"before": before.as_dict(), "as_it_is": naive.as_dict(), "scaled": after.as_dict()},
            "notes": {place: [str(note) for note in notes] for place, notes in scaled.notes.items()},
            "carried_params": None if budget else find_carried(scaled).params,
        }
        sys.stdout.write(json.dumps(data, indent=2) + "\n")
        return
    if out is None:
        sys.stdout.write(text)
    report = console(stderr=True)
    for line in _costs(scaled, sizes[0], budget):
        report.print(line, soft_wrap=True)
    if budget is None:
        for line in _weights(scaled):
            report.print(line, soft_wrap=True)


def _costs(scaled: Scaled, size: tuple[int, int], budget: str | None) -> list[str]:
    before, naive, after = cost(scaled.original), cost(scaled.original, size), cost(scaled.spec)
    old, new = format_resolution(before.resolution), format_resolution(size)
    lines = [
        f"{before.macs / 1e9:.3f} GMACs at {old}; at {new} {naive.macs / 1e9:.3f} as it is, "
        f"{after.macs / 1e9:.3f} scaled: {after.macs / before.macs:.2f} x in place of {naive.macs / before.macs:.2f} x"
    ]
    return [*lines, f"then fitted to {budget}; no weights carry over"] if budget else lines


def _weights(scaled: Scaled) -> list[str]:
    carried = find_carried(scaled)
    total = carried.params + sum(carried.new.values())
    lines = [f"{carried.params / 1e6:.2f} of {total / 1e6:.2f} M parameters can be carried over; new:"]
    for part, counts in carried.reasons.items():
        lines += [f"  {part}  {format_amount(count)}  ({why})" for why, count in counts.items()]
    return lines
