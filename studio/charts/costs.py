"""What each stage costs, at each of some resolutions, as bars."""

from __future__ import annotations

from collections.abc import Sequence

from hiri_spec.cost import Cost, CostRow
from hiri_spec.quantities import format_resolution

from ..palette import theme_of
from .frame import SMALL, Options, category_axis, frame, legend, macs_unit, told_macs, told_params, tooltip, value_axis

MOST_LABELS = 16
"""Bars that have their figure above them; with more there is no room."""
MOST_STAGES = 40


def cost_bars(costs: Sequence[Cost], *, dark: bool = False) -> Options:
    """MACs of the stem, each stage and the head, a bar a resolution; below them the parameters.

    `costs` are of one network. Stages past the fortieth are summed up in one bar.
    """
    theme = theme_of(dark=dark)
    tables = [_shortened(cost.by_stage()) for cost in costs]
    names = [row.name.replace("stages.", "stage ") for row in tables[0]] if tables else []
    unit, divisor, digits = macs_unit(max((cost.macs for cost in costs), default=0))
    has_labels = len(names) * len(costs) <= MOST_LABELS
    label = {"show": has_labels, "position": "top", "color": theme.ink, "fontSize": SMALL, "distance": 3}
    bar = {
        "type": "bar",
        "barMaxWidth": 44,
        "barCategoryGap": "28%",
        "barGap": "8%",
        "labelLayout": {"hideOverlap": True},
    }
    series: list[Options] = []
    for cost, rows in zip(costs, tables, strict=True):
        size = format_resolution(cost.resolution)
        data = [
            {
                "value": round(row.macs / divisor, digits),
                "tooltip": {"formatter": f"{name} at {size}: {told_macs(row.macs)}, {_percent(row.macs, cost.macs)}"},
                "label": {"formatter": f"{row.macs / divisor:,.{digits}f}"},
            }
            for name, row in zip(names, rows, strict=True)
        ]
        series.append({**bar, "name": f"{size} px", "data": data, "label": label, "xAxisIndex": 0, "yAxisIndex": 0})
    params = [
        {
            "value": round(row.params / 1e6, 3),
            "tooltip": {"formatter": f"{name}: {row.params:,} parameters, {_percent(row.params, costs[0].params)}"},
            "label": {"formatter": told_params(row.params)},
        }
        for name, row in zip(names, tables[0] if tables else (), strict=True)
    ]
    whole = {**bar, "name": "parameters", "data": params, "label": {**label, "show": len(names) <= MOST_LABELS}}
    series.append(
        {**whole, "xAxisIndex": 1, "yAxisIndex": 1, "color": theme.faint, "itemStyle": {"decal": {"symbol": "none"}}}
    )
    is_grouped = len(costs) > 1
    top = 62 if is_grouped else 34
    return frame(
        theme,
        _description(costs, tables, names),
        tooltip=tooltip(theme),
        legend=legend(theme, show=is_grouped, data=[each["name"] for each in series[:-1]]),
        grid=[
            {"left": 52, "right": 12, "top": top, "bottom": "52%"},
            {"left": 52, "right": 12, "top": "64%", "bottom": 26},
        ],
        xAxis=[category_axis(theme, names, gridIndex=0), category_axis(theme, names, gridIndex=1)],
        yAxis=[
            value_axis(theme, unit, gridIndex=0, splitNumber=3),
            value_axis(theme, "params M", gridIndex=1, splitNumber=3),
        ],
        series=series,
    )


def _shortened(rows: Sequence[CostRow]) -> list[CostRow]:
    """The rows, those of very many stages summed up in the last but one."""
    if len(rows) <= MOST_STAGES:
        return list(rows)
    folded = rows[MOST_STAGES - 2 : -1]
    macs, params = sum(row.macs for row in folded), sum(row.params for row in folded)
    rest = CostRow(f"{len(folded):,} more", "", None, len(folded), params, macs, 0, None)
    return [*rows[: MOST_STAGES - 2], rest, rows[-1]]


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / max(1, whole):.1f} %"


def _description(costs: Sequence[Cost], tables: Sequence[Sequence[CostRow]], names: Sequence[str]) -> str:
    if not costs:
        return "Cost by stage: nothing to show yet."
    sums = "; ".join(f"{told_macs(cost.macs)} at {format_resolution(cost.resolution)}" for cost in costs)
    shares = ", ".join(
        f"{name} {_percent(row.macs, costs[0].macs)} of MACs and {_percent(row.params, costs[0].params)} of parameters"
        for name, row in zip(names, tables[0], strict=True)
    )
    size = format_resolution(costs[0].resolution)
    return f"Cost by stage, as bars. In all {told_params(costs[0].params)} parameters, {sums}. At {size}: {shares}."
