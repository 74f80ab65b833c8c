"""Writing the page: the template filled with style, scripts and data, under a policy that lets nothing else in."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from hiri_spec.files import write_text

from .data import page_data

if TYPE_CHECKING:
    from ..results import SearchResult

STYLES = ("page", "pictures", "contents")
SCRIPTS = ("elements", "axes", "scatter", "front", "curves", "detail", "compare", "networks", "page")
"""In the order in which they need one another; together they are one script."""


def write_page(result: SearchResult, path: Path) -> Path:
    """Write the page of a search, whole or not at all; returns where it is."""
    write_text(path, render(page_data(result)))
    return path


def render(data: dict[str, Any]) -> str:
    """The page as HTML."""
    folder = files(__package__)
    style = "".join(f"\n{folder.joinpath('styles', f'{name}.css').read_text(encoding='utf-8')}" for name in STYLES)
    script = "".join(f"\n{folder.joinpath('scripts', f'{name}.js').read_text(encoding='utf-8')}" for name in SCRIPTS)
    return Template(folder.joinpath("page.html").read_text(encoding="utf-8")).substitute(
        policy=escape(policy(style, script)),
        title=escape(data["title"]),
        style=style,
        script=script,
        data=json_in_html(data),
    )


def policy(style: str, script: str) -> str:
    """What the browser may load and run: this style and this script, and nothing from anywhere else."""
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def json_in_html(data: Any) -> str:
    """JSON that can stand in a script element: no text in it ends the element or begins another."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
