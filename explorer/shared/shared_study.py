"""A study that many processes on many machines work on, each by itself, in Optuna's storages for databases.

Drawing happens in memory, in a mirror that is brought up to date before. A trial is claimed by one write that creates
it, running and whole; its number says who was first. Whoever finds an earlier trial of the same network, or as many
trials as were asked for, gives way. The parameters, facts and seed's origin stand in it from the beginning, so that
another process can evaluate it again if this one is gone.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from hiri_spec import SpecError
from hiri_spec.errors import Problem

from ..facts import facts_of
from ..interrupts import undivided
from ..journal import copy_trial
from ..names import ATTEMPTS, FAILURE, NETWORK, STOPPED
from ..samplers.budgeted import BudgetedSampler
from ..study import Direction
from ..trials import Trial, Unscored, read_trial, read_unscored
from .connection import Patient
from .heartbeat import SILENT_BEATS, Pulse, Watch
from .ledger import (
    BEAT,
    CLAIM,
    DOUBLE,
    ENDED,
    LOST,
    MOST_ATTEMPTS,
    RETURNED,
    Ledger,
    begin_again,
    is_unevaluated,
    origin_of,
)
from .mirror import Mirror
from .records import Records

POLL_S = 2.0
"""How often a process that has nothing to do looks for something."""
SHORT_S = 0.05
"""How long it waits where others have just left everything finished, or something to do."""
LOOKING_SHARE = 0.05
"""The most of its time that a process spends on looking what others do; each look is a burden on the database."""


class SharedStudy:
    """One process's part in a shared study. A context: what it has begun and not finished is given back at its end.

    Stands where SearchStudy stands; numbers are those of the shared trials. `wanted` is the number of evaluated trials
    that the study is to have, `evaluated` of those from here; `quota` how many this process begins, None for no
    limit.
    """

    dropped_bytes = 0
    file_prefix = ""
    interrupted: tuple[int, ...] = ()

    def __init__(
        self,
        storage: BaseStorage,
        study_id: int,
        sampler: BudgetedSampler,
        directions: list[Direction],
        *,
        out: Path,
        where: str,
        interval_s: float,
        wanted: int,
        patient: Patient,
        told: Callable[[str], None],
        quota: int | None = None,
    ) -> None:
        self.out, self.wanted, self.evaluated = out, wanted, 0
        self._records = Records(storage, study_id, patient)
        self._told, self._sampler, self._quota = told, sampler, quota
        self._mirror = Mirror(sampler, directions)
        self._ledger = Ledger(len(directions), where)
        self._pulse = Pulse(storage, interval_s)
        self._watch = Watch(SILENT_BEATS * interval_s)
        self._poll_s = min(POLL_S, interval_s)
        self._mine: dict[int, int] = {}
        """Numbers of the trials that are evaluated here, and Optuna's ids of them."""
        self._given: set[int] = set()
        """Numbers of the evaluated trials that this process has handed on."""
        self._looked, self._look_s = -float("inf"), 0.0
        self._is_waiting = False
        self._look()
        if self.elsewhere:
            self._draw_apart()

    def __enter__(self) -> Self:
        self._pulse.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with undivided():
            self._pulse.__exit__(kind, error, at)
            self._give_back()

    @property
    def trials(self) -> list[Trial]:
        """Every finished trial, in order."""
        return [read_trial(trial) for trial in self._in_state(TrialState.COMPLETE)]

    @property
    def unscored(self) -> list[Unscored]:
        """Every trial that failed or was stopped, in order."""
        found = self._in_state(TrialState.PRUNED) + self._in_state(TrialState.FAIL)
        return [read_unscored(trial) for trial in sorted(found, key=lambda trial: trial.number)]

    def _in_state(self, state: TrialState) -> list[FrozenTrial]:
        """The evaluated trials of a state, by number; they count as handed on."""
        found = [self._ledger.trials[number] for number in sorted(self._ledger.trials)]
        found = [trial for trial in found if trial.state == state and _is_over(trial)]
        self._given.update(trial.number for trial in found)
        return found

    @property
    def elsewhere(self) -> int:
        """Number of trials that others evaluate."""
        return len(self._ledger.running - self._mine.keys())

    @property
    def has_interrupted(self) -> bool:
        """Whether a trial of a process that is gone is to be evaluated again."""
        return next(self._ledger.unevaluated(), None) is not None

    @property
    def poll_s(self) -> float:
        """How long to wait before others may have left something to do."""
        return max(self._poll_s, self._look_s / LOOKING_SHARE)

    def refresh(self) -> list[Trial | Unscored]:
        """What others have finished since; looked for only so often that looking takes little of the time."""
        self._pulse.check()
        if time.monotonic() - self._looked >= self._look_s / LOOKING_SHARE:
            self._look()
        known = self._given | self._mine.keys()
        others = [trial for number, trial in self._ledger.trials.items() if number not in known and _is_over(trial)]
        self._given.update(trial.number for trial in others)
        return [read_trial(trial) if _has_score(trial) else read_unscored(trial) for trial in others]

    def pause(self) -> None:
        """Wait for others, as there is nothing to do here; raises SpecError where this process has done its part."""
        if self._quota == 0:
            raise SpecError(Problem("this process has evaluated what it was asked to", code="quota"))
        if self.elsewhere and not self._is_waiting:
            self._told(f"nothing to do here while others evaluate {self.elsewhere}; waiting")
            self._is_waiting = True
        time.sleep(self.poll_s * random.uniform(0.5, 1.0) if self.elsewhere else SHORT_S)
        self._looked = -float("inf")

    def ask(self) -> int | None:
        """The number of a trial to evaluate, claimed for this process; None if there is nothing to do for now.

        One that was interrupted, or else a new one, whose network is in `sampler.candidates`.
        """
        while self._quota != 0 and self._ledger.count_live() < self.wanted:
            again = next(self._ledger.unevaluated(), None)
            number = self._claim_again(again) if again is not None else self._claim_new()
            if number is not None:
                self._is_waiting = False
                self._quota = None if self._quota is None else self._quota - 1
                return number
        return None

    def params(self, number: int) -> dict[str, Any]:
        """The parameters' values of a trial."""
        return self._ledger.trials[number].params

    def origin(self, number: int) -> int:
        """The number from which the seed of a trial's evaluation derives: that of the first trial of its network."""
        return origin_of(self._ledger.trials[number])

    def begin(self, number: int, attributes: dict[str, Any]) -> int:
        """How often a trial was begun, this time counted in; that it is, was written when it was claimed."""
        attempts: int = self._ledger.trials[number].user_attrs[ATTEMPTS]
        return attempts

    def tell(self, number: int, values: list[float], attributes: dict[str, Any]) -> Trial:
        """Finish a trial; raises SpecError where the storage stays away.

        Where the trial was given up, as this process was cut off for long, its score goes to the one in its place.
        """
        if not self._end(number, TrialState.COMPLETE, values, attributes):
            number = self._hand_in(number, values, attributes)
        self._given.add(number)
        self.evaluated += 1
        return read_trial(self._ledger.trials[number])

    def report(self, number: int, step: int, value: float) -> None:
        """Write what a trial's score is after a step; of one that was given up meanwhile, nothing is written."""
        self._records.report(self._mine[number], step, value)

    def stop(self, number: int, reason: str, attributes: dict[str, Any]) -> None:
        """Write that a trial was not worth going on with, and why; one that was given up is left to others."""
        if self._end(number, TrialState.PRUNED, None, {**attributes, STOPPED: reason}):
            self._given.add(number)
            self.evaluated += 1

    def fail(self, number: int, reason: str) -> None:
        """Write that a trial's evaluation failed, and why."""
        if self._end(number, TrialState.FAIL, None, {FAILURE: reason}):
            self._given.add(number)
        with suppress(OSError):  # whoever writes the network there says what is amiss
            self.out.mkdir(parents=True, exist_ok=True)

    def _look(self) -> None:
        """Bring the ledger and the mirror up to date, and give up trials whose processes have fallen silent."""
        began = time.monotonic()
        self._take_in(self._records.read())
        others = self._ledger.running - self._mine.keys()
        for number in self._watch.look({n: self._ledger.trials[n].user_attrs.get(BEAT) for n in others}):
            attempts = self._ledger.trials[number].user_attrs[ATTEMPTS]
            reason = LOST if attempts < MOST_ATTEMPTS else f"it was interrupted {MOST_ATTEMPTS} times"
            trial_id = self._records.find_id(number)
            self._records.end(trial_id, TrialState.FAIL, None, {FAILURE: reason})  # or somebody else was quicker
        self._looked = time.monotonic()
        self._look_s = self._looked - began

    def _take_in(self, trials: list[FrozenTrial]) -> None:
        for trial in self._ledger.take(trials):
            self._mirror.reflect(trial)

    def _claim_new(self) -> int | None:
        place = self._mirror.draw()
        candidate = self._sampler.candidates.pop(place)
        drawn = self._mirror.drawn(place)
        number = self._claim(copy_trial(drawn, user_attrs=facts_of(candidate) | {ATTEMPTS: 1}), place)
        if number is not None:
            self._sampler.candidates[number] = candidate
        return number

    def _claim_again(self, ended: FrozenTrial) -> int | None:
        return self._claim(begin_again(ended))

    def _claim(self, trial: FrozenTrial, place: int | None = None) -> int | None:
        """Create a trial for everybody; its number if it stands, None if it gave way."""
        number = self._create(trial, place)
        rival, live = self._ledger.find_rival(number), self._ledger.count_live(below=number)
        if rival is None and live < self.wanted:
            return number
        self._end(number, TrialState.FAIL, None, {FAILURE: RETURNED if rival is None else DOUBLE})
        if rival is not None and place is not None:
            self._draw_apart()
        return None

    def _draw_apart(self) -> None:
        """Part from the others, who have the same seed, and would draw the same again and again."""
        self._sampler.draw_apart(uuid.uuid4().hex)

    def _create(self, trial: FrozenTrial, place: int | None = None) -> int:
        """Create a running trial that is this process's, and see what others have done until then; its number."""
        token = uuid.uuid4().hex
        trial.user_attrs = trial.user_attrs | {CLAIM: token, BEAT: 0}
        with undivided():
            trial_id = self._records.create(trial)
            self._pulse.add(trial_id)
            trials = self._records.read()
            # two if the first call was heard and its answer was not: then the other falls silent
            number = next(each.number for each in reversed(trials) if each.user_attrs.get(CLAIM) == token)
            self._mine[number] = trial_id
            if place is not None:
                self._mirror.bind(number, place)
            self._take_in(trials)
        return number

    def _end(self, number: int, state: TrialState, values: list[float] | None, attributes: dict[str, Any]) -> bool:
        """End a trial of this process's; whether it was still its own."""
        trial_id = self._mine[number]
        known = self._ledger.trials[number].user_attrs
        told = {name: value for name, value in attributes.items() if known.get(name) != value}
        is_own = self._records.end(trial_id, state, values, told)
        if is_own:
            self._end_known(number, state, values, attributes)
        del self._mine[number]
        self._pulse.remove(trial_id)
        return is_own

    def _end_known(
        self, number: int, state: TrialState, values: list[float] | None, attributes: dict[str, Any]
    ) -> None:
        """Know what has just been written, before it is read back."""
        known = self._ledger.trials[number]
        ended = copy_trial(known, state=state, values=values, user_attrs=known.user_attrs | attributes)
        ended.number = number
        self._take_in([ended])

    def _hand_in(self, number: int, values: list[float], attributes: dict[str, Any]) -> int:
        """Give a score to the trial that stands in the place of one that was given up; its number."""
        first, own = self._ledger.trials[number], None
        while True:
            self._look()
            live = self._ledger.find_live(first.user_attrs[NETWORK])
            if live is None:
                own = self._create(begin_again(first))
            elif not _has_score(live):
                self._records.end(self._records.find_id(live.number), TrialState.COMPLETE, values, attributes)
            else:
                if own is not None:
                    # what stands is an earlier one, or it itself, which has ended
                    self._end(own, TrialState.FAIL, None, {FAILURE: DOUBLE})
                return live.number  # the same network and the same seed: the same score

    def _give_back(self) -> None:
        """Leave what is under way to others, who find it at once."""
        for number in list(self._mine):
            trial_id = self._mine.pop(number)
            if not self._records.give_back(trial_id):
                return  # they fall silent, which others find too, only later


def _is_over(trial: FrozenTrial) -> bool:
    """Whether a trial was evaluated, whatever came of it."""
    return trial.state in ENDED or (trial.state == TrialState.FAIL and not is_unevaluated(trial))


def _has_score(trial: FrozenTrial) -> bool:
    return trial.state == TrialState.COMPLETE
