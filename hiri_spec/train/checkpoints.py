"""The checkpoints of a run: files with its whole state, of which the last ones stay.

Not to be mixed up with weights (`hiri_spec.nn.checkpoint`): from a checkpoint a run goes on, weights are what it gives.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from ..errors import Problem, SpecError
from ..saving import replacing
from .state import VERSION

NAME = re.compile(r"step-([0-9]+)\.pt")


def list_checkpoints(folder: Path) -> list[Path]:
    """The checkpoints of a folder, the oldest first."""
    found = {path: match for path in folder.glob("step-*.pt") if (match := NAME.fullmatch(path.name))}
    return sorted(found, key=lambda path: int(found[path][1]))


def checkpoint_path(folder: Path, steps: int) -> Path:
    """The file of the checkpoint after so many steps."""
    return folder / f"step-{steps:08d}.pt"


def remove_checkpoint(folder: Path, steps: int) -> None:
    """Remove the checkpoint after so many steps, if there is one: it has turned out to be no good."""
    checkpoint_path(folder, steps).unlink(missing_ok=True)


def write_checkpoint(folder: Path, state: dict[str, Any], keep: int) -> Path:
    """Write a state, whole or not at all, and remove all but the last `keep`; raises SpecError if it can't be written.

    The checkpoints before are removed only after the new one is safe on the disk.
    """
    path = checkpoint_path(folder, state["progress"]["steps"])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # a stream: of a file's name torch makes one of its own, and refuses temporary ones
        with replacing(path) as temporary, temporary.open("wb") as stream:
            try:
                torch.save(state, stream)
            except RuntimeError as error:  # torch's own complaint, on closing, about what could not be written
                raise error.__context__ if isinstance(error.__context__, OSError) else error from None
        for old in list_checkpoints(folder)[:-keep]:
            old.unlink(missing_ok=True)
    except (OSError, SpecError) as error:
        raise _unwritten(path, error) from error
    return path


def _unwritten(path: Path, error: OSError | SpecError) -> SpecError:
    if isinstance(error, SpecError):
        reason = error.problems[0].message.removeprefix("cannot be written: ").removesuffix("; choose another place")
    else:
        reason = error.strerror or str(error)
    before = [each for each in list_checkpoints(path.parent) if each != path]
    kept = f"{before[-1].name} and those before it are kept" if before else "there is none before it"
    message = f"the checkpoint cannot be written: {reason}; {kept}. Make room, and run the same command again"
    return SpecError(Problem(message, file=str(path), code="unwritable"))


def read_checkpoint(folder: Path, tell: Callable[[str], None]) -> dict[str, Any] | None:
    """The state in the last checkpoint that is whole; None if there is none at all.

    One that is damaged is told of, and put aside under another name. Raises SpecError if none is whole, or if another
    version of hiri-spec wrote it. Nothing but plain data and tensors is unpickled.
    """
    paths = list_checkpoints(folder)
    for path in reversed(paths):
        try:
            state = _read(path)
        except OSError as error:
            reason = error.strerror or str(error)
            raise SpecError(Problem(f"cannot be read: {reason}", file=str(path), code="unreadable")) from None
        if state is None:
            aside = path.with_name(path.name + ".damaged")
            instead = "" if path == paths[0] else "; the one before it is used"
            tell(f"{path} is damaged, and was put aside as {aside.name}{instead}")
            path.replace(aside)
        elif state["version"] != VERSION:
            message = f"is of form {state['version']}, and this hiri-spec reads {VERSION}; use the one that began it"
            raise SpecError(Problem(message, file=str(path), code="unreadable"))
        else:
            return state
    if paths:
        message = "holds no checkpoint that is whole; begin anew with --restart, or in another folder with --out"
        raise SpecError(Problem(message, file=str(folder), code="damaged"))
    return None


def _read(path: Path) -> dict[str, Any] | None:
    """A state, or None for a file that is cut short or changed."""
    if not os.access(path, os.R_OK):
        path.open("rb").close()  # raises what is wrong
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None:  # torch reads on without looking at check sums
                return None
        state = torch.load(path, map_location="cpu", weights_only=True)
    except zipfile.BadZipFile:
        return None
    except Exception as error:
        if isinstance(error, OSError):
            raise
        return None  # whatever bytes make torch's reader stumble over
    return state if isinstance(state, dict) and "version" in state else None
