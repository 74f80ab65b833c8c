"""Specs → other specs: the paper's way to high resolution, and fitting to a budget."""

from .carry import Carried, find_carried
from .draft import Scaled
from .fit import fit_to_budget
from .rules import RULES
from .scale import scale, scale_up

__all__ = ["RULES", "Carried", "Scaled", "find_carried", "fit_to_budget", "scale", "scale_up"]
