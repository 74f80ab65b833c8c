"""A search as the page shows it: what was asked for, how it stands, and every network that was tried."""

from __future__ import annotations

import signal
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, Literal

from explorer.account import Account, read_account
from explorer.names import ACCOUNT, JOURNAL, NETWORK, STUDY
from explorer.report_page.data import title_of
from explorer.space import SPACES, Space, load_space, network_hash, read_space_text
from hiri_spec import SpecError
from hiri_spec.errors import Problem
from hiri_spec.files import to_yaml

from .holder import find_holder
from .journal import Journal, Record
from .levels import Level, TriedPoint, Unscored, find_study, read_levels
from .processes import LOG, Started, find_started, is_told_to_stop, tail

State = Literal["starting", "running", "stopping", "finished", "interrupted", "failed", "killed", "over"]
AT_WORK = ("starting", "running", "stopping")
MOST_READERS = 32
"""Searches whose journals are kept as far as they were read."""


@dataclass(frozen=True, slots=True)
class SearchView:
    """A search at one moment. What it has no value for is not known: older searches kept no account of themselves."""

    folder: FilePath
    state: State
    """`killed`: it ended without a word. `over`: it isn't at work, and how it ended isn't known."""
    ending: str
    """Why it ended early; empty if it didn't."""
    command: str
    """The line that goes on with it, for a shell; empty if not known."""
    directory: str
    """Where that was typed."""
    trials: int | None
    """How many were asked for, of the level that is shown."""
    levels: tuple[Level, ...]
    """One for each evaluator, the first one first, as far as they have begun."""

    @property
    def level(self) -> Level:
        """The last level in which a network has a score, which is the one that is shown."""
        scored = [level for level in self.levels if level.points]
        return (scored or list(self.levels) or [Level("", "score", False, {})])[-1]

    @property
    def earlier(self) -> tuple[Level, ...]:
        """The levels before it."""
        return self.levels[: self.levels.index(self.level)] if self.levels else ()

    @property
    def running(self) -> bool:
        """Whether a process is at work on it."""
        return self.state in AT_WORK

    @property
    def title(self) -> str:
        """What was searched, in a line."""
        return title_of(len(self.points), self.settings)

    @property
    def settings(self) -> Mapping[str, Any]:
        """What it is bound to, by the options' names."""
        return self.levels[0].settings if self.levels else {}

    @property
    def score_name(self) -> str:
        """What its scores are called."""
        return self.level.score_name

    @property
    def points(self) -> tuple[TriedPoint, ...]:
        """The networks that have a score, by number."""
        return self.level.points

    @property
    def front(self) -> tuple[TriedPoint, ...]:
        """Those that no other beats in score at no more cost, cheapest first."""
        return self.level.front

    @property
    def best(self) -> TriedPoint | None:
        """The network with the highest score."""
        return self.level.best

    @property
    def unscored(self) -> tuple[Unscored, ...]:
        """The networks without a score."""
        return self.level.unscored

    @property
    def failed(self) -> int:
        """Number of trials that failed, at all levels."""
        return sum(each.has_failed for level in self.levels for each in level.unscored)

    @property
    def finished(self) -> int:
        """Number of trials that are over, of `trials`."""
        return self.level.finished

    @property
    def budget(self) -> int | None:
        """The most MACs of a network."""
        budget = self.settings.get("budget")
        return budget if isinstance(budget, int) else None

    @property
    def resolution(self) -> str:
        """The image size, like 448 or 512x1024."""
        return str(self.settings.get("resolution", ""))

    @property
    def is_by_latency(self) -> bool:
        """Whether its front is of scores and milliseconds, not MACs."""
        return self.settings.get("objective") == "latency"

    def spec_text(self, number: int) -> str:
        """The YAML of a network that was tried, by number; raises SpecError where there is none, or no telling."""
        return _reader(self.folder).spec_text(number)


