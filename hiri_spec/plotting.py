"""How a matplotlib figure becomes a PNG: by one thread at a time."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from typing import Any

_DRAWING = threading.Lock()
"""matplotlib keeps one object a font for all threads, and two that draw at once break each other's glyphs."""


def render_png(draw: Callable[[], Any], metadata: dict[str, str | None] | None = None) -> bytes:
    """The PNG of the figure that `draw` makes, which is called with no other figure in the making."""
    stream = io.BytesIO()
    with _DRAWING:
        draw().savefig(stream, format="png", metadata=metadata)
    return stream.getvalue()
