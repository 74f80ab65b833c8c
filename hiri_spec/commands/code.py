"""`hiri-spec code`: a spec as one readable PyTorch file that imports nothing but torch."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ..command_line import SetOption, check_not_itself
from ..errors import SpecError
from ..files import load, parse_assignments, write_text


def code(
    spec: Annotated[str, typer.Argument(metavar="SPEC", help="A YAML file, or a built-in name such as hiri_s.")],
    class_name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of the network's class, by default from the spec's name.")
    ] = None,
    set: SetOption = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write here, not to stdout.")] = None,
) -> None:
    """Write a spec as one PyTorch file that needs nothing but torch.

    It takes the state dict of the model that hiri_spec.build makes, and gives the same output, bit for bit.
    """
    from ..source import to_source

    model = load(spec, set=parse_assignments(set or []))
    check_not_itself(spec, out)
    try:
        text = to_source(model, class_name=class_name)
    except SpecError as error:
        renamed = {"class_name": "--class-name"}
        raise SpecError(replace(each, path=renamed.get(each.path, each.path)) for each in error.problems) from None
    if out is None:
        sys.stdout.buffer.write(text.encode())  # Python reads source as UTF-8, whatever the terminal's encoding is
        sys.stdout.flush()
    else:
        write_text(out, text)
        sys.stderr.write(f"wrote {out}\n")
