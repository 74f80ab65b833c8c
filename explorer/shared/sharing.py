"""What is asked for when a search is to be shared: where, by what name, and how often processes show that they live."""

from __future__ import annotations

from dataclasses import dataclass

from hiri_spec import SpecError
from hiri_spec.errors import Problem, show
from hiri_spec.quantities import parse_seconds

from .address import FLAG, Address, read_address

STUDY_FLAG = "--study"
MOST_LETTERS = 512
"""Of a study's name: what Optuna's tables hold."""
INTERVAL_S = 15.0


@dataclass(frozen=True, slots=True)
class Sharing:
    """Where a study is shared, and how."""

    address: Address
    study: str | None
    """Its name; None for one that derives from its settings, or is the only one."""
    interval_s: float = INTERVAL_S
    argument: str = ""
    """What was given for the address, by which others join too."""


def read_sharing(storage: object, study: object = None, heartbeat: object = None) -> Sharing | None:
    """Read the arguments; None if nothing is to be shared. Raises SpecError for one that is wrong, or has no sense."""
    if storage is None:
        for flag, value in ((STUDY_FLAG, study), ("--heartbeat", heartbeat)):
            if value is not None:
                raise SpecError(Problem(f"it is for shared studies; give {FLAG} as well, or leave it out", flag))
        return None
    interval_s = INTERVAL_S if heartbeat is None else parse_seconds(str(heartbeat), "--heartbeat")
    return Sharing(read_address(storage), read_study(study), interval_s, str(storage))


def read_study(name: object) -> str | None:
    """A study's name; raises SpecError for what can't be one."""
    if name is None:
        return None
    if not isinstance(name, str) or not name.strip() or not name.isprintable() or len(name) > MOST_LETTERS:
        message = f"{show(name)} is no name of a study; give up to {MOST_LETTERS} letters in one line"
        raise SpecError(Problem(message, STUDY_FLAG))
    return name
