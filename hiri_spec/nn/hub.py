"""Checkpoints on the Hugging Face hub: fetching one, and putting one there."""

from __future__ import annotations

import os
import re
from pathlib import Path as FilePath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import huggingface_hub
from huggingface_hub import errors
from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]

from ..checkpoint_file import WEIGHTS_NAME, find_weights
from ..errors import Problem, SpecError
from ..files import builtin_specs

if TYPE_CHECKING:
    from .backbone import Backbone

REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
"""What is taken for a hub repository where no such folder is: owner/name."""
FAILURES = (OSError, ValueError, HTTPError, errors.EntryNotFoundError)
"""What huggingface_hub raises for a repository or file that isn't there, for no access, and without a network.

HTTPError is that of its HTTP library, which has been another from version to version.
"""
REASONS: dict[type[Exception], str] = {
    errors.OfflineModeIsEnabled: "HF_HUB_OFFLINE is set, which forbids the network",
    errors.LocalEntryNotFoundError: "the hub can't be reached, and the local cache hasn't got it",
    errors.GatedRepoError: "the repository is gated; ask for access on its page and log in",
    errors.RepositoryNotFoundError: "there is no such repository, or you have no access to it",
    errors.RevisionNotFoundError: "the repository has no such revision",
    errors.EntryNotFoundError: f"the repository has no {WEIGHTS_NAME}",
}
"""Plain words for the commonest of them, the particular ones before the general."""
PATH_SUFFIXES = (".safetensors", ".pt", ".pth", ".bin", ".ckpt", ".yaml")


def locate(source: str | os.PathLike[str], revision: str | None = None) -> FilePath:
    """The weights file of a folder, a path, or, where neither is there, a hub repository (owner/name).

    Raises SpecError that says where it was looked for.
    """
    if not isinstance(source, str | os.PathLike):
        message = f"{type(source).__name__} is no path; give a folder, a file or a hub repository, owner/name"
        raise SpecError(Problem(message, "source"))
    place = FilePath(source)
    is_path = not isinstance(source, str) or REPOSITORY.fullmatch(source) is None or place.suffix in PATH_SUFFIXES
    if is_path or place.exists():
        if revision is not None:
            raise SpecError(Problem(f"is for hub repositories; {os.fspath(source)} is a path", "revision"))
        if source in builtin_specs() and not place.exists():
            message = f"{source} is a spec without weights, and no folder; hiri_spec.build builds it"
            raise SpecError(Problem(message, "source", code="no_file"))
        return find_weights(source)
    try:
        return FilePath(huggingface_hub.hf_hub_download(str(source), WEIGHTS_NAME, revision=revision))
    except FAILURES as error:
        at = f" at revision {revision}" if revision else ""
        message = (
            f"no such folder or file, and not to be had from the hub: {_reason(error)} "
            f"(tried the path {place.absolute()}, then {WEIGHTS_NAME} of the repository {source}{at})"
        )
        raise SpecError(Problem(message, file=str(source), code="no_file")) from error


def push_to_hub(model: Backbone, repository: str, *, private: bool | None = None) -> str:
    """Put what `save_pretrained` writes into a hub repository (owner/name), made if need be; returns the commit's URL.

    Whoever is logged in by huggingface_hub does it. Raises SpecError where the hub refuses or can't be reached.
    """
    from .checkpoint import save_pretrained

    with TemporaryDirectory(prefix="hiri-spec-") as folder:
        save_pretrained(model, folder)
        try:
            api = huggingface_hub.HfApi(library_name="hiri-spec")
            api.create_repo(repository, private=private, exist_ok=True)
            commit = api.upload_folder(
                repo_id=repository, folder_path=folder, commit_message=f"Weights and spec of {model.spec.name}"
            )
        except FAILURES as error:
            message = f"can't be written on the hub: {_reason(error)}"
            raise SpecError(Problem(message, file=repository, code="unwritable")) from error
    return str(commit.commit_url)


def _reason(error: Exception) -> str:
    """Plain words, or the first line of what the hub's client says."""
    for kind, words in REASONS.items():
        if isinstance(error, kind):
            return words
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(". ") if lines else type(error).__name__
