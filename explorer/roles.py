"""What the loop of a search needs of its parts: where networks come from, where they are evaluated, and kept."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from .budget import Candidate
from .evaluation.outcome import Outcome, Task
from .trials import Trial, Unscored


class Evaluation(Protocol):
    """Where networks are evaluated: Here, or in Processes."""

    @property
    def running(self) -> int: ...

    @property
    def is_free(self) -> bool: ...

    def submit(self, task: Task) -> None: ...

    def next(self, patience_s: float | None = None) -> Outcome | None: ...


class Study(Protocol):
    """What keeps trials: a SearchStudy, in a folder of its own, or a SharedStudy, in which others write too."""

    out: Path
    interrupted: tuple[int, ...]
    file_prefix: str
    """Before the names of the files of networks that failed."""

    @property
    def trials(self) -> list[Trial]: ...

    @property
    def unscored(self) -> list[Unscored]: ...

    @property
    def dropped_bytes(self) -> int: ...

    def __enter__(self) -> object: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...

    @property
    def elsewhere(self) -> int: ...

    @property
    def has_interrupted(self) -> bool: ...

    @property
    def poll_s(self) -> float | None: ...

    def refresh(self) -> list[Trial | Unscored]: ...

    def pause(self) -> None: ...

    def ask(self) -> int | None: ...

    def params(self, number: int) -> dict[str, Any]: ...

    def origin(self, number: int) -> int: ...

    def begin(self, number: int, attributes: dict[str, Any]) -> int: ...

    def tell(self, number: int, values: list[float], attributes: dict[str, Any]) -> Trial: ...

    def report(self, number: int, step: int, value: float) -> None: ...

    def stop(self, number: int, reason: str, attributes: dict[str, Any]) -> None: ...

    def fail(self, number: int, reason: str) -> None: ...


class Candidates(Protocol):
    """What draws networks, those that it has drawn being in `candidates` by the numbers of their trials."""

    candidates: dict[int, Candidate]
