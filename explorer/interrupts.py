"""Ctrl-C where it must not split what belongs together."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

AT_A_STRETCH_S = 0.5
"""What a wait in the main thread may take at most before the next. A signal is for the process, and may be taken by a
thread of gRPC's or another library: then Python knows of it, but the main thread, whose part it is, sleeps on."""


def _handler() -> Callable[[int, FrameType | None], object] | None:
    """What Ctrl-C calls; None in threads, which Python never interrupts, and where somebody has taken it away."""
    if threading.current_thread() is not threading.main_thread():
        return None
    handler = signal.getsignal(signal.SIGINT)
    return handler if callable(handler) else None


@contextmanager
def undivided() -> Iterator[None]:
    """Put a Ctrl-C off until the block is through.

    In threads, which Python never interrupts, and where somebody else has taken Ctrl-C away, it does nothing.
    """
    before = _handler()
    if before is None:
        yield
        return
    pending: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: pending.append((number, frame)))
    _put_off.append(pending)
    try:
        yield
    finally:
        _put_off.remove(pending)
        signal.signal(signal.SIGINT, before)
    if pending:
        before(*pending[0])


_put_off: list[list[tuple[int, FrameType | None]]] = []
"""What came in the blocks that are not through yet."""


def is_put_off() -> bool:
    """Whether a Ctrl-C waits for a block to be through: who waits for something in there should wait no longer."""
    return any(_put_off)


@contextmanager
def surfaced() -> Iterator[None]:
    """See to it that a Ctrl-C in the block leaves it as a KeyboardInterrupt, whatever became of it underneath.

    Where Ctrl-C comes while C code calls Python, libraries make another error of it, as numpy does a TypeError when it
    compares structured arrays, or lose it. In threads and where Ctrl-C does something else it does nothing.
    """
    before = _handler()
    if before is None:
        yield
        return
    raised: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        try:
            before(number, frame)
        except KeyboardInterrupt:
            raised.append(number)
            raise

    signal.signal(signal.SIGINT, note)
    try:
        yield
    except Exception as error:
        if raised:
            raise KeyboardInterrupt from error
        raise
    finally:
        signal.signal(signal.SIGINT, before)
    if raised:
        raise KeyboardInterrupt


@contextmanager
def ended_by_sigterm() -> Iterator[list[int]]:
    """Let SIGTERM, by which Slurm and Kubernetes end a job, do what Ctrl-C does; notes it in the list if it comes.

    In threads it does nothing.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        received.append(number)
        if not callable(signal.getsignal(signal.SIGINT)):  # shells start what is to run beside them so
            raise KeyboardInterrupt
        signal.raise_signal(signal.SIGINT)  # which may be put off

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield received
    finally:
        signal.signal(signal.SIGTERM, before)
