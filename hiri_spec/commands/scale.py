"""`hiri-spec scale`: a network taken to a higher resolution, as YAML with comments, and what that does to the cost."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ..command_line import JsonOption, SetOption, console
from ..cost import cost
from ..errors import Problem, SpecError
from ..files import load, parse_assignments, write_text
from ..quantities import format_amount, format_resolution, parse_macs, parse_resolutions
from ..transforms import RULES, Scaled, find_carried, fit, scale

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
    fitted = None if budget is None else fit(scaled, gmacs=parse_macs(budget) / 1e9)
    result = fitted or scaled
    if out is not None:
        write_text(out, result.text)
        sys.stderr.write(f"wrote {out}\n")
    if as_json:
        sys.stdout.write(json.dumps(_as_data(scaled, fitted), indent=2) + "\n")
        return
    if out is None:
        sys.stdout.write(result.text)
    report = console(stderr=True)
    for line in [*_costs(scaled), *(_fitting(scaled, fitted, budget) if fitted else []), *_weights(result)]:
        report.print(line, soft_wrap=True, markup=False)


def _as_data(scaled: Scaled, fitted: Scaled | None) -> dict[str, Any]:
    result = fitted or scaled
    carried = find_carried(result)
    before, naive, after = cost(scaled.original), cost(scaled.original, scaled.spec.size), cost(scaled.spec)
    costs = {"before": before, "as_it_is": naive, "scaled": after} | ({"fitted": cost(fitted.spec)} if fitted else {})
    return {
        "spec": result.spec.name,
        "costs": {name: own.as_dict() for name, own in costs.items()},
        "notes": {place: [str(note) for note in notes] for place, notes in result.notes.items()},
        "carried_params": carried.params,
        "new_params": carried.reasons,
    }


def _costs(scaled: Scaled) -> list[str]:
    size = scaled.spec.size
    before, naive, after = cost(scaled.original), cost(scaled.original, size), cost(scaled.spec)
    old, new = format_resolution(before.resolution), format_resolution(size)
    lines = [
        f"{before.macs / 1e9:.3f} GMACs at {old}; at {new} {naive.macs / 1e9:.3f} as it is, "
        f"{after.macs / 1e9:.3f} scaled: {after.macs / before.macs:.2f} x in place of {naive.macs / before.macs:.2f} x"
    ]
    return [*lines, *(note.what for note in scaled.notes.get("resolution", ()))]


def _fitting(scaled: Scaled, fitted: Scaled, budget: str | None) -> list[str]:
    """What fitting to the budget gave, and what is out of proportion for it."""
    if fitted is scaled:
        return [f"within {budget} as it is: nothing was fitted"]
    macs = cost(fitted.spec).macs
    lines = [f"{macs / 1e9:.3f} fitted to {budget}: {macs / cost(scaled.original).macs:.2f} x"]
    for place, notes in sorted(fitted.notes.items(), key=lambda item: (item[0] != "stem", item[0] == "head")):
        lines += [f"  {place}: {note.what}" for note in notes if note.rule == "fit" and "its proportion" in note.what]
    return lines


def _weights(scaled: Scaled) -> list[str]:
    carried = find_carried(scaled)
    total = carried.params + sum(carried.new.values())
    lines = [f"{carried.params / 1e6:.2f} of {total / 1e6:.2f} M parameters can be carried over; new:"]
    for part, counts in carried.reasons.items():
        lines += [f"  {part}  {format_amount(count)}  ({why})" for why, count in counts.items()]
    return lines
