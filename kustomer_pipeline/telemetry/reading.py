"""The requests behind a row: all lines of the log that were about it.

    sync, row key → its lines in the files of all days, the newest last

A line that was cut off (the process was killed, the disk was full) is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .keyed_hash import KeyedHash
from .line import RequestLine, as_written
from .request_log import files_of

UNDO = "undo_run"  # the sync of an undo's lines, whose rows are of other syncs: their keys are "<sync>/<key>" there


def requests_of(folder: Path, sync: str, key: str) -> list[RequestLine]:
    """The attempts at requests that were about a row, by when they were sent; those of undos included.

    key: as the sync's outcomes have it, also where the log has only its hash. Raises OSError for a folder or file that
    cannot be read; a folder that is not there has no lines.
    """
    if not folder.exists():
        return []
    row = _Row(sync, key, KeyedHash.known_in(folder))
    found = [line for _, path in files_of(folder) for line in _lines(path, row)]
    return sorted(found, key=lambda line: line.at)


class _Row:
    """A row, as lines may name it."""

    def __init__(self, sync: str, key: str, hashed: KeyedHash | None) -> None:
        self._sync = sync
        # Addresses are in small letters in the keys of rows.
        self._keys = {key, key.strip().lower()} if "@" in key else {key}
        self._own = {hashed.of(sync, one) for one in self._keys} if hashed is not None else set()
        self._undone = {hashed.of(UNDO, f"{sync}/{one}") for one in self._keys} if hashed is not None else set()
        self._marks = [as_written(one) for one in self._keys]
        self._marks += [one.encode("ascii") for one in self._own | self._undone]

    def may_be_in(self, text: bytes) -> bool:
        """Whether it is worth reading a line."""
        return any(mark in text for mark in self._marks)

    def is_in(self, line: RequestLine) -> bool:
        """Whether a line was about it."""
        if line.sync == self._sync and not (
            self._keys.isdisjoint(line.keys) and self._own.isdisjoint(line.hashed_keys)
        ):
            return True
        return line.sync == UNDO and not self._undone.isdisjoint(line.hashed_keys)


def _lines(path: Path, row: _Row) -> Iterator[RequestLine]:
    try:
        content = path.open("rb")
    except FileNotFoundError:  # a run that began meanwhile removed it
        return
    with content:
        for text in content:
            line = RequestLine.from_bytes(text) if row.may_be_in(text) else None
            if line is not None and row.is_in(line):
                yield line
