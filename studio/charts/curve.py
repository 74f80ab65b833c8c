"""MACs over the side of the image, with the budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from hiri_spec.cost import Cost, cost
from hiri_spec.errors import SpecError
from hiri_spec.quantities import format_resolution
from hiri_spec.schema import ModelSpec

from ..palette import Theme, theme_of
from .frame import SMALL, Options, frame, macs_unit, told_macs, value_axis

SIDES = (224, *range(256, 1537, 64))
TICKS = 224


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """MACs of a network on a square image, or why it can't take it."""

    side: int
    macs: int | None
    reason: str = ""


def curve_points(spec: ModelSpec, sides: Sequence[int] = SIDES) -> list[CurvePoint]:
    """What a network costs on square images, by their side in pixels."""
    points = []
    for side in sides:
        try:
            points.append(CurvePoint(side, cost(spec, side).macs))
        except SpecError as error:
            points.append(CurvePoint(side, None, error.problems[0].message))
    return points


def resolution_curve(
    points: Sequence[CurvePoint], *, own: Cost | None, budget_macs: int | None = None, dark: bool = False
) -> Options:
    """The curve, in another colour and dashed above the budget; the network's own size is marked.

    Sizes that the network can't take are left out, which a line below tells.
    """
    theme = theme_of(dark=dark)
    counted = [(point.side, point.macs) for point in points if point.macs is not None]
    unit, divisor, digits = macs_unit(max((macs for _, macs in counted), default=0))
    within, over = _parted(points, budget_macs)
    line = {"type": "line", "symbolSize": 5, "lineStyle": {"width": 2}, "emphasis": {"disabled": True}}
    return frame(
        theme,
        _description(points, own, budget_macs),
        title=_missing(points, theme.faint),
        grid={"left": 56, "right": 30, "top": 32, "bottom": 64 if any(p.macs is None for p in points) else 46},
        xAxis=value_axis(
            theme,
            "image side in pixels",
            nameLocation="middle",
            nameGap=26,
            min=min((p.side for p in points), default=TICKS),
            max=max((p.side for p in points), default=1536),
            interval=TICKS,
            axisLabel={"color": theme.faint, "fontSize": SMALL, "hideOverlap": True, "formatter": "{value}"},
            axisLine={"show": True, "lineStyle": {"color": theme.line}},
            splitLine={"show": False},
        ),
        yAxis=value_axis(theme, unit, min=0),
        series=[
            {
                **line,
                "name": "within the budget",
                "data": _data(within, divisor, digits),
                "color": theme.series[0],
                "symbol": "circle",
                "markLine": _budget_line(budget_macs, unit, divisor, theme.ink),
            },
            {
                **line,
                "name": "over the budget",
                "data": _data(over, divisor, digits),
                "color": theme.warning,
                "symbol": "triangle",
                "lineStyle": {"width": 2, "type": "dashed"},
            },
            {
                "type": "scatter",
                "name": "its own size",
                "symbol": "diamond",
                "symbolSize": 15,
                "color": theme.accent,
                "itemStyle": {"borderColor": theme.paper, "borderWidth": 1.5, "decal": {"symbol": "none"}},
                "z": 5,
                "data": _own(own, divisor, digits, theme),
            },
        ],
    )


Spot = tuple[float, float | None, bool]
"""A side, MACs (None: the line is broken), and whether it was counted; where the budget is met lies in between."""


def _parted(points: Sequence[CurvePoint], budget_macs: int | None) -> tuple[list[Spot], list[Spot]]:
    """The part of the curve within the budget and the part above it, which meet where the budget is."""
    limit = float("inf") if budget_macs is None else budget_macs
    within: list[Spot] = []
    over: list[Spot] = []
    for before, point in pairwise([None, *points]):
        if point is None or point.macs is None:
            gap = (float(point.side) if point else 0.0, None, False)
            within.append(gap)
            over.append(gap)
            continue
        if before is not None and before.macs is not None and (before.macs <= limit) != (point.macs <= limit):
            share = (limit - before.macs) / (point.macs - before.macs)
            met = (before.side + share * (point.side - before.side), limit, False)
            within.append(met)
            over.append(met)
        (within if point.macs <= limit else over).append((point.side, point.macs, True))
    return within, over


def _data(spots: Sequence[Spot], divisor: float, digits: int) -> list[Options]:
    data: list[Options] = []
    for side, macs, is_counted in spots:
        value = [round(side, 1), None if macs is None else round(macs / divisor, digits)]
        if macs is None or not is_counted:
            data.append({"value": value, "symbol": "none"})
        else:
            data.append({"value": value, "tooltip": {"formatter": f"{side:g} px: {told_macs(macs)}"}})
    return data


def _own(own: Cost | None, divisor: float, digits: int, theme: Theme) -> list[Options]:
    """The network's own size, at the side of the square that has as many pixels."""
    if own is None:
        return []
    height, width = own.resolution
    told = f"{format_resolution(own.resolution)} px: {told_macs(own.macs)}"
    side = round((height * width) ** 0.5, 1)
    label = {
        "show": True,
        "position": "left" if side > 900 else "top",
        "formatter": told,
        "color": theme.ink,
        "backgroundColor": theme.panel,
        "padding": [2, 5],
        "borderRadius": 3,
        "fontSize": SMALL + 1,
        "distance": 12,
    }
    value = [side, round(own.macs / divisor, digits)]
    return [{"value": value, "label": label, "tooltip": {"formatter": f"its own size, {told}"}}]


def _budget_line(budget_macs: int | None, unit: str, divisor: float, ink: str) -> Options:
    told = "" if budget_macs is None else f"budget {budget_macs / divisor:,.4g} {unit}"
    return {
        "silent": True,
        "symbol": "none",
        "lineStyle": {"color": ink, "type": [6, 4], "width": 1.5},
        "label": {"formatter": told, "position": "insideEndTop", "color": ink, "fontSize": SMALL + 1},
        "data": [] if budget_macs is None else [{"yAxis": budget_macs / divisor}],
    }


def _missing(points: Sequence[CurvePoint], colour: str) -> Options:
    """A line on the sizes that are left out, and why."""
    missing = [point for point in points if point.macs is None]
    sides = ", ".join(str(point.side) for point in missing[:6]) + (" …" if len(missing) > 6 else "")
    told = f"not at {sides}: {missing[0].reason}" if missing else ""
    shown = told if len(told) <= 110 else told[:109] + "…"
    return {"text": shown, "left": 8, "bottom": 2, "textStyle": {"color": colour, "fontSize": SMALL, "fontWeight": 400}}


def _description(points: Sequence[CurvePoint], own: Cost | None, budget_macs: int | None) -> str:
    counted = [(point.side, point.macs) for point in points if point.macs is not None]
    parts = ["MACs over the side of the image, as a curve"]
    if counted:
        first, last = counted[0], counted[-1]
        parts.append(f"from {told_macs(first[1])} at {first[0]} to {told_macs(last[1])} at {last[0]} pixels")
    if own is not None:
        parts.append(f"its own size is {format_resolution(own.resolution)}, with {told_macs(own.macs)}")
    if budget_macs is not None:
        fitting = [side for side, macs in counted if macs <= budget_macs]
        where = f"is kept up to {max(fitting)} pixels" if fitting else "is kept at none of these sizes"
        parts.append(f"the budget of {told_macs(budget_macs)} {where}")
    if len(counted) < len(points):
        missing = ", ".join(str(point.side) for point in points if point.macs is None)
        parts.append(f"it can't take {missing} pixels")
    return "; ".join(parts) + "."
