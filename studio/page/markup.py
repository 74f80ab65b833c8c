"""Small pieces of HTML that the page is made of; whatever comes from a spec is escaped here."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import unified_diff
from html import escape

from hiri_spec.cost import Cost
from hiri_spec.differences import Change, as_text
from hiri_spec.quantities import format_bytes, format_resolution
from hiri_spec.tables import format_shape

CONTEXT_LINES = 2
"""Unchanged lines that are shown around a change."""


def table(caption: str, headings: Sequence[str], rows: Sequence[Sequence[str]], *, words: int = 1) -> str:
    """A table whose first `words` columns are words, the others figures."""
    head = "".join(
        f'<th scope="col" class="{"words" if place < words else "figures"}">{escape(heading)}</th>'
        for place, heading in enumerate(headings)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<th scope="row">{escape(cell)}</th>'
            if place == 0
            else f'<td class="{"words" if place < words else "figures"}">{escape(cell)}</td>'
            for place, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="studio-scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def cost_table(costs: Sequence[Cost]) -> str:
    """What each stage costs, as `hiri-spec cost` prints it."""
    headings = ["stage", "what", "params"]
    for cost in costs:
        size = format_resolution(cost.resolution)
        headings += [f"output @{size}", f"MMACs @{size}", "%", "memory"]
    rows = []
    for members in zip(*(cost.by_stage() for cost in costs), strict=True):
        cells = [members[0].name, members[0].kind, f"{members[0].params:,}"]
        for row, cost in zip(members, costs, strict=True):
            share = f"{100 * row.macs / max(1, cost.macs):.1f}"
            cells += [format_shape(row.output), f"{row.macs / 1e6:,.1f}", share, format_bytes(row.memory_bytes)]
        rows.append(cells)
    return table("Cost by stage", headings, rows, words=2)


def changes_table(changes: Sequence[Change]) -> str:
    """The differences between two specs in words."""
    if not changes:
        return '<p class="studio-note">They describe the same network.</p>'
    rows = [[change.path, as_text(change.before), as_text(change.after)] for change in changes]
    return table("Differences", ["field", "before", "after"], rows, words=3)


def cost_change_table(pairs: Sequence[tuple[Cost, Cost]]) -> str:
    """What the differences do to the cost."""
    measures = [("params M", pairs[0][0].params / 1e6, pairs[0][1].params / 1e6)]
    for before, after in pairs:
        sizes = dict.fromkeys((format_resolution(before.resolution), format_resolution(after.resolution)))
        size = " → ".join(sizes)
        measures.append((f"GMACs @{size}", before.macs / 1e9, after.macs / 1e9))
        measures.append((f"memory MiB @{size}", before.memory_bytes / 2**20, after.memory_bytes / 2**20))
    rows = [[name, f"{was:.3f}", f"{now:.3f}", f"{now / was:.3f}" if was else "–"] for name, was, now in measures]
    return table("Cost", ["measure", "before", "after", "ratio"], rows)


def text_difference(before: str, after: str) -> str:
    """Two texts line by line: what goes, what comes, and a little of what stays."""
    lines = unified_diff(before.splitlines(), after.splitlines(), n=CONTEXT_LINES, lineterm="")
    shown: list[str] = []
    for line in list(lines)[2:]:  # without the names of two files
        if line.startswith("@@"):
            shown.append('<div class="same">⋯</div>')
            continue
        kind, name = {"+": ("more", "added: "), "-": ("less", "removed: ")}.get(line[0], ("same", ""))
        hidden = f'<span class="studio-hidden">{name}</span>' if name else ""
        shown.append(f'<div class="{kind}">{hidden}<span>{escape(line)}</span></div>')
    return f'<pre class="studio-difference" tabindex="0" aria-label="Changes to the text">{"".join(shown)}</pre>'
