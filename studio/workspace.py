"""The opened folder: what may be read and written in it, and what it holds. Nothing outside it is reached."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path as FilePath
from pathlib import PurePosixPath

from hiri_spec import SpecError
from hiri_spec.document import MAX_BYTES
from hiri_spec.errors import Problem, show
from hiri_spec.saving import replacing

from .listing import SUFFIXES, Listing, list_folder


@dataclass(frozen=True, slots=True)
class Opened:
    """A file as it was read: its path below the folder, its text, and the version that a write has to name."""

    path: str
    text: str
    version: str


class Conflict(SpecError):  # noqa: N818 (what has happened, rather than an error)
    """A file is not what was opened, so that writing it would lose somebody's work.

    `current` is what is there now; None if nothing is, or nothing that can be read.
    """

    def __init__(self, problem: Problem, current: Opened | None) -> None:
        super().__init__(problem)
        self.current = current

    def __reduce__(self) -> tuple[type[Conflict], tuple[Problem, Opened | None]]:  # type: ignore[override]
        return type(self), (self.problems[0], self.current)


class Workspace:
    """A folder that is open in the studio. Raises SpecError for one that isn't there."""

    def __init__(self, root: FilePath) -> None:
        try:
            self.root = root.resolve(strict=True)
        except (OSError, ValueError, RuntimeError) as error:
            raise _refusal(str(root), f"cannot be opened: {_reason(error)}; name a folder", "no_file") from None
        if not self.root.is_dir():
            raise _refusal(str(root), "is no folder; name one", "not_a_folder")
        self._writing = threading.Lock()
        """Two pages of one studio that save at once do so one after the other."""

    def locate(self, relative: str) -> FilePath:
        """The place of a path below the folder, whether anything is there or not.

        Raises SpecError for a path that leads out, by links too, for hidden ones, and for what can't be a path.
        """
        if relative == ".":  # as a search is listed in the folder that it writes to
            return self.root
        parts = PurePosixPath(relative).parts if isinstance(relative, str) else ()
        if not parts or not relative.isprintable() or "\\" in relative:
            raise _refusal("", f"{show(relative)} is no path in this folder; give one, like specs/mine.yaml", "no_path")
        if relative.startswith("/") or ".." in parts:
            raise _refusal(relative, "leads out of the opened folder; give a path below it", "outside")
        if any(part.startswith(".") for part in parts):
            raise _refusal(relative, "is hidden; give a name that begins with no dot", "hidden")
        try:
            place = (self.root / relative).resolve()
        except (OSError, ValueError, RuntimeError) as error:  # circles of links
            raise _refusal(relative, f"cannot be used: {_reason(error)}; give another path", "no_path") from None
        if not place.is_relative_to(self.root):
            raise _refusal(relative, "is a link that leads out of the opened folder; copy what it names", "outside")
        return place

    def read(self, relative: str) -> Opened:
        """A text file with its version; raises SpecError for anything but one of at most MAX_BYTES in UTF-8."""
        content = _read_bytes(self.locate(relative), relative)
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise _refusal(relative, "is not UTF-8 text; is it a YAML file?", "not_yaml") from None
        return Opened(str(PurePosixPath(relative)), text, _version(content))

    def write(self, relative: str, text: str, *, expected: str | None) -> str:
        """Write a spec, whole or not at all, over the version that was opened; returns the new version.

        With `expected` None there must be no such file yet. Raises Conflict, and writes nothing, where the file was
        changed, removed or made since; raises SpecError for a place that can't be written.
        """
        place, content = self._to_write(relative, text)
        with self._writing:
            current = self._current(place, relative)
            if expected is None:
                if current is not None or os.path.lexists(place):
                    raise Conflict(_changed(relative, "is there already; open it, or choose another name"), current)
                _write_new(place, relative, content)
                return _version(content)
            if current is None:
                message = "is not there any more, or can't be read; save it under another name, or write it anew"
                raise Conflict(_changed(relative, message), None)
            if current.version != expected:
                message = "was changed by somebody else since it was opened; nothing was written; compare the two"
                raise Conflict(_changed(relative, message), current)
            return _write_over(place, relative, content)

    def overwrite(self, relative: str, text: str) -> str:
        """Write a spec, whatever is there now; returns the new version. Raises SpecError where that can't be."""
        place, content = self._to_write(relative, text)
        with self._writing:
            return _write_over(place, relative, content)

    def listing(self) -> Listing:
        """Specs, spaces and searches, within bounds; links are not followed."""
        return list_folder(self.root, lambda path: self.read(path).text)

    def specs(self) -> tuple[str, ...]:
        """Paths of the YAML files that are specs."""
        return self.listing().specs

    def searches(self) -> tuple[str, ...]:
        """Paths of the folders with a search, the latest first; the opened folder itself is "."."""
        return self.listing().searches

    def _to_write(self, relative: str, text: str) -> tuple[FilePath, bytes]:
        place = self.locate(relative)
        if place.suffix not in SUFFIXES:
            raise _refusal(relative, f"is no name of a spec; let it end in {' or '.join(SUFFIXES)}", "not_a_spec")
        try:
            content = text.encode()
        except UnicodeEncodeError as error:
            letter = text[error.start : error.end]
            raise _refusal(relative, f"{show(letter)} can't be written as UTF-8; remove it", "not_yaml") from None
        if len(content) > MAX_BYTES:
            message = f"would be {len(content):,} bytes; a spec has at most {MAX_BYTES:,}"
            raise _refusal(relative, message, "too_large")
        try:
            if place.exists() and not place.is_file():
                raise _refusal(relative, "is no file; choose another name", "not_a_file")
        except OSError as error:
            raise _refusal(relative, f"cannot be written: {_reason(error)}; choose another place") from None
        return place, content

    def _current(self, place: FilePath, relative: str) -> Opened | None:
        if not place.exists():
            return None
        with suppress(SpecError):  # what can't be read can't be what was opened
            return self.read(relative)
        return None


