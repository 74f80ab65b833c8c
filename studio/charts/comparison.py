"""Networks beside each other: how many times the first one's cost each has."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from hiri_spec.cost import Cost
from hiri_spec.quantities import format_bytes, format_resolution

from ..palette import theme_of
from .frame import SMALL, Options, category_axis, frame, legend, told_macs, told_params, value_axis

MEASURES = ("parameters", "MACs", "inference memory", "training memory")
MOST_NETWORKS = 4


def comparison_bars(networks: Sequence[tuple[str, Cost]], *, dark: bool = False) -> Options:
    """Parameters, MACs and memory of up to four networks, named, as multiples of the first one's."""
    theme = theme_of(dark=dark)
    shown = networks[:MOST_NETWORKS]
    values = [_measured(cost) for _, cost in shown]
    names = [f"{name} at {format_resolution(cost.resolution)}" for name, cost in shown]
    series: list[Options] = []
    for index in range(len(shown)):
        data = []
        for measure, first, own in zip(MEASURES, values[0], values[index], strict=True):
            ratio = own / max(1, first)
            told = _told(measure, own)
            times = "" if not index else f", {ratio:.2f} x"
            data.append(
                {
                    "value": round(ratio, 4),
                    "label": {"formatter": f"{told}{times}"},
                    "tooltip": {"formatter": f"{escape(names[index])}, {measure}: {told}{times}"},
                }
            )
        label = {"show": True, "position": "right", "color": theme.ink, "fontSize": SMALL}
        bar = {"type": "bar", "barMaxWidth": 22, "barGap": "10%", "barCategoryGap": "30%"}
        series.append({**bar, "name": names[index], "data": data, "label": label})
    most = max((own / max(1, first) for each in values for own, first in zip(each, values[0], strict=True)), default=1)
    reference = f"times {shown[0][0]}" if shown else "times"
    return frame(
        theme,
        _description(names, values),
        legend=legend(theme, data=names),
        grid={"left": 124, "right": 20, "top": 34, "bottom": 44},
        xAxis=value_axis(
            theme,
            reference,
            axisLabel={"color": theme.faint, "fontSize": SMALL, "showMaxLabel": False},
            nameLocation="middle",
            nameGap=26,
            min=0,
            max=round(max(1.0, most) * 1.35, 2),
            splitNumber=4,
        ),
        yAxis=category_axis(theme, list(MEASURES), inverse=True),
        series=series,
    )


def _measured(cost: Cost) -> tuple[int, int, int, int]:
    return cost.params, cost.macs, cost.memory_bytes, cost.training_memory_bytes


def _told(measure: str, value: int) -> str:
    if measure == "parameters":
        return told_params(value)
    return told_macs(value) if measure == "MACs" else format_bytes(value)


def _description(names: Sequence[str], values: Sequence[Sequence[int]]) -> str:
    told = [
        f"{name}: " + ", ".join(f"{measure} {_told(measure, own)}" for measure, own in zip(MEASURES, each, strict=True))
        for name, each in zip(names, values, strict=True)
    ]
    return "Costs beside each other, as bars. " + "; ".join(told) + "."