class _Reader:
    """What is known of a search, kept from one look to the next."""

    def __init__(self, folder: FilePath) -> None:
        self.folder = folder
        self._journal = Journal(folder / JOURNAL)
        self._levels: tuple[Level, ...] = ()
        self._account: Account | None = None
        self._account_seen: tuple[int, int] | None = None
        self._space: Space | None = None
        self._lock = threading.Lock()

    def view(self) -> SearchView:
        # before the journal, so that what has ended meanwhile is at work once too often, and not over too early
        is_at_work = find_holder(self.folder) is not None
        started = find_started(self.folder)
        is_alive = started is not None and started.is_alive
        with self._lock:
            self._read()
            account, levels = self._account, self._levels
        state, ending = self._state(is_at_work, is_alive, started, account)
        wanted = None
        if account is not None:
            shown = max((place for place, level in enumerate(levels) if level.points), default=0)
            wanted = (account.trials, *account.then)[shown] if shown <= len(account.then) else None
        command, directory = (account.command, account.directory) if account is not None else ("", "")
        return SearchView(self.folder, state, ending, command, directory, wanted, levels)

    def _read(self) -> None:
        try:
            if self._journal.refresh():
                self._levels = read_levels(self._journal)
        except SpecError:
            self._journal.forget()  # told again at the next look, and read from the beginning once it is mended
            raise
        try:
            status = (self.folder / ACCOUNT).stat()
            seen = (status.st_ino, status.st_mtime_ns)
        except OSError:
            seen = None
        if seen != self._account_seen:
            self._account = read_account(self.folder)
            self._account_seen, self._space = seen, None

    def _state(
        self, is_at_work: bool, is_alive: bool, started: Started | None, account: Account | None
    ) -> tuple[State, str]:
        if is_at_work or is_alive:
            if is_told_to_stop(self.folder):
                return "stopping", ""
            has_begun = is_at_work or started is None or self._is_told_since(started)
            return ("running" if has_begun else "starting"), ""
        if started is not None and not self._is_told_since(started):
            # it didn't come as far as its study: a mistake in what was asked for, or it was stopped before
            was_stopped = started.process.returncode in STOPPED_EARLY
            return ("interrupted", "") if was_stopped else ("failed", tail(self.folder))
        if account is not None:
            return ("killed", "") if account.state == "running" else (account.state, account.ending)
        if self._levels:
            return "over", ""
        if not (self.folder / LOG).is_file():
            message = "holds no search; name the folder that a search was given as --out"
            raise SpecError(Problem(message, file=str(self.folder), code="no_search"))
        return "failed", tail(self.folder)

    def _is_told_since(self, started: Started) -> bool:
        """Whether a search has written its account since one was started here, as it does when its study is open."""
        try:
            return (self.folder / ACCOUNT).stat().st_mtime >= started.at
        except OSError:
            return False

    def spec_text(self, number: int) -> str:
        with self._lock:
            self._read()
            study = find_study(self._journal, STUDY)
            if study is None or not 0 <= number < len(study.records):
                raise SpecError(Problem(f"has no trial {number}", file=str(self.folder), code="no_trial"))
            record = study.records[number]
            labels = self._journal.drawn(record)
            if self._space is None:
                self._space = self._find_space(study.settings or {})
            return self._text(self._space, record, labels)

    def _text(self, space: Space, record: Record, labels: dict[str, Any]) -> str:
        try:
            spec = space.spec(dict.fromkeys(space.parameters, 0) | space.encode(labels))
        except (KeyError, ValueError):  # a parameter or a label that the space doesn't have
            spec = None
        known = record.attributes.get(NETWORK)
        if spec is None or (known is not None and network_hash(spec) != known):
            raise self._journal.damaged(record.line, "of another network than its space has")
        return to_yaml(spec.model_copy(update={"name": f"{spec.name}_{record.number}"}))

    def _find_space(self, settings: Mapping[str, Any]) -> Space:
        """The space of the account, or where there is none one of ours if it is that."""
        if self._account is not None:
            return self._account.space
        name, _, fingerprint = str(settings.get("space", "")).rpartition(" ")
        stages, size = settings.get("stages"), str(settings.get("resolution", ""))
        file = SPACES / FilePath(name).name
        if file.is_file():
            counts = [int(count) for count in str(stages).split(",")] if stages else None
            sides = [int(side) for side in size.split("x")] if size else []
            resolution = (sides[0], sides[-1]) if sides else None
            space = load_space(file, stages=counts, resolution=resolution)
            if space.fingerprint == fingerprint:
                return read_space_text(space.text, str(file))
        message = f"says nothing of its space ({name}), as older searches do; run its command again, which ends at once"
        raise SpecError(Problem(message, file=str(self.folder), code="no_space"))


STOPPED_EARLY = (130, -signal.SIGINT)
"""The exit status after Ctrl-C: of the search, and of a Python that had not yet begun."""
_readers: OrderedDict[FilePath, _Reader] = OrderedDict()
_lock = threading.Lock()


def read_search(folder: FilePath) -> SearchView:
    """How a search stands, in the folder that it writes to; meant to be called again and again.

    Nothing is locked or written. Raises SpecError where there is no search, or one whose journal is damaged.
    """
    try:
        return _reader(folder).view()
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        raise SpecError(Problem(message, file=str(folder), code="unreadable")) from None


def _reader(folder: FilePath) -> _Reader:
    folder = folder.resolve()
    with _lock:
        reader = _readers.pop(folder, None) or _Reader(folder)
        _readers[folder] = reader
        if len(_readers) > MOST_READERS:
            _readers.popitem(last=False)
        return reader
