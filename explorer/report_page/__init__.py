"""The page that shows a search: one HTML file with everything in it, which asks no network for anything.

`data.py` says what is shown, `page.py` writes it into `page.html`, and `scripts/` draws it in the browser.
"""

from __future__ import annotations

from .page import write_page

__all__ = ["write_page"]
