"""Which process has the folder of a search, by the system's own list of locks: nothing is locked to find out.

Linux only, as the explorer's processes are.
"""

from __future__ import annotations

import re
from pathlib import Path as FilePath

from hiri_spec.locking import LOCK

LOCKS = FilePath("/proc/locks")
_LINE = re.compile(r"[0-9]+: FLOCK +ADVISORY +WRITE +([0-9]+) +[0-9a-f]+:[0-9a-f]+:([0-9]+) ")


def find_holder(folder: FilePath) -> int | None:
    """The process that writes to a folder; None if none does.

    Its number stands in the folder's `.lock`, where it stays when the process has gone and another got the number; so
    it must be the one that holds the lock on that very file, too.
    """
    lock = folder / LOCK
    try:
        inode = lock.stat().st_ino
        with lock.open("rb") as stream:
            written = stream.read(20)
        if not re.fullmatch(rb"[1-9][0-9]{0,9}", written):
            return None
        locks = LOCKS.read_text()
    except OSError:  # no folder, no lock, no such list: nobody is known to hold it
        return None
    process = int(written)
    held = ((int(match[1]), int(match[2])) for match in map(_LINE.match, locks.splitlines()) if match)
    return process if (process, inode) in held else None
