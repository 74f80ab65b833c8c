"""Specs → other specs: the paper's way to high resolution, fitting to a budget, and which weights stay."""

from .carry import Carried, find_carried
from .fit import fit_to_budget
from .scale import RULES, Scaled, scale, scale_up
from .transfer import Transfer, plan_transfer

__all__ = [
    "RULES",
    "Carried",
    "Scaled",
    "Transfer",
    "find_carried",
    "fit_to_budget",
    "plan_transfer",
    "scale",
    "scale_up",
]
