"""The journal of a study, one line of JSON for each operation of Optuna's: checked before it is used."""

from __future__ import annotations

import json
import math
from collections.abc import Generator
from pathlib import Path
from typing import Any

import optuna
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, TrialState

from hiri_spec import SpecError
from hiri_spec.errors import Problem

from .names import ATTEMPTS, LATENCY

HEADER_LINES = 2
"""The first lines, without which no trial can be read: the study, and which search it belongs to."""
CREATE_TRIAL = 4
FACTS = ("macs", "params", "seconds")
"""What is noted of every finished trial."""
KEPT = ("state", "values", "params", "distributions", "user_attrs", "system_attrs", "intermediate_values")
"""What drawing the next trials needs of one, by Optuna's names."""


class _FolderIsLocked(JournalFileOpenLock):
    """No lock of its own for the journal: the folder's keeps others out, and does not outlive a killed process.

    Optuna's locks are files; one left behind by `kill -9` makes the next search wait, or go round for ever.
    """

    def acquire(self) -> bool:
        """The folder is locked already."""
        return True

    def release(self) -> None:
        """The folder stays locked."""


class Journal(JournalFileBackend):
    """Optuna's journal file, which knows what line is being read, and which lines the trials are on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.line = 0
        self.trial_lines: dict[int, list[int]] = {}
        """By Optuna's number of the study."""
        self.is_of_whole_trials = True
        """Whether each trial is one line, so that any may be missing."""
        self.dropped_bytes = self._drop_half_line()
        super().__init__(str(path), lock_obj=_FolderIsLocked(str(path)))

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        """As Optuna's."""
        for line, record in enumerate(super().read_logs(log_number_from), log_number_from + 1):
            self.line = line
            yield record

    def damaged(self, line: int, what: str) -> SpecError:
        """The error for a line that can't be used, with the way out; the file is left as it is."""
        ways = "move the file away to begin anew, or name another --out"
        if line > HEADER_LINES:
            # records of what is evaluated apart name trials by their places, which a line less would shift
            out = "cut it off before the line to go on with those before it"
            if self.is_of_whole_trials:
                out = "take the line out to go on with the other trials"
            ways = f"keep a copy and {out}, {ways}"
        message = f"is damaged, this line is {what}; nothing was changed; {ways}"
        return SpecError(Problem(message, file=str(self.path), line=line, code="damaged"))

    def check_trial(self, trial: FrozenTrial, labels: dict[str, tuple[Any, ...]], values: int, study: int) -> None:
        """Refuse a trial that this search can't have written; raises SpecError with its line.

        `values` is the number of scores, `study` Optuna's number of its study.
        """
        facts, scores = [trial.user_attrs.get(name) for name in FACTS], trial.values or []
        is_known = trial.params.keys() == labels.keys() and all(
            value in labels[name] for name, value in trial.params.items()
        )
        costs = trial.user_attrs.get("macs"), trial.user_attrs.get(LATENCY)
        is_finished = (
            len(scores) == values
            and all(isinstance(fact, int | float) and math.isfinite(fact) for fact in (*scores, *facts))
            and all(score in costs for score in scores[1:])  # a score that belongs to another trial
        )
        is_whole = {
            TrialState.FAIL: True,
            TrialState.PRUNED: True,
            TrialState.COMPLETE: is_finished,
            TrialState.RUNNING: isinstance(trial.user_attrs.get(ATTEMPTS), int),
        }
        if not is_known or not is_whole.get(trial.state, False):
            raise self.damaged(self.trial_lines[study][trial.number], "no trial of this search")

    def _drop_half_line(self) -> int:
        """Cut off what a killed process or a full disk left of a last line; returns how many bytes that was.

        Raises SpecError for a file that is no journal otherwise.
        """
        if not self.path.exists():
            return 0
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        self.is_of_whole_trials = b'"trial_id"' not in content
        for number, line in enumerate(content[:whole].split(b"\n")[:-1], 1):
            try:
                record = json.loads(line)
            except ValueError:
                # a line that Optuna can't read would end in its traceback, and cutting more off would lose trials
                raise self.damaged(number, "no JSON") from None
            if not isinstance(record, dict) or "op_code" not in record:
                raise self.damaged(number, "no record of a search")
            if record["op_code"] == CREATE_TRIAL:
                self.trial_lines.setdefault(int(record.get("study_id", 0)), []).append(number)
        if whole < len(content):
            with self.path.open("r+b") as stream:
                stream.truncate(whole)
        return len(content) - whole


def copy_trial(trial: FrozenTrial, **changes: Any) -> FrozenTrial:
    """What is kept of a trial: KEPT, but for what is changed."""
    kept = {name: getattr(trial, name) for name in KEPT}
    return optuna.trial.create_trial(**kept | changes)
