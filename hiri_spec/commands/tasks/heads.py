"""`hiri-spec tasks list`: the heads, their hosts, the maps that they read, and the paper's schedule for them."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from importlib.util import find_spec
from typing import Any

from ...command_line import JsonOption, console, print_tables
from ...tasks.heads import HEADS, HOSTS, MODULES

FINDS = {"boxes": "boxes", "masks": "boxes, masks", "segmentation": "pixel classes"}


def list_heads(as_json: JsonOption = False) -> None:
    """The heads that backbones are put under."""
    missing = [host for host, names in MODULES.items() if any(find_spec(name) is None for name in names)]
    if as_json:
        sys.stdout.write(json.dumps([asdict(head) | {"finds": head.kind} for head in HEADS.values()], indent=2) + "\n")
    else:
        out = console()
        print_tables(out, _table())
        out.print()
        out.print(
            "Strides in brackets are those that the neck adds of its own, unless the backbone has such a stage.",
            style="dim",
            soft_wrap=True,
        )
    if missing:
        packages = ", ".join(HOSTS[host] for host in missing)
        sys.stderr.write(f"note: not installed: {packages}; pip install 'hiri-spec[detect]'\n")


def _table() -> Any:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in ("head", "finds", "hosts", "strides", "recipe"):
        table.add_column(name, overflow="fold")
    for head in HEADS.values():
        extra = f" ({', '.join(map(str, head.extra_strides))})" if head.extra_strides else ""
        strides = ", ".join(map(str, head.strides)) + extra
        table.add_row(head.name, FINDS[head.kind], ", ".join(head.hosts), strides, head.recipe)
    return table
