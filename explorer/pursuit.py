"""The loop of a search: draw a network, have it evaluated, keep what came of it, until there are enough."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hiri_spec import ModelSpec, SpecError
from hiri_spec.errors import Problem
from hiri_spec.files import to_yaml, write_text

from .budget import Candidate, cost_of
from .choices import Assignment
from .evaluation.outcome import Outcome, Task
from .facts import facts_of
from .interrupts import surfaced, undivided
from .names import LATENCY
from .pruning import Pruning
from .results import Failed, Member
from .roles import Candidates, Evaluation, Study
from .space import Space
from .trials import Trial, Unscored

MOST_FAILURES = 5
"""Evaluations that fail one after the other before a search stops: then it is not the networks that are at fault."""
MOST_ATTEMPTS = 3
"""Times that a trial is begun: whatever kills the search each time is not tried for ever."""


class Pursuit:
    """One search under way: `members` are its trials with a score, `failures` those that failed.

    `stopped` are those that were not worth going on with.

    With `is_noted`, the study is told of each trial when it begins, so that one that is interrupted is known.
    """

    def __init__(
        self,
        space: Space,
        study: Study,
        sampler: Candidates,
        *,
        seed: int,
        objective: str,
        is_noted: bool,
        pruner: str,
        tried: Callable[[Member, Member], None],
        halted: Callable[[Failed], None],
        failed: Callable[[Failed], None],
        number_of: Callable[[ModelSpec, int], int] = lambda spec, number: number,
    ) -> None:
        self._space, self._study, self._sampler = space, study, sampler
        self._seed, self._objective, self._is_noted = seed, objective, is_noted
        self._tried, self._halted, self._failed = tried, halted, failed
        self._number_of = number_of
        self._pruning = Pruning(pruner)
        self.members: list[Member] = []
        self.stopped: list[Failed] = []
        self.failures: list[Failed] = []
        ended: list[Trial | Unscored] = [*study.trials, *study.unscored]
        for each in sorted(ended, key=lambda each: each.number):
            self._take(each)
        self._candidates: dict[int, Candidate] = {}
        self._interrupted = list(study.interrupted)
        self._failures_in_row = 0
        self._exhausted: SpecError | None = None

    @property
    def finished(self) -> int:
        """Number of trials that are over, those that failed aside."""
        return len(self.members) + len(self.stopped)

    def report(self, number: int, step: int, value: float) -> bool:
        """Note what a trial's score is after a step; returns whether it is to stop."""
        with undivided():
            self._study.report(number, step, value)
        return self._pruning.is_hopeless(number, step, value)

    def go_on(self, evaluation: Evaluation, trials: int) -> None:
        """Until so many trials are finished, counting those there were.

        Raises SpecError where no network is left, a disk takes no more, or too many evaluations fail in a row.
        """
        is_over = False
        while not is_over:
            with surfaced():
                is_over = self._turn(evaluation, trials)

    def _turn(self, evaluation: Evaluation, trials: int) -> bool:
        """Take in what others have finished, hand out what there is room for, keep what comes; whether all is done."""
        for each in self._study.refresh():
            self._add(each)
        if self.finished >= trials:
            return True
        while evaluation.is_free and self.finished + evaluation.running + self._study.elsewhere < trials:
            task = self._next_task()
            if task is None:
                break
            evaluation.submit(task)
        if evaluation.running:
            outcome = evaluation.next(self._study.poll_s if evaluation.is_free else None)
            if outcome is not None:
                self._keep(outcome)
        elif self._exhausted is not None and not self._study.elsewhere:
            raise self._exhausted
        else:
            self._study.pause()
        return False

    def _take(self, trial: Trial | Unscored) -> None:
        """Take in a trial that is over, of an earlier run or of another process."""
        self._pruning.remember(trial)
        if isinstance(trial, Trial):
            self.members.append(self._member(trial))
        else:
            (self.failures if trial.has_failed else self.stopped).append(self._unscored(trial))

    def _add(self, trial: Trial | Unscored) -> None:
        """Take in what another process has finished, and tell of it."""
        self._take(trial)
        if isinstance(trial, Trial):
            self._tell()
        elif not trial.has_failed:  # that it failed, its own process tells
            self._halted(self.stopped[-1])

    def _tell(self) -> None:
        self._tried(self.members[-1], max(self.members, key=lambda member: member.score))

    def _next_task(self) -> Task | None:
        """A trial that was interrupted, or else a new one; None if there are no more, or none for now."""
        while self._interrupted:
            number = self._interrupted.pop(0)
            task = self._begin(number, self._candidate_again(number))
            if task is not None:
                return task
        if self._exhausted is not None and not self._study.has_interrupted:
            return None
        try:
            asked = self._study.ask()
        except SpecError as error:
            if error.problems[0].code != "exhausted":
                raise
            self._exhausted = error
            return None
        if asked is None:
            return None
        # there is no candidate of a trial that somebody else has drawn
        is_drawn = asked in self._sampler.candidates
        return self._begin(asked, self._sampler.candidates.pop(asked) if is_drawn else self._candidate_again(asked))

    def _candidate_again(self, number: int) -> Candidate:
        assignment, spec = self._decode(number, self._study.params(number))
        return Candidate(assignment, spec, *cost_of(spec))

    def _begin(self, number: int, candidate: Candidate) -> Task | None:
        """What is to be evaluated; None for a trial that was interrupted too often."""
        self._candidates[number] = candidate
        attempts = self._study.begin(number, facts_of(candidate)) if self._is_noted else 1
        if attempts > MOST_ATTEMPTS:
            in_row = self._failures_in_row
            self._keep(Outcome(number, None, 0.0, f"it was interrupted {MOST_ATTEMPTS} times"))
            self._failures_in_row = in_row  # which says nothing of the evaluator now
            return None
        return Task(number, candidate.spec, evaluation_seed(self._seed, self._study.origin(number)))

    def _keep(self, outcome: Outcome) -> None:
        candidate = self._candidates.pop(outcome.number)
        if outcome.failure:
            self._keep_failure(outcome, candidate)
            return
        self._failures_in_row = 0
        attributes = {**facts_of(candidate), "seconds": round(outcome.seconds, 4)}
        if outcome.latency_ms is not None:
            attributes[LATENCY] = outcome.latency_ms
        self._pruning.end(outcome.number, outcome.score)
        if outcome.score is None:
            with undivided():
                self._study.stop(outcome.number, outcome.stopped, attributes)
                self.stopped.append(self._over(outcome.number, candidate.assignment, candidate.spec, outcome.stopped))
            self._halted(self.stopped[-1])
            return
        values = [outcome.score]
        if self._objective == "pareto":
            values.append(float(candidate.macs))
        elif self._objective == "latency":
            assert outcome.latency_ms is not None
            values.append(outcome.latency_ms)
        with undivided():
            trial = self._study.tell(outcome.number, values, attributes)
            self.members.append(self._member(trial))
        self._tell()

    def _keep_failure(self, outcome: Outcome, candidate: Candidate) -> None:
        """Note that there is no score, with the network and the traceback in files; too many in a row are raised."""
        self._pruning.forget(outcome.number)
        failed = self._over(outcome.number, candidate.assignment, candidate.spec, outcome.failure, has_failed=True)
        with undivided():
            self._study.fail(outcome.number, outcome.failure)
            self.failures.append(failed)
        assert failed.file is not None
        try:
            write_text(failed.file, to_yaml(candidate.spec))
            write_text(failed.file.with_suffix(".txt"), outcome.traceback or f"{outcome.failure}\n")
        except SpecError as error:
            # the study has the reason and the network; that the files are wanting must not end the search
            failed = replace(failed, reason=f"{failed.reason} (not written: {error})")
        self._failed(failed)
        self._failures_in_row += 1
        if self._failures_in_row >= MOST_FAILURES:
            message = (
                f"{MOST_FAILURES} evaluations in a row failed, the last one, of trial {failed.number}: "
                f"{outcome.failure}; the trials before are kept, the networks are in {self._study.out}/failed-*.yaml, "
                "what happened beside them; the same command goes on with the next network"
            )
            raise SpecError(Problem(message, "--evaluator", code="evaluator"))

    def _member(self, trial: Trial) -> Member:
        assignment, spec = self._decode(trial.number, trial.params)
        number = self._number_of(spec, trial.number)
        return Member(
            number,
            spec.model_copy(update={"name": f"{spec.name}_{number}"}),
            trial.score,
            trial.macs,
            trial.parameter_count,
            trial.seconds,
            self._space.values(assignment),
            trial.latency_ms,
        )

    def _unscored(self, trial: Unscored) -> Failed:
        assignment, spec = self._decode(trial.number, trial.params)
        return self._over(trial.number, assignment, spec, trial.reason, has_failed=trial.has_failed)

    def _over(
        self, number: int, assignment: Assignment, spec: ModelSpec, reason: str, *, has_failed: bool = False
    ) -> Failed:
        """A trial without a score, under the number that it is known by."""
        number = self._number_of(spec, number)
        file = self._study.out / f"{self._study.file_prefix}failed-{number}.yaml" if has_failed else None
        state = "failed" if has_failed else "stopped"
        return Failed(number, reason, file, spec, *cost_of(spec), self._space.values(assignment), state)

    def _decode(self, number: int, params: dict[str, Any]) -> tuple[Assignment, ModelSpec]:
        assignment = self._space.encode(params)
        spec = self._space.spec(assignment)
        if spec is None:
            raise SpecError(Problem(f"trial {number} of the journal is no network of this space", "--out"))
        return assignment, spec


def evaluation_seed(seed: int, number: int) -> int:
    """The seed of a trial's evaluation, its own and the same whenever and wherever it is evaluated."""
    return zlib.crc32(f"evaluation {seed} {number}".encode())
