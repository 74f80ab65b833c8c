"""A search as the line that one types to run it, again or elsewhere."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from inspect import signature
from os import PathLike, fspath
from typing import Any

from hiri_spec.quantities import format_resolution
from hiri_spec.saving import flow_text

COMMAND = "python -m explorer.search"
NO_OPTIONS = ("watcher",)
"""Arguments of the function that the command line doesn't have."""


def invocation(function: Callable[..., Any], asked: Mapping[str, Any]) -> str:
    """The command, quoted for a shell, that asks for the same as a call of the function with these arguments.

    Arguments that are what they are by default are left out. A password in an address is left out too: such a line is
    printed, kept in files and passed on.
    """
    words = list(COMMAND.split())
    for name, parameter in signature(function).parameters.items():
        value = asked[name]
        if name not in NO_OPTIONS and value is not None and not _is_same(value, parameter.default):
            words += _option(name, value)
    return shlex.join(words)


def without_password(text: str) -> str:
    """An address like postgresql://user:password@host/database without the password."""
    shorter = re.sub(r"^([A-Za-z][A-Za-z0-9+.-]*://[^/@:]*):.*@", r"\1@", text)
    return re.sub(r"(?<=[?&])(password|passfile)=[^&]*&?", "", shorter).rstrip("?&") if "://" in text else text


def _is_same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and bool(value == default)


def _option(name: str, value: Any) -> Iterator[str]:
    flag = f"--{name.replace('_', '-')}"
    if isinstance(value, bool):
        yield flag if value else f"--no-{flag[2:]}"
    elif isinstance(value, Mapping):
        for path, each in value.items():
            yield from _joined(flag, f"{path}={flow_text(each)}")
    elif name == "resolution" and isinstance(value, tuple | list):
        yield from (flag, format_resolution((int(value[0]), int(value[1]))))
    elif isinstance(value, str | PathLike):
        yield from _joined(flag, without_password(str(fspath(value))))
    elif name == "then":
        for each in value:
            yield from _joined(flag, str(each))
    elif hasattr(value, "__iter__"):
        yield from _joined(flag, ",".join(str(each) for each in value))
    else:
        yield from _joined(flag, str(value))


def _joined(flag: str, value: str) -> Iterator[str]:
    """An option and its value; in one word where the value would be taken for an option of its own."""
    yield from [f"{flag}={value}"] if value.startswith("-") else [flag, value]
