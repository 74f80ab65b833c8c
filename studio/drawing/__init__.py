"""A network as it is shown on the page: its stages to scale, and the inside of one of its blocks."""

from .draw import draw

__all__ = ["draw"]
