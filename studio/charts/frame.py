"""What all charts share: colours, axes, the description for those who don't see them."""

from __future__ import annotations

from typing import Any

from ..palette import FONT, Theme

Options = dict[str, Any]
SMALL, LABEL = 11, 12
SMALLEST_IN_G = 10**8
"""MACs from which on they are told in billions."""
SMALLEST_IN_M = 10**5


def frame(theme: Theme, description: str, **options: Any) -> Options:
    """Options with the page's colours, a description in words, and patterns beside the colours of bars."""
    return {
        "backgroundColor": "transparent",
        "animationDuration": 150,
        "animationDurationUpdate": 150,
        "color": list(theme.series),
        "textStyle": {"color": theme.ink, "fontSize": LABEL, "fontFamily": FONT},
        "aria": {
            "enabled": True,
            "label": {"enabled": True, "description": description},
            "decal": {"show": True, "decals": decals(theme)},
        },
        "tooltip": tooltip(theme),
        **options,
    }


def tooltip(theme: Theme, **more: Any) -> Options:
    """What is told under the pointer; it stays inside of the chart."""
    return {
        "trigger": "item",
        "confine": True,
        "backgroundColor": theme.panel,
        "borderColor": theme.line,
        "textStyle": {"color": theme.ink, "fontSize": LABEL},
        **more,
    }


def decals(theme: Theme) -> list[Options]:
    """Patterns in the order of a chart's series: none, lines one way, lines the other, dots."""
    ink = "rgba(255,255,255,0.55)" if theme.paper == "#ffffff" else "rgba(0,0,0,0.5)"
    slanted = {"symbol": "rect", "color": ink, "dashArrayX": [1, 0], "dashArrayY": [2, 5]}
    return [
        {"symbol": "none"},
        {**slanted, "rotation": -0.7854},
        {**slanted, "rotation": 0.7854},
        {
            "symbol": "circle",
            "color": ink,
            "dashArrayX": [[6, 6], [0, 6, 6, 0]],
            "dashArrayY": [5, 0],
            "symbolSize": 0.8,
        },
    ]


def category_axis(theme: Theme, names: list[str], **more: Any) -> Options:
    """An axis of names, all of which are written."""
    return {
        "type": "category",
        "data": names,
        "axisLine": {"show": True, "lineStyle": {"color": theme.line}},
        "axisTick": {"show": False},
        "axisLabel": {"color": theme.ink, "fontSize": LABEL, "interval": 0, "hideOverlap": True},
        **more,
    }


def value_axis(theme: Theme, name: str, **more: Any) -> Options:
    """An axis of figures, its name and unit beside it."""
    return {
        "type": "value",
        "name": name,
        "nameTextStyle": {"color": theme.ink, "fontSize": LABEL},
        "axisLine": {"show": False, "lineStyle": {"color": theme.line}},
        "axisTick": {"show": False},
        "axisLabel": {"color": theme.faint, "fontSize": SMALL, "hideOverlap": True},
        "splitLine": {"lineStyle": {"color": theme.grid}},
        **more,
    }


def legend(theme: Theme, **more: Any) -> Options:
    """The names of a chart's series; many are leafed through."""
    return {
        "type": "scroll",
        "top": 0,
        "itemHeight": 12,
        "textStyle": {"color": theme.ink, "fontSize": LABEL},
        "pageTextStyle": {"color": theme.ink},
        "pageIconColor": theme.ink,
        "pageIconInactiveColor": theme.line,
        **more,
    }


def macs_unit(most: float) -> tuple[str, float, int]:
    """GMACs, or MMACs for small networks: the unit, MACs in one of it, digits behind the point."""
    return ("GMACs", 1e9, 3) if most >= SMALLEST_IN_G else ("MMACs", 1e6, 1)


def told_macs(macs: float) -> str:
    """MACs with their unit, as the command line writes them: 5.009 GMACs."""
    unit, divisor, digits = macs_unit(macs)
    return f"{macs / divisor:,.{digits}f} {unit}"


def told_params(params: int) -> str:
    """Parameters in millions, as the command line writes them; few ones are told whole."""
    return f"{params / 1e6:,.2f} M" if params >= SMALLEST_IN_M else f"{params:,}"
