"""A lock on a file beside a SQLite database; and one within this process, for what is no file."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from .database import Database
from .errors import LockLostError, StateError
from .waiting import LOST, wait_until

try:
    import fcntl
except ImportError:  # Windows has no flock: there the lock holds within the process
    fcntl = None  # type: ignore[assignment]  # the module is absent on that platform, which is what None says

FILES_CAN_BE_LOCKED = fcntl is not None


class FileLock:
    """A lock on a file: lost when the file is no longer the one that is there."""

    def __init__(self, path: Path, handle: IO[str]) -> None:
        self._path = path
        self._handle = handle

    def check(self) -> None:
        """Raise LockLostError if the file was deleted or replaced."""
        if not _is_there(self._path, self._handle):
            raise LockLostError(LOST)


def _is_there(path: Path, handle: IO[str]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle.fileno()))
    except OSError:
        return False


@contextlib.contextmanager
def file_lock(database: Database, path: Path, who: str, together: bool) -> Iterator[FileLock]:
    """Wait for it, hold it for the body. Raises StateError."""
    mode = (fcntl.LOCK_SH if together else fcntl.LOCK_EX) | fcntl.LOCK_NB
    with contextlib.ExitStack() as stack:
        handles: list[IO[str]] = []

        def taken() -> bool:
            handle = stack.enter_context(path.open("w"))
            try:
                fcntl.flock(handle, mode)
            except BlockingIOError:
                handle.close()
                return False
            handles.append(handle)
            return _is_there(path, handle)  # its last holder may have deleted it in between

        try:
            wait_until(taken, who)
        except OSError as error:
            raise StateError(
                f"The state database {database.name} cannot be locked ({error.strerror}): {path} must be writable, "
                "on a disk that knows locks"
            ) from None
        yield FileLock(path, handles[-1])


class ProcessLock:
    """A lock that cannot be lost while the process lives."""

    def check(self) -> None:
        """It is held."""


class _Turns:
    """Who holds what in this process: -1, somebody alone; else so many together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: Counter[str] = Counter()

    def take(self, name: str, together: bool) -> bool:
        with self._lock:
            free = self._held[name] >= 0 if together else self._held[name] == 0
            if free:
                self._held[name] += 1 if together else -1
            return free

    def give_back(self, name: str, together: bool) -> None:
        with self._lock:
            self._held[name] -= 1 if together else -1


_turns = _Turns()


@contextlib.contextmanager
def process_lock(name: str, who: str, together: bool) -> Iterator[ProcessLock]:
    """Wait for it, hold it for the body."""
    wait_until(lambda: _turns.take(name, together), who)
    try:
        yield ProcessLock()
    finally:
        _turns.give_back(name, together)
