"""Specs → other specs: the paper's way to high resolution, and fitting to a budget."""

from .carry import Carried, find_carried
from .draft import Note, Scaled
from .fit import fit, fit_to_budget
from .rules import RULES
from .scale import scale, scale_up

__all__ = ["RULES", "Carried", "Note", "Scaled", "find_carried", "fit", "fit_to_budget", "scale", "scale_up"]
