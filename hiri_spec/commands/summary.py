"""`hiri-spec summary`: the modules of a spec's network or of a checkpoint, with what each costs. No torch is needed."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from ..checkpoint_file import DTYPES, BuildOptions, Checkpoint, read_checkpoint
from ..command_line import JsonOption, SetOption, console
from ..cost import CONVENTION
from ..errors import Problem, SpecError
from ..files import builtin_specs, load, parse_assignments
from ..module_cost import module_costs
from ..network import read_resolution
from ..quantities import format_bytes, format_resolution, parse_resolutions
from ..schema import ModelSpec

TORCH_SUFFIXES = (".pt", ".pth", ".bin", ".ckpt")


def summary(
    target: Annotated[
        str,
        typer.Argument(
            metavar="SPEC|CHECKPOINT",
            help="A built-in name, a YAML file, or a safetensors file (or its folder) that save_pretrained wrote.",
        ),
    ],
    resolution: Annotated[
        str | None,
        typer.Option("--resolution", "-r", metavar="SIZE", help="Image size, e.g. 448 or 512x1024 (height first)."),
    ] = None,
    depth: Annotated[
        int, typer.Option(min=1, help="How deep to go: stages.0.blocks is 3 deep, its blocks 4, their layers 5 and 6.")
    ] = 3,
    set: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """The modules of a network with the cost of each; a checkpoint's tensors are checked against its spec."""
    sizes = [None] if resolution is None else list(parse_resolutions(resolution))
    if len(sizes) != 1:
        raise SpecError(Problem("a summary shows one size; give one", "--resolution"))
    spec, checkpoint = _read(target, parse_assignments(set or []))
    options = BuildOptions() if checkpoint is None else checkpoint.options
    size = read_resolution(spec, sizes[0])
    rows = module_costs(
        spec, size, depth=depth, has_head=not options.features_only, has_classifier=options.has_classifier
    )
    whole = [row for row in rows if "." not in row.name]
    params, macs = sum(row.params for row in whole), sum(row.macs for row in whole)
    weights = None if checkpoint is None else _describe(checkpoint)
    if as_json:
        data = {
            "name": spec.name,
            "convention": CONVENTION,
            "resolution": list(size),
            "params": params,
            "macs": macs,
            "memory_bytes": max(row.memory_bytes for row in whole),
            "weights": weights,
            "modules": [row.as_dict() for row in rows],
        }
        sys.stdout.write(json.dumps(data, indent=2) + "\n")
        return
    from ..tables import modules_table

    out = console()
    totals = f"{params / 1e6:.2f} M params, {macs / 1e9:.3f} GMACs at {format_resolution(size)}"
    out.print(f"{spec.name}{_form(options)}: {totals}", "", modules_table(rows, size, macs), "", sep="\n")
    if weights is not None:
        kinds = ", ".join(f"{count} of {name}" for name, count in weights["dtypes"].items())
        out.print(
            f"{weights['file']}: {weights['tensors']} tensors ({kinds}), {format_bytes(weights['bytes'])}; "
            "names and shapes are those of the spec inside",
            soft_wrap=True,
            markup=False,
        )
    out.print(f"{CONVENTION}. Memory: activations while it runs, its input included, batch 1, float32.", style="dim")


def _read(target: str, changes: dict[str, Any]) -> tuple[ModelSpec, Checkpoint | None]:
    """The spec of what is named, and the checkpoint that it is inside of, if so."""
    path = Path(target)
    if path.suffix in TORCH_SUFFIXES:
        message = "is a torch file, with no spec inside; load it with hiri_spec.load_weights(model, path)"
        raise SpecError(Problem(message, file=target, code="not_safetensors"))
    is_checkpoint = path.suffix == ".safetensors" or (target not in ("", *builtin_specs()) and path.is_dir())
    if not is_checkpoint:
        return load(target, set=changes), None
    if changes:
        raise SpecError(Problem("the spec inside a checkpoint can't be changed; leave it out", "--set"))
    checkpoint = read_checkpoint(path)
    return checkpoint.check(), checkpoint


def _form(options: BuildOptions) -> str:
    if options.features_only:
        return " (features only)"
    return "" if options.has_classifier else " (no classifier)"


def _describe(checkpoint: Checkpoint) -> dict[str, Any]:
    """Number of tensors, bytes, and the number of tensors of each type of numbers."""
    tensors = checkpoint.tensors.values()
    return {
        "file": checkpoint.file,
        "tensors": len(tensors),
        "bytes": sum(tensor.bytes for tensor in tensors),
        "dtypes": dict(Counter(DTYPES.get(tensor.dtype, (tensor.dtype, 0))[0] for tensor in tensors).most_common()),
    }
