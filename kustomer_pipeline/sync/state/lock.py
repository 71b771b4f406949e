"""One writer per org: two runs started side by side take turns. The parts of a sync in shards hold the org together.

The lock belongs to the process, not to a line in a table: a killed process holds nothing. It may be lost all the same
(a connection that is cut, a file that is deleted), so it is checked before each write.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .database import Database
from .file_lock import FILES_CAN_BE_LOCKED, file_lock, process_lock
from .session_lock import session_lock

_RUN = "Another run is writing to this Kustomer org"
_SAME_PART = "Another run is writing the same part of the sync"


class Lock(Protocol):
    """The right to write to an org."""

    def check(self) -> None:
        """Raise LockLostError if it is no longer held."""


@contextlib.contextmanager
def org_lock(database: Database, org_id: str, who: str = _RUN, *, together: bool = False) -> Iterator[Lock]:
    """Wait for the org's turn, hold it for the body. `who` is waited for, as it is said once. Raises StateError.

    together: with others who hold it together, and with nobody else.
    """
    if database.engine.dialect.name == "postgresql":
        held: contextlib.AbstractContextManager[Lock] = session_lock(database, _digest(org_id), who, together)
    elif database.file is not None and FILES_CAN_BE_LOCKED:
        held = file_lock(database, Path(f"{database.file}.{_digest(org_id):016x}.lock"), who, together)
    else:
        held = process_lock(f"{database.name}/{org_id}", who, together)
    with held as lock:
        yield lock


@contextlib.contextmanager
def part_lock(database: Database, org_id: str, part: str) -> Iterator[Lock]:
    """The right to write one part of a sync, beside runs that write other parts. Raises StateError."""
    with (
        org_lock(database, org_id, together=True) as org,
        org_lock(database, f"{org_id}/{part}", _SAME_PART) as own,
    ):
        yield _Both(org, own)


@dataclass(frozen=True)
class _Both:
    org: Lock
    own: Lock

    def check(self) -> None:
        """Raise LockLostError if one of them is no longer held."""
        self.org.check()
        self.own.check()


def _digest(org_id: str) -> int:
    return int.from_bytes(hashlib.blake2b(org_id.encode(), digest_size=8).digest(), "big") >> 1
