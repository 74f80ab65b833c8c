"""optuna-dashboard on a study while the search goes on: `dashboard.py` starts it, `server.py` is its process.

It reads the study by itself, and can't write to it.
"""

from __future__ import annotations

from .dashboard import Dashboard, require_dashboard

__all__ = ["Dashboard", "require_dashboard"]
