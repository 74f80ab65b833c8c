"""What one of several processes hears, all of them act on, at one and the same place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from accelerate import Accelerator

from .goal import Batches
from .interrupts import StopRequest
from .processes import gathered_by_all

AGREEING_STEPS = 10
"""Steps, or batches of evaluation, between two times that processes ask one another whether to stop."""


class StoppedError(Exception):
    """All processes have agreed to stop in the middle of an evaluation."""


class Agreement:
    """Whether the processes of a run go on: they ask one another, and so all have to ask equally often.

    `signal` is the one that they have agreed to stop for. A process's own request does not learn of it: it would take
    the signal, when that reaches it as well, for a second one.
    """

    def __init__(self, accelerator: Accelerator, stop: StopRequest) -> None:
        self._accelerator, self._stop = accelerator, stop
        self.every = 1 if accelerator.num_processes == 1 else AGREEING_STEPS
        self.signal: int | None = None

    def is_stopping(self) -> bool:
        """Whether any process was asked to stop."""
        self._ask(is_done=True)
        return self.signal is not None

    def watch(self, batches: Iterator[Any]) -> Iterator[Any]:
        """Batches, of which each process may have another number; raises StoppedError in all once one is to stop.

        A process that is through with its own goes on answering those that are not.
        """
        for number, batch in enumerate(batches):
            if number % self.every == 0:
                self._ask(is_done=False)
                self._raise_agreed()
            yield batch
        is_over = False
        while not is_over:
            is_over = self._ask(is_done=True)
            self._raise_agreed()

    def count_unreadable(self, batches: Batches) -> None:
        """Have each process know of the images that any of them could not read.

        Raises SpecError in all of them where those are too many, though it may be that none has met too many itself.
        """
        if self._accelerator.num_processes > 1:
            everyones = gathered_by_all(batches.unreadable)
            batches.note_unreadable({name: why for images in everyones for name, why in images.items()})

    def _ask(self, *, is_done: bool) -> bool:
        """Tell the others and hear them: whether all are done."""
        if self._accelerator.num_processes == 1:
            self.signal = self._stop.signal
            return is_done
        own = torch.tensor([[self._stop.signal or 0, is_done]], device=self._accelerator.device)
        signals, done = self._accelerator.gather(own).T.tolist()
        self.signal = max(signals) or None
        return all(done)

    def _raise_agreed(self) -> None:
        if self.signal is not None:
            raise StoppedError("all processes stop")


class WatchedBatches:
    """Batches whose epochs are watched for a stop."""

    def __init__(self, batches: Batches, agreement: Agreement) -> None:
        self._batches, self._agreement = batches, agreement

    @property
    def unreadable(self) -> dict[str, str]:
        """The images that could not be read so far, and why."""
        return self._batches.unreadable

    def note_unreadable(self, images: Mapping[str, str]) -> None:
        """Count some that others could not read; raises SpecError where all together are too many."""
        self._batches.note_unreadable(images)

    def __len__(self) -> int:
        return len(self._batches)

    def epoch(self, epoch: int, first_batch: int = 0) -> Iterator[Any]:
        """The batches of an epoch; raises StoppedError in all processes once one is asked to stop.

        What could not be read is counted together at its end, where SpecError is raised if it is too much.
        """
        yield from self._agreement.watch(self._batches.epoch(epoch, first_batch))
        self._agreement.count_unreadable(self._batches)
