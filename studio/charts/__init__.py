"""Charts as options of Apache ECharts 6, plain data that a page gives to its chart.

Each chart always has the same series, so that one that is drawn anew replaces what was there before.
"""

from .comparison import comparison_bars
from .costs import cost_bars
from .curve import CurvePoint, curve_points, resolution_curve
from .pareto import Tried, blocks_at, pareto, trial_number

__all__ = [
    "CurvePoint",
    "Tried",
    "blocks_at",
    "comparison_bars",
    "cost_bars",
    "curve_points",
    "pareto",
    "resolution_curve",
    "trial_number",
]
