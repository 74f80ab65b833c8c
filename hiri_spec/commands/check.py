"""`hiri-spec check`: whether specs are valid and within a budget."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from ..command_line import JsonOption, SetOption
from ..cost import Cost
from ..cost import cost as cost_of
from ..errors import SpecError
from ..files import load, parse_assignments
from ..quantities import format_resolution, parse_macs, parse_params, parse_resolutions


def check(
    specs: Annotated[list[str], typer.Argument(metavar="SPEC…", help="YAML files or built-in names.")],
    resolution: Annotated[
        str | None, typer.Option("--resolution", "-r", metavar="SIZES", help="Image sizes, e.g. 224,448 or 512x1024.")
    ] = None,
    budget: Annotated[str | None, typer.Option(metavar="MACS", help="Most MACs, e.g. 5gflops or 5gmacs.")] = None,
    max_params: Annotated[str | None, typer.Option(metavar="N", help="Most parameters, e.g. 35m.")] = None,
    set: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Validate specs and hold them to a budget. Status: 0 all well, 1 one over the budget, 2 one not valid."""
    most_macs = None if budget is None else parse_macs(budget)
    most_params = None if max_params is None else parse_params(max_params)
    changes = parse_assignments(set or [])
    sizes = [None] if resolution is None else list(parse_resolutions(resolution))
    results: list[dict[str, Any]] = []
    status = 0
    for name in specs:
        try:
            model = load(name, set=changes)
            costs = [cost_of(model, size) for size in sizes]
        except SpecError as error:
            results.append({"spec": name, "valid": False, "problems": [str(problem) for problem in error.problems]})
            status = 2
            continue
        over = _over_budget(costs, most_macs, most_params)
        results.append({"spec": name, "valid": True, "problems": over, "costs": [each.as_dict() for each in costs]})
        status = max(status, 1 if over else 0)
    if as_json:
        sys.stdout.write(json.dumps({"status": status, "results": results}, indent=2) + "\n")
    else:
        _print_check(results)
    raise typer.Exit(status)


def _over_budget(costs: list[Cost], most_macs: int | None, most_params: int | None) -> list[str]:
    problems = []
    if most_params is not None and costs[0].params > most_params:
        problems.append(f"{costs[0].params / 1e6:.2f} M params are over the {most_params / 1e6:.2f} M allowed")
    for each in costs:
        if most_macs is not None and each.macs > most_macs:
            size = format_resolution(each.resolution)
            problems.append(f"{each.macs / 1e9:.3f} GMACs at {size} are over the {most_macs / 1e9:.3f} G allowed")
    return problems


def _print_check(results: list[dict[str, Any]]) -> None:
    for result in results:
        for problem in result["problems"]:
            sys.stderr.write(f"error: {problem if not result['valid'] else result['spec'] + ': ' + problem}\n")
        if not result["problems"]:
            costs = ", ".join(
                f"{each['macs'] / 1e9:.3f} GMACs at {format_resolution((each['resolution'][0], each['resolution'][1]))}"
                for each in result["costs"]
            )
            sys.stdout.write(f"ok {result['spec']}: {result['costs'][0]['params'] / 1e6:.2f} M params, {costs}\n")
