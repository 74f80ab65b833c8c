"""Specs → other specs: the paper's way to high resolution, fitting to a budget, and which weights stay."""

from .carry import Carried, find_carried
from .draft import Note, Scaled
from .fit import fit, fit_to_budget
from .rules import RULES
from .scale import scale, scale_up
from .transfer import Transfer, plan_transfer

__all__ = [
    "RULES",
    "Carried",
    "Note",
    "Scaled",
    "Transfer",
    "find_carried",
    "fit",
    "fit_to_budget",
    "plan_transfer",
    "scale",
    "scale_up",
]
