"""The studies of a shared storage: found, started by whoever comes first, joined by all others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from optuna.exceptions import DuplicatedStudyError
from optuna.storages import BaseStorage
from optuna.study import StudyDirection

from hiri_spec import SpecError
from hiri_spec.errors import Problem, suggest

from ..names import DESCRIPTION
from ..samplers.budgeted import BudgetedSampler
from .address import FLAG, Address
from .connection import Patient, open_storage
from .plan import PLAN, Plan
from .shared_study import SharedStudy
from .sharing import STUDY_FLAG

WANTED = "trials"
"""The user attribute of the study that has how many trials it is to have."""
START_S = 5.0
"""How long whoever starts a study may take to write what it is; a process that is killed meanwhile never does."""
LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Found:
    """A study in a storage: its name, Optuna's id of it, what it says of its search, how many trials it is to have."""

    name: str
    study_id: int
    plan: Plan
    wanted: int


@contextmanager
def open_studies(address: Address, told: Callable[[str], None]) -> Iterator[Studies]:
    """The studies at an address, for as long as the block takes; raises SpecError where it can't be used."""
    with open_storage(address) as storage:
        yield Studies(address, storage, told)


class Studies:
    """Those of an open storage; `told` hears what whoever looks on may want to know.

    Raises SpecError where the storage can't be used any longer.
    """

    def __init__(self, address: Address, storage: BaseStorage, told: Callable[[str], None]) -> None:
        self.address, self._storage, self._told = address, storage, told
        self._patient = Patient(address, told)

    def start(self, name: str, plan: Plan, trials: int) -> Found:
        """The study of a name, started if there is none; it is to have at least so many trials.

        Raises SpecError for a study of another search, with what differs; nothing is changed then.
        """
        directions = [StudyDirection[each.upper()] for each in plan.directions]
        study_id, is_new = 0, True
        try:
            study_id = self._patient(partial(self._storage.create_new_study, directions, name))
        except DuplicatedStudyError:
            study_id, is_new = self._patient(partial(self._storage.get_study_id_from_name, name)), False
        attributes = self._read(study_id)
        ends = time.monotonic() + START_S
        while DESCRIPTION not in attributes and not is_new and time.monotonic() < ends:
            time.sleep(LOOK_S)
            attributes = self._read(study_id)
        if DESCRIPTION not in attributes:
            self._write(study_id, WANTED, trials)
            self._write(study_id, PLAN, plan.attributes)
            self._write(study_id, DESCRIPTION, plan.settings)  # last: without it, a study is not whole
            return Found(name, study_id, plan, trials)
        self._compare(attributes[DESCRIPTION], plan.settings, name)
        if attributes[WANTED] < trials:
            self._write(study_id, WANTED, trials)
        plan = Plan.read(attributes, plan.settings, f"{self.address} {name}")
        return Found(name, study_id, plan, max(attributes[WANTED], trials))

    def find(self, name: str | None, version: str) -> Found:
        """The study of a name, or the only one there is.

        Raises SpecError where there is none or are several, and for one of another version of this program, whose
        networks or scores may be others.
        """
        studies = [study for study in self._patient(self._storage.get_all_studies) if DESCRIPTION in study.user_attrs]
        names = [study.study_name for study in studies]
        if not names:
            message = f"{self.address} holds no search; start one by python -m explorer.search --budget … {FLAG} …"
            raise SpecError(Problem(message, FLAG, code="no_study"))
        if name is None and len(names) > 1:
            message = f"{self.address} holds {len(names)} searches; name one of {', '.join(names)}"
            raise SpecError(Problem(message, STUDY_FLAG))
        if name is not None and name not in names:
            raise SpecError(Problem(f"{self.address} holds no search {name!r}; {suggest(name, names)}", STUDY_FLAG))
        study = studies[0 if name is None else names.index(name)]
        attributes, settings = study.user_attrs, study.user_attrs[DESCRIPTION]
        if settings.get("version") != version:
            message = f"{study.study_name} was begun by version {settings.get('version')}, this is {version}"
            raise SpecError(Problem(f"{message}; install the same", STUDY_FLAG, code="other"))
        study_id = self._patient(partial(self._storage.get_study_id_from_name, study.study_name))
        plan = Plan.read(attributes, settings, f"{self.address} {study.study_name}")
        return Found(study.study_name, study_id, plan, attributes[WANTED])

    def open(
        self, found: Found, sampler: BudgetedSampler, out: Path, wanted: int, quota: int | None = None
    ) -> SharedStudy:
        """Take part in a study until it has `wanted` trials, or `quota` were begun here."""
        return SharedStudy(
            self._storage,
            found.study_id,
            sampler,
            found.plan.directions,
            out=out,
            where=f"{self.address} {found.name}",
            interval_s=found.plan.interval_s,
            wanted=wanted,
            patient=self._patient,
            told=self._told,
            quota=quota,
        )

    def read_wanted(self, found: Found) -> int:
        """How many trials a study is to have by now."""
        wanted: int = self._read(found.study_id)[WANTED]
        return wanted

    def _read(self, study_id: int) -> dict[str, Any]:
        return self._patient(partial(self._storage.get_study_user_attrs, study_id))

    def _write(self, study_id: int, name: str, value: Any) -> None:
        self._patient(partial(self._storage.set_study_user_attr, study_id, name, value))

    def _compare(self, known: Mapping[str, Any], wanted: Mapping[str, Any], name: str) -> None:
        differences = [
            f"{key} was {known.get(key)}, is {wanted.get(key)}"
            for key in {**known, **wanted}
            if known.get(key) != wanted.get(key)
        ]
        if differences:
            message = f"{self.address} holds another search named {name}: {'; '.join(differences)}. Nothing there was "
            message += "changed; give this one another name, or repeat the old search"
            raise SpecError(Problem(message, STUDY_FLAG, code="other"))
