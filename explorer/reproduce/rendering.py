"""Tables on screen and as Markdown pages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.table import Table as RichTable

from hiri_spec.files import write_text

from .counted import Table


def as_rich(table: Table) -> RichTable:
    """A table for the screen."""
    rich = RichTable(title=table.title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for index, column in enumerate(table.columns):
        rich.add_column(column, justify="left" if index < 2 else "right", overflow="fold")
    for row in table.rows:
        rich.add_row(*row)
    return rich


def as_markdown(table: Table, pictures: Sequence[str]) -> str:
    """A page of docs/."""
    lines = [
        f"# {table.title}",
        "",
        f"Written by `python -m explorer.reproduce {table.options} --out docs/reproduced`.",
        "",
    ]
    lines += ["| " + " | ".join(table.columns) + " |", "|" + "---|" * len(table.columns)]
    lines += ["| " + " | ".join(row) + " |" for row in table.rows]
    for note in table.notes:
        lines += ["", note]
    for picture in pictures:
        lines += ["", f"![{table.title}]({picture})"]
    return "\n".join(lines) + "\n"


def write_page(table: Table, folder: Path, pictures: Sequence[str] = ()) -> None:
    """Write one page."""
    write_text(folder / f"{table.name}.md", as_markdown(table, pictures))
