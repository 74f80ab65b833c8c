"""Drawing from several threads."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

from matplotlib.figure import Figure

from hiri_spec.plotting import render_png


def test_threads_draw_one_after_the_other() -> None:
    """Two at once broke each other's glyphs: FT_Load_Glyph failed with an invalid outline."""
    spans: list[tuple[float, float]] = []

    def draw() -> Any:
        began = time.perf_counter()
        figure = Figure(figsize=(1, 1))
        figure.add_subplot().set_title("$1$")
        time.sleep(0.005)
        spans.append((began, time.perf_counter()))
        return figure

    with ThreadPoolExecutor(4) as pool:
        pictures = list(pool.map(lambda _: render_png(draw), range(8)))
    spans.sort()
    assert all(end <= begins for (_, end), (begins, _) in pairwise(spans))
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
