"""A search that is shared: its study started, or joined if it is there already."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from hiri_spec import SpecError
from hiri_spec.errors import Problem

from ..evaluators import Chosen
from ..names import JOURNAL
from ..samplers.budgeted import BudgetedSampler
from ..space import Space
from .plan import Plan
from .shared_study import SharedStudy
from .sharing import Sharing
from .studies import open_studies


@contextmanager
def started(
    sharing: Sharing,
    name: str,
    search: tuple[dict[str, Any], Space, Chosen],
    trials: int,
    out: Path,
    told: Callable[[str], None],
) -> Iterator[Callable[[BudgetedSampler], SharedStudy]]:
    """The study of a search, started or joined: what opens it, for as long as the block takes.

    `search` are its settings, space and evaluator.

    Raises SpecError for a storage that can't be used, a study of another search, and a folder that has its own study.
    """
    if (out / JOURNAL).exists():
        message = f"{out} holds a search with a journal of its own, whose files would be lost; name another folder"
        raise SpecError(Problem(message, "--out", code="other"))
    with open_studies(sharing.address, told) as studies:
        found = studies.start(name, Plan.of(*search, sharing.interval_s), trials)
        told(f"study: {name} in {sharing.address}")
        told(f"others join it by python -m explorer.worker --storage {sharing.argument} --study {name}")
        yield partial(studies.open, found, out=out, wanted=trials)
