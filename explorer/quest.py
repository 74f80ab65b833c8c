"""What a search looks for, and the parts that it takes, put together the same way in every process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hiri_spec import ModelSpec

from .budget import Budget
from .evaluators import Chosen
from .results import Failed, Member
from .space import Space

if TYPE_CHECKING:
    from .evaluation.here import Here
    from .evaluation.outcome import Timing
    from .evaluation.processes import Processes
    from .pursuit import Pursuit
    from .roles import Candidates, Study
    from .samplers.budgeted import BudgetedSampler


@dataclass(frozen=True, slots=True)
class How:
    """How networks are evaluated, which has no say in what is found: how many at once, and what one may take."""

    workers: int = 1
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class Quest:
    """What is looked for, and how it is judged: the same in every process that has a part in a search."""

    space: Space
    budget: Budget
    chosen: Chosen
    settings: Mapping[str, Any]
    """All of it as a study keeps it."""

    @property
    def seed(self) -> int:
        """What everything that is drawn derives from."""
        seed: int = self.settings["seed"]
        return seed

    @property
    def timing(self) -> Timing | None:
        """Where networks are timed, and what they may take, if they are."""
        from .evaluation.outcome import Timing

        limit: float | None = self.settings["max_latency_ms"]
        is_timed = limit is not None or self.settings["objective"] == "latency"
        return Timing(self.settings["device"] or "cpu", limit) if is_timed else None

    def sampler(self) -> BudgetedSampler:
        """What draws its networks."""
        from .samplers.budgeted import BudgetedSampler

        return BudgetedSampler(self.space, self.budget, self.seed, self.settings["sampler"])

    def pursue(
        self,
        study: Study,
        sampler: Candidates,
        how: How,
        *,
        tried: Callable[[Member, Member], None],
        halted: Callable[[Failed], None],
        failed: Callable[[Failed], None],
        number_of: Callable[[ModelSpec, int], int] = lambda spec, number: number,
    ) -> Pursuit:
        """The loop that finds its networks, and tells of each that has a score, is hopeless or failed.

        `number_of` says by what number a network is known, for which its own is given.
        """
        from .pursuit import Pursuit

        return Pursuit(
            self.space,
            study,
            sampler,
            seed=self.seed,
            objective=self.settings["objective"],
            is_noted=not self.is_here(how),
            pruner=self.settings["pruner"] or "none",
            tried=tried,
            halted=halted,
            failed=failed,
            number_of=number_of,
        )

    def is_here(self, how: How) -> bool:
        """Whether networks are evaluated in this process."""
        return self.chosen.is_quick and how == How() and self.timing is None

    def evaluation(self, how: How, pursuit: Pursuit) -> Here | Processes:
        """Where its networks are evaluated."""
        from .evaluation.here import Here
        from .evaluation.processes import Processes

        if self.is_here(how):
            return Here(self.chosen, pursuit.report)
        return Processes(self.chosen, how.workers, how.timeout_s, report=pursuit.report, timing=self.timing)
