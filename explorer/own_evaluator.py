"""A user's own evaluator, named by where it is: `package.module:function`, or `path/to/file.py:function`."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from hiri_spec import ModelSpec, SpecError
from hiri_spec.errors import Problem, show, suggest

FLAG = "--evaluator"
LOOKED_FOR = "it is looked for in the folder that you are in, and among what is installed"
FORM = "write package.module:function, or path/to/file.py:function"


@dataclass(frozen=True, slots=True)
class OwnEvaluator:
    """What was found: its name as a study keeps it, what to call its scores, and what to call."""

    name: str
    score_name: str
    evaluate: Callable[[ModelSpec, int], float]


def load_own(name: str) -> OwnEvaluator:
    """Import a function, a class that is made without arguments, or anything that can be called as (spec, seed).

    Raises SpecError where there is no such module, file or attribute, where importing it fails, and for what can't be
    called like that.
    """
    place, _, attribute = name.rpartition(":")
    is_file = place.endswith(".py")
    parts = [*attribute.split("."), *([] if is_file else place.split("."))]
    if not name.isprintable() or not all(part.isidentifier() for part in parts):
        raise SpecError(Problem(f"{show(name)} names no evaluator; {FORM}", FLAG))
    if is_file:
        place = Path(place).as_posix()
    found = _import_file(Path(place)) if is_file else _import_module(place, attribute)
    for part in attribute.split("."):
        if not hasattr(found, part):
            known = [each for each in dir(found) if not each.startswith("_") and callable(getattr(found, each, None))]
            tail = suggest(part, known) if known else "nothing there can be called"
            raise SpecError(Problem(f"{place} has no {part!r}; {tail}", FLAG))
        found = getattr(found, part)
    if isinstance(found, type):
        with _told(f"making {attribute}()", "; an evaluator's class is made without arguments"):
            found = found()
    if not callable(found):
        message = f"{place}:{attribute} is {show(found)}, which can't be called; name a function of (spec, seed)"
        raise SpecError(Problem(message, FLAG))
    _check_arguments(found, f"{place}:{attribute}")
    return OwnEvaluator(f"{place}:{attribute}", attribute.rpartition(".")[2], found)


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        near = suggest(path.stem, [each.stem for each in path.parent.glob("*.py")])
        tail = near if near.startswith("did") else "it is looked for from the folder that you are in"
        raise SpecError(Problem(f"there is no file {path.as_posix()}; {tail}", FLAG))
    found = importlib.util.spec_from_file_location(f"own_evaluator_{path.stem}", path)
    assert found is not None  # a file that ends in .py has a loader
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module  # where dataclasses look for what they are written in
    with _told(f"importing {path.as_posix()}", file=found.origin or ""):
        found.loader.exec_module(module)
    return module


def _import_module(name: str, attribute: str) -> ModuleType:
    if name in sys.modules:
        return sys.modules[name]
    with _told(f"importing {name}"):
        try:
            found = importlib.util.find_spec(name)
            missing = name
        except ModuleNotFoundError as error:
            missing = error.name or name
            if not f"{name}.".startswith(f"{missing}."):
                raise  # a package that is there imports what is not
            found = None
    if found is None:
        file = Path(*name.split(".")).with_suffix(".py")
        tail = f"the file is named as {file.as_posix()}:{attribute}" if file.is_file() else LOOKED_FOR
        raise SpecError(Problem(f"there is no module {missing!r}; {tail}", FLAG))
    with _told(f"importing {name}", file=found.origin or ""):
        return importlib.import_module(name)


@contextmanager
def _told(what: str, hint: str = "", file: str = "") -> Iterator[None]:
    """Turn whatever a user's code raises into one line that says what, and where in the file it happened."""
    try:
        yield
    except (Exception, SystemExit) as error:
        line: int | None = None
        if isinstance(error, SyntaxError) and error.filename:
            file, line = error.filename, error.lineno
        for frame in traceback.extract_tb(error.__traceback__):
            if frame.filename == file:
                line = frame.lineno
        reason = " ".join(str(error.msg if isinstance(error, SyntaxError) else error).split())
        said = f"{type(error).__name__}: {reason}" if reason else type(error).__name__
        raise SpecError(Problem(f"{what} failed: {said}{hint}", FLAG, file=file if line else "", line=line)) from error


def _check_arguments(found: Callable[..., Any], name: str) -> None:
    """Refuse what can't take a spec and a seed, where Python can tell."""
    try:
        signature = inspect.signature(found)
    except (TypeError, ValueError):
        return
    report = {"report": None} if "report" in signature.parameters else {}
    try:
        signature.bind(None, 0, **report)
    except TypeError:
        message = f"{name} takes {signature}, and is called as (spec, seed); let it take those two, or report= as well"
        raise SpecError(Problem(message, FLAG)) from None
