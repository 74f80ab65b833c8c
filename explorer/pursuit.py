"""The loop of a search: draw a network, have it evaluated, keep what came of it, until there are enough."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hiri_spec import ModelSpec, SpecError
from hiri_spec.errors import Problem
from hiri_spec.files import to_yaml, write_text

from .budget import Candidate, cost_of
from .choices import Assignment
from .evaluation.outcome import Outcome, Task
from .facts import facts_of
from .interrupts import undivided
from .pruning import Pruning
from .results import Failed, Member
from .roles import Candidates, Evaluation, Study
from .space import Space
from .trials import LATENCY, Hopeless, Trial

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
    ) -> None:
        self._space, self._study, self._sampler = space, study, sampler
        self._seed, self._objective, self._is_noted = seed, objective, is_noted
        self._tried, self._halted, self._failed = tried, halted, failed
        self._pruning = Pruning(pruner)
        trials, stopped = study.trials, study.stopped
        ended: list[Trial | Hopeless] = [*trials, *stopped]
        for each in sorted(ended, key=lambda each: each.number):
            self._pruning.remember(each.number, each.reports, each.score if isinstance(each, Trial) else None)
        self.members = [self._member(trial) for trial in trials]
        self.stopped = [self._stopped(each.number, each.params, each.reason) for each in stopped]
        self.failures = [
            self._failure(number, self._decode(number, params), why) for number, params, why in study.failures
        ]
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
        while True:
            for each in self._study.refresh():
                self._add(each)
            if self.finished >= trials:
                return
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

    def _add(self, each: Trial | Hopeless) -> None:
        """Take in what another process has finished."""
        self._pruning.remember(each.number, each.reports, each.score if isinstance(each, Trial) else None)
        if isinstance(each, Trial):
            self.members.append(self._member(each))
            self._tell()
        else:
            self.stopped.append(self._stopped(each.number, each.params, each.reason))
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
            self._keep(Outcome(number, None, 0.0, f"it was interrupted {MOST_ATTEMPTS} times"))
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
                params = self._study.params(outcome.number)
                self.stopped.append(self._stopped(outcome.number, params, outcome.stopped))
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
        failed = self._failure(outcome.number, (candidate.assignment, candidate.spec), outcome.failure)
        file = self._failure_file(outcome.number)
        with undivided():
            self._study.fail(outcome.number, outcome.failure)
            self.failures.append(failed)
        write_text(file, to_yaml(candidate.spec))
        write_text(file.with_suffix(".txt"), outcome.traceback or f"{outcome.failure}\n")
        self._failed(failed)
        self._failures_in_row += 1
        if self._failures_in_row >= MOST_FAILURES:
            message = (
                f"{MOST_FAILURES} evaluations in a row failed, the last one, of trial {outcome.number}: "
                f"{outcome.failure}; the trials before are kept, the networks are in {self._study.out}/failed-*.yaml, "
                "what happened beside them; the same command goes on with the next network"
            )
            raise SpecError(Problem(message, "--evaluator", code="evaluator"))

    def _member(self, trial: Trial) -> Member:
        assignment, spec = self._decode(trial.number, trial.params)
        spec = spec.model_copy(update={"name": f"{spec.name}_{trial.number}"})
        values = self._space.values(assignment)
        return Member(
            trial.number,
            spec,
            trial.score,
            trial.macs,
            trial.parameter_count,
            trial.seconds,
            values,
            trial.latency_ms,
        )

    def _failure(self, number: int, network: tuple[Assignment, ModelSpec], reason: str) -> Failed:
        assignment, spec = network
        return Failed(number, reason, self._failure_file(number), spec, *cost_of(spec), self._space.values(assignment))

    def _failure_file(self, number: int) -> Path:
        return self._study.out / f"{self._study.file_prefix}failed-{number}.yaml"

    def _stopped(self, number: int, params: dict[str, Any], reason: str) -> Failed:
        assignment, spec = self._decode(number, params)
        return Failed(number, reason, None, spec, *cost_of(spec), self._space.values(assignment), "stopped")

    def _decode(self, number: int, params: dict[str, Any]) -> tuple[Assignment, ModelSpec]:
        assignment = self._space.encode(params)
        spec = self._space.spec(assignment)
        if spec is None:
            raise SpecError(Problem(f"trial {number} of the journal is no network of this space", "--out"))
        return assignment, spec


def evaluation_seed(seed: int, number: int) -> int:
    """The seed of a trial's evaluation, its own and the same whenever and wherever it is evaluated."""
    return zlib.crc32(f"evaluation {seed} {number}".encode())
