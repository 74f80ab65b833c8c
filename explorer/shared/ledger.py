"""Who evaluates what: the trials of a shared study as they were last seen, and what follows from them.

Every process draws its own conclusions, by rules that lead all of them to the same: of trials of one network the one
with the lowest number that has not ended without an evaluation is the network's, and the others give way.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from optuna.trial import FrozenTrial, TrialState

from hiri_spec import SpecError
from hiri_spec.errors import Problem

from ..journal import FACTS, copy_trial
from ..names import ATTEMPTS, FAILURE, NETWORK, STOPPED

MOST_ATTEMPTS = 3
"""Times that a trial is begun: whatever kills its process each time is not tried for ever."""
ORIGIN = "origin"
"""The user attribute of a trial that has the number of the first trial of its network, from which its seed derives."""
CLAIM = "claim"
"""The user attribute of a trial that is unlike that of any other: who began it."""
BEAT = "beat"
"""The user attribute of a trial that its process changes for as long as it lives."""
LOST = "its process is gone"
RETURNED = "it was given back"
DOUBLE = "another process drew the same network at the same moment"
OF_ONE_EVALUATION = frozenset({FAILURE, STOPPED, BEAT, CLAIM, ORIGIN, ATTEMPTS, "seconds"})
"""What is noted of an evaluation, and not of its network."""
ENDED = TrialState.COMPLETE, TrialState.PRUNED
"""States of what was evaluated, if only until it was hopeless."""
LIVE = TrialState.RUNNING, *ENDED


class Ledger:
    """All trials of a study, by number."""

    def __init__(self, values: int, where: str) -> None:
        self.trials: dict[int, FrozenTrial] = {}
        self.running: set[int] = set()
        self._values, self._where = values, where
        self._by_network: dict[str, list[int]] = {}
        self._unevaluated: dict[str, None] = {}
        """Networks of which a trial has ended without an evaluation, in order."""

    def take(self, trials: Iterable[FrozenTrial]) -> list[FrozenTrial]:
        """Note trials as they are now; returns those that are new or have ended. Raises SpecError for a strange one."""
        changed = []
        for trial in trials:
            known = self.trials.get(trial.number)
            if known is not None and known.state.is_finished():
                continue
            self._check(trial)
            self.trials[trial.number] = trial
            if known is None:
                self._by_network.setdefault(trial.user_attrs[NETWORK], []).append(trial.number)
            if trial.state == TrialState.RUNNING:
                self.running.add(trial.number)
            else:
                self.running.discard(trial.number)
                if is_unevaluated(trial):
                    self._unevaluated[trial.user_attrs[NETWORK]] = None
            if known is None or known.state != trial.state:
                changed.append(trial)
        return changed

    def find_rival(self, number: int) -> FrozenTrial | None:
        """An earlier trial of the same network that is being or has been evaluated, to which this one gives way."""
        for other in self._by_network[self.trials[number].user_attrs[NETWORK]]:
            if other < number and not is_unevaluated(self.trials[other]):
                return self.trials[other]
        return None

    def find_live(self, network: str) -> FrozenTrial | None:
        """The first trial of a network that is being evaluated or has a score."""
        trials = [self.trials[number] for number in self._by_network.get(network, [])]
        return next((each for each in trials if each.state in (TrialState.RUNNING, TrialState.COMPLETE)), None)

    def count_live(self, below: int | None = None) -> int:
        """How many trials are being evaluated or were, of those with a lower number."""
        return sum(trial.state in LIVE for number, trial in self.trials.items() if below is None or number < below)

    def unevaluated(self) -> Iterator[FrozenTrial]:
        """For each network that is to be evaluated again the trial of it that ended last."""
        for network in list(self._unevaluated):
            trials = [self.trials[number] for number in self._by_network[network]]
            if any(not is_unevaluated(trial) for trial in trials):
                del self._unevaluated[network]  # until it ends like the one before
                continue
            ended = [trial for trial in trials if trial.user_attrs.get(FAILURE) != DOUBLE]
            if ended:
                yield ended[-1]

    def _check(self, trial: FrozenTrial) -> None:
        attributes, scores = trial.user_attrs, trial.values or []
        is_whole = isinstance(attributes.get(NETWORK), str) and isinstance(attributes.get(ATTEMPTS), int)
        if trial.state == TrialState.COMPLETE:
            facts = [attributes.get(name) for name in FACTS]
            is_whole &= len(scores) == self._values and all(
                isinstance(fact, int | float) and math.isfinite(fact) for fact in (*scores, *facts)
            )
        if not is_whole or trial.state == TrialState.WAITING:
            message = f"trial {trial.number} there is no trial of this search; somebody else has written to the study"
            raise SpecError(Problem(message, file=self._where, code="damaged"))


def origin_of(trial: FrozenTrial) -> int:
    """The number of the first trial of a network that is evaluated again; a trial's own for all others."""
    origin: int = trial.user_attrs.get(ORIGIN, trial.number)
    return origin


def begin_again(ended: FrozenTrial) -> FrozenTrial:
    """What a trial that ended without an evaluation is begun as once more; giving back is not held against it."""
    kept = {name: value for name, value in ended.user_attrs.items() if name not in OF_ONE_EVALUATION}
    attempts = ended.user_attrs[ATTEMPTS] + (ended.user_attrs.get(FAILURE) == LOST)
    noted = kept | {ATTEMPTS: attempts, ORIGIN: origin_of(ended)}
    return copy_trial(ended, state=TrialState.RUNNING, values=None, user_attrs=noted, intermediate_values={})


def is_unevaluated(trial: FrozenTrial) -> bool:
    """Whether a trial ended without anybody having looked at its network."""
    return trial.state == TrialState.FAIL and trial.user_attrs.get(FAILURE) in (LOST, RETURNED, DOUBLE)
