"""A Ctrl-C waits until what it would harm is over."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from hiri_spec.nn.interrupts import later_interrupts


def test_it_is_raised_at_the_end() -> None:
    before = signal.getsignal(signal.SIGINT)
    done: list[str] = []

    def work() -> None:
        with later_interrupts():
            os.kill(os.getpid(), signal.SIGINT)
            done.append("the rest")

    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        work()
    assert done == ["the rest"]
    assert signal.getsignal(signal.SIGINT) is before


def test_an_error_goes_before_it() -> None:
    before = signal.getsignal(signal.SIGINT)

    def work() -> None:
        with later_interrupts():
            os.kill(os.getpid(), signal.SIGINT)
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        work()
    assert signal.getsignal(signal.SIGINT) is before


def test_in_a_thread_it_does_nothing() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def work() -> None:
        with later_interrupts():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
