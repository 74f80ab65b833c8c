"""The explorer: search for networks in the language of hiri_spec, under a budget."""

from __future__ import annotations

TYPE_CHECKING = False  # not typing's: until a program has started, Ctrl-C finds as little as can be being imported

if TYPE_CHECKING:
    from typing import Any

    from .results import SearchResult
    from .search import search

__all__ = ["SearchResult", "search"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        import importlib

        if name == "search":
            # the module can be called like the function of its name, and stays importable
            return importlib.import_module("explorer.search")
        return importlib.import_module("explorer.results").SearchResult
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
