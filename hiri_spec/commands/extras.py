"""Commands that need more than the package's own dependencies say which extra has it."""

from __future__ import annotations

from importlib.util import find_spec

from ..errors import Problem, SpecError

MODULES = {
    "train": ("accelerate", "torchmetrics"),
    "detect": ("accelerate", "torchmetrics", "pycocotools"),
    "studio": ("nicegui",),
}
"""What the commands of an extra import at once; further modules are asked for by whoever needs them."""


def require(extra: str) -> None:
    """Raise SpecError that names the extra to install, where modules of it are not there."""
    missing = [name for name in MODULES[extra] if find_spec(name) is None]
    if missing:
        message = f"this needs {', '.join(missing)}, not installed; pip install 'hiri-spec[{extra}]'"
        raise SpecError(Problem(message, code="missing"))
