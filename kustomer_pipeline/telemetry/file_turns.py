"""Turns at a file of the request log: whoever writes a line, and whoever replaces the file, has it alone meanwhile.

A file that was replaced is gone for whoever has it open, and what is written to it then is lost. So each looks, with
the lock in hand, whether it is still there. Where files cannot be locked (Windows, some network drives) nobody waits.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

try:
    import fcntl
except ImportError:  # Windows has no flock
    fcntl = None  # type: ignore[assignment]  # the module is absent on that platform, which is what None says


@contextlib.contextmanager
def alone(file: int) -> Iterator[None]:
    """For the body, nobody else writes to the file or replaces it.

    Everybody waits for everybody: of shared locks there would always be one, and whoever replaces the file would wait
    for as long as several processes have much to write.
    """
    locked = False
    if fcntl is not None:
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
            locked = True
    try:
        yield
    finally:
        if locked:
            fcntl.flock(file, fcntl.LOCK_UN)


def is_gone(file: int) -> bool:
    """Whether the file was removed or replaced since it was opened."""
    return os.fstat(file).st_nlink == 0
