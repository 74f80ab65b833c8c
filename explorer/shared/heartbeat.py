"""Signs of life: each process changes an attribute of the trials that it evaluates, and sees who no longer does.

Optuna has heartbeats of its own for databases (`fail_stale_trials`, `RetryHeartbeatStaleTrialCallback`). They are not
used: its gRPC proxy has none; a trial whose process is killed between its creation and its first beat is never found;
and one whose finder is killed between failing it and queueing it anew is lost. What is here works over either, has no
second write that could be missing (which trials are to be evaluated again follows from the trials themselves), and
compares no clocks: a trial is given up by whoever has seen no change in it for long enough by a clock of their own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage

from .connection import is_away
from .ledger import BEAT

SILENT_BEATS = 4
"""Beats that fail to come before a trial is given up."""


class Pulse:
    """A thread that beats for trials by their ids, until they are taken out. A context: it ends with it."""

    def __init__(self, storage: BaseStorage, interval_s: float) -> None:
        self._storage, self._interval_s = storage, interval_s
        self._trial_ids: dict[int, int] = {}
        """How often each has beaten."""
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._failure: Exception | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        # not for ever: a database that does not answer must not keep a process
        self._thread.join(timeout=self._interval_s)

    def add(self, trial_id: int) -> None:
        """Beat for a trial from now on."""
        with self._lock:
            self._trial_ids[trial_id] = 0

    def remove(self, trial_id: int) -> None:
        """Beat for it no more."""
        with self._lock:
            self._trial_ids.pop(trial_id, None)

    def check(self) -> None:
        """Raise what has ended the thread."""
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            while not self._ended.wait(self._interval_s):
                with self._lock:
                    for trial_id in self._trial_ids:
                        self._trial_ids[trial_id] += 1
                    beats = dict(self._trial_ids)
                for trial_id, beat in beats.items():
                    self._beat(trial_id, beat)
        except Exception as error:
            self._failure = error

    def _beat(self, trial_id: int, beat: int) -> None:
        try:
            self._storage.set_trial_user_attr(trial_id, BEAT, beat)
        except (UpdateFinishedTrialError, KeyError):
            self.remove(trial_id)  # it has just ended, or was given up: whoever evaluates it will hear of it
        except Exception as error:
            if not is_away(error):
                raise
            # the next beat may be heard; the process itself tells that the storage is away when it needs it


@dataclass(slots=True)
class _Seen:
    beat: object
    silent_s: float = 0.0


class Watch:
    """Sees which trials of others have been silent for too long, by this process's clock."""

    def __init__(self, grace_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._grace_s, self._clock = grace_s, clock
        self._seen: dict[int, _Seen] = {}
        self._looked = clock()

    def look(self, beats: Mapping[int, object]) -> list[int]:
        """Numbers of the trials whose beats, of all that run, have not changed for the time of grace.

        Time between two looks counts for half of it at most: the storage may have been away, and those who live get a
        chance to say so.
        """
        now = self._clock()
        passed_s, self._looked = min(now - self._looked, self._grace_s / 2), now
        for number, beat in beats.items():
            seen = self._seen.get(number)
            if seen is None or seen.beat != beat:
                self._seen[number] = _Seen(beat)
            else:
                seen.silent_s += passed_s
        self._seen = {number: seen for number, seen in self._seen.items() if number in beats}
        return [number for number, seen in self._seen.items() if seen.silent_s >= self._grace_s]
