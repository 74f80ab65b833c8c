"""Searches in the studio: read while they go on, whoever has started them, started and stopped.

`journal.py` reads, `levels.py` makes networks of it, `view.py` is how a search stands; `holder.py` tells who is at
work, `starting.py` checks what is asked for, `processes.py` has the processes.
"""

from __future__ import annotations

from .levels import Level, TriedPoint, Unscored
from .processes import stop_search, tail
from .starting import start_search
from .view import SearchView, read_search

__all__ = ["Level", "SearchView", "TriedPoint", "Unscored", "read_search", "start_search", "stop_search", "tail"]
