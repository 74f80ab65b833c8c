"""What a studio is opened on: a folder, and in it a spec, a search or nothing yet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hiri_spec.errors import Problem, SpecError
from hiri_spec.files import builtin_specs, find

FIRST = "hiri_s"
"""The built-in spec that is shown where none is named."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The folder that may be read and written, and what is shown first: of these three, at most one."""

    folder: Path
    file: str | None = None
    """A file in the folder, relative to it."""
    builtin: str | None = None
    """A built-in spec, which is shown without a file of its own."""
    search: str | None = None
    """The folder of a search, relative to the opened one."""

    @property
    def query(self) -> str:
        """The part of the page's address that opens this."""
        from urllib.parse import urlencode

        named = {"file": self.file, "builtin": self.builtin, "search": self.search}
        chosen = {name: value for name, value in named.items() if value is not None}
        return f"?{urlencode(chosen)}" if chosen else ""


def find_opening(named: str | None, here: Path) -> Opening:
    """Read the argument of `hiri-spec studio`; raises SpecError where there is no such thing.

    What lies in the current folder opens that; what lies elsewhere opens its own folder.
    """
    here = here.resolve()
    if named is None:
        return Opening(here, builtin=FIRST)
    if named in builtin_specs():
        return Opening(here, builtin=named)
    path = Path(named)
    if (path / "study.journal").is_file():
        path = path.resolve()
        inside = path.is_relative_to(here) and path != here
        folder = here if inside else path.parent
        return Opening(folder, search=path.relative_to(folder).as_posix())
    if named and path.is_dir():
        return Opening(path.resolve(), builtin=FIRST)
    file = find(named).resolve()
    if file.is_dir():
        raise SpecError(Problem("is no spec, search or folder; name one", file=named, code="not_a_spec"))
    folder = here if file.is_relative_to(here) else file.parent
    return Opening(folder, file=file.relative_to(folder).as_posix())