def _read_bytes(place: FilePath, relative: str) -> bytes:
    try:
        # a link put there meanwhile is not followed, a pipe is not waited for
        descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as stream:  # noqa: PTH123 (a descriptor is no path)
            mode = os.fstat(descriptor).st_mode
            if stat.S_ISDIR(mode):
                raise _refusal(relative, "is a folder; name a file in it", "not_a_file")
            if not stat.S_ISREG(mode):
                raise _refusal(relative, "is no file; name one", "not_a_file")
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _refusal(relative, "no such file in the opened folder", "no_file") from None
    except IsADirectoryError:
        raise _refusal(relative, "is a folder; name a file in it", "not_a_file") from None
    except (OSError, ValueError) as error:
        raise _refusal(relative, f"cannot be read: {_reason(error)}", "unreadable") from None
    if len(content) > MAX_BYTES:
        message = f"is larger than {MAX_BYTES:,} bytes, the most that a spec may have"
        raise _refusal(relative, message, "too_large")
    return content


def _make_folder(folder: FilePath, relative: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _refusal(relative, f"cannot be written: {_reason(error)}; choose another place", "unwritable") from None


def _write_over(place: FilePath, relative: str, content: bytes) -> str:
    _make_folder(place.parent, relative)
    try:
        with replacing(place) as temporary:
            temporary.write_bytes(content)
    except SpecError as error:
        raise _refusal(relative, error.problems[0].message, error.problems[0].code) from None
    return _version(content)


def _write_new(place: FilePath, relative: str, content: bytes) -> None:
    """Write a file that must not be there, which the system itself makes sure of."""
    temporary = None
    _make_folder(place.parent, relative)
    try:
        descriptor, temporary = tempfile.mkstemp(dir=place.parent, prefix=".hiri-spec-")
        with open(descriptor, "wb") as stream:  # noqa: PTH123 (a descriptor is no path)
            stream.write(content)
            stream.flush()
            os.fsync(descriptor)
        os.chmod(temporary, 0o644)  # noqa: PTH101
        os.link(temporary, place)
    except FileExistsError:
        raise Conflict(_changed(relative, "is there already; open it, or choose another name"), None) from None
    except OSError as error:
        if temporary is not None and error.errno in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):
            _write_over(place, relative, content)  # a file system without hard links
            return
        raise _refusal(relative, f"cannot be written: {_reason(error)}; choose another place", "unwritable") from None
    finally:
        if temporary is not None:
            FilePath(temporary).unlink(missing_ok=True)


def _version(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error)


def _changed(relative: str, message: str) -> Problem:
    return Problem(message, file=relative, code="conflict")


def _refusal(relative: str, message: str, code: str = "unwritable") -> SpecError:
    return SpecError(Problem(message, file=relative if relative.isprintable() else show(relative), code=code))
