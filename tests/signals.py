"""Signals that reach a process in another thread than its main one, as the kernel may decide."""

import ctypes
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def signal_another_thread(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Send a process a signal that a thread other than the main one takes; Linux only."""
    threads = {int(path.name) for path in Path(f"/proc/{process.pid}/task").iterdir()} - {process.pid}
    assert threads, "it has its main thread alone"
    assert ctypes.CDLL(None).tgkill(process.pid, min(threads), int(number)) == 0


@contextmanager
def ctrl_c_in_another_thread(after_s: float) -> Iterator[None]:
    """Another thread of this process takes a Ctrl-C while the block goes on."""
    timer = threading.Timer(after_s, lambda: signal.pthread_kill(threading.get_ident(), signal.SIGINT))
    timer.start()
    try:
        yield
    finally:
        timer.join()
