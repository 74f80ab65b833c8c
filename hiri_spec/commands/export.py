"""`hiri-spec export`: a network as ONNX or as a program of torch.export, checked on photographs before it is kept."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..command_line import JsonOption, SetOption, check_not_itself
from ..errors import Problem, SpecError
from ..files import load, parse_assignments
from ..quantities import format_bytes, parse_resolutions

if TYPE_CHECKING:
    from ..nn.exporting import Exported


def export(
    spec: Annotated[str, typer.Argument(metavar="SPEC", help="A YAML file, or a built-in name such as hiri_s.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where to write: FILE.onnx or FILE.pt2.")],
    form: Annotated[
        str | None, typer.Option("--format", metavar="onnx|pt2", help="By default what FILE ends with.")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Weights to load: safetensors, its folder, or a .pt state dict.")
    ] = None,
    resolution: Annotated[
        str | None, typer.Option("--resolution", "-r", metavar="SIZE", help="Image size; by default the spec's.")
    ] = None,
    dynamic: Annotated[
        str, typer.Option(metavar="size|batch|none", help="What is left open: batch, height and width; batch; nothing.")
    ] = "size",
    opset: Annotated[int | None, typer.Option(metavar="N", help="Operator set of the ONNX file.")] = None,
    fuse: Annotated[bool, typer.Option("--fuse", help="Fold norms and branches into convolutions first.")] = False,
    set: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a network for elsewhere, and check what was written on photographs against the model.

    Status 1, and nothing written, if an output differs by more than 1e-4 of the largest.
    """
    sizes = [None] if resolution is None else list(parse_resolutions(resolution))
    if len(sizes) != 1:
        raise SpecError(Problem("an export is traced at one size; give one", "--resolution"))
    model = load(spec, set=parse_assignments(set or []))
    check_not_itself(spec, out)
    from ..nn.exporting import export as write
    from ..nn.parity import ParityError

    def tell(step: str) -> None:
        sys.stderr.write(f"{step} …\n")

    try:
        done = write(
            model,
            out,
            format=form,
            dynamic=dynamic,  # type: ignore[arg-type]  # it is checked there
            resolution=sizes[0],
            opset=opset,
            weights=weights,
            fuse=fuse,
            tell=tell,
        )
    except ParityError as error:
        sys.stderr.write(f"error: {error}; nothing was written\n")
        raise typer.Exit(1) from None
    sys.stdout.write(json.dumps(done.as_dict(), indent=2) + "\n" if as_json else _sentence(done))


def _sentence(done: Exported) -> str:
    form = done.format if done.opset is None else f"{done.format}, opset {done.opset}"
    shapes = [
        f"{name} {'x'.join(map(str, shape))}" for side in (done.inputs, done.outputs) for name, shape in side.items()
    ]
    lines = [f"{done.path}: {form}, {format_bytes(done.file_bytes)}; {', '.join(shapes)}"]
    if done.sides is not None:
        most = "" if done.sides.largest is None else f" and at most {done.sides.largest}"
        lines.append(f"height and width are open, from {done.sides.smallest} pixels{most}")
    lines.append(f"worst difference from the model on {len(done.differences)} batches of photographs: {done.worst}")
    return "\n".join(lines) + "\n"
