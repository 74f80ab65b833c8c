"""How soon a cold command answers, against importing torch."""

from __future__ import annotations

from .timing import alternate, python, report


def cold_cost() -> bool:
    """A whole `hiri-spec cost` process against `python -c "import torch"`, in turn."""
    cost, torch, ratio = alternate(python("-m", "hiri_spec", "cost", "hiri_s"), python("-c", "import torch"), 9)
    print(f"       hiri-spec cost {cost:.3f} s, import torch {torch:.3f} s")
    return report("cold hiri-spec cost against import torch", f"{ratio:.2f}", "0.3", ratio < 0.3)
