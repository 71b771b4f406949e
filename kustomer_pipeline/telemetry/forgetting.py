"""One person taken out of the request log: their keys out of lines about several rows, and lines about nobody else.

    keys, Kustomer ids → each file: filtered as far as it goes → locked: the lines that came meanwhile, filtered
                       → the new file in the place of the old one

Whoever is killed leaves the old file or the new one. Processes go on writing meanwhile: each line is written with the
lock of its file in hand, and to the new file by whoever finds the old one replaced (request_log.py). They wait for no
more than the lines that came meanwhile.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from .file_turns import alone, is_gone
from .keyed_hash import KeyedHash
from .line import START, RequestLine, as_written
from .reading import UNDO
from .request_log import files_of

_MADE = ".forgetting"
_SYNC = re.compile(rb'"sync":"([^"\\]+)"')


@dataclass(frozen=True)
class Forgotten:
    """A person as lines may name them. has_row: whether a key is theirs in a sync; keys: all that may be. ids: of
    records in Kustomer."""

    has_row: Callable[[str, str], bool]
    keys: Collection[str]
    ids: Collection[str]
    syncs: Collection[str] = ()
    hashed: KeyedHash | None = None
    _hashes: dict[str, frozenset[str]] = field(default_factory=dict)

    def may_be_in(self, text: bytes) -> bool:
        """Whether it is worth reading a line."""
        return self._marks.search(text) is not None

    def without(self, line: RequestLine) -> RequestLine | None:
        """The line without them; None where it is about nobody else."""
        if any(id_ in line.path for id_ in self.ids):
            return None
        sync = line.sync or ""
        keys = tuple(key for key in line.keys if not self._is_theirs(sync, key))
        hashes = tuple(one for one in line.hashed_keys if one not in self._hashes_in(sync))
        if (keys, hashes) == (line.keys, line.hashed_keys):
            return line
        return replace(line, keys=keys, hashed_keys=hashes) if keys or hashes else None

    def _is_theirs(self, sync: str, key: str) -> bool:
        if sync == UNDO:
            sync, _, key = key.partition("/")
        return self.has_row(sync, key) or key.removeprefix("id=") in self.ids

    def _hashes_in(self, sync: str) -> frozenset[str]:
        if self.hashed is None:
            return frozenset()
        if sync not in self._hashes:
            names = [(sync, key, key) for key in self.keys]
            if sync == UNDO:
                names = [(of, key, f"{of}/{key}") for of in self.syncs for key in self.keys]
            theirs = (self.hashed.of(sync, name) for of, key, name in names if self.has_row(of, key))
            self._hashes[sync] = frozenset(theirs)
        return self._hashes[sync]

    @cached_property
    def _marks(self) -> re.Pattern[bytes]:
        """What a line that names them has in it."""
        marks = {as_written(key)[1:-1] for key in self.keys} | {id_.encode() for id_ in self.ids}
        marks |= {one.encode() for sync in {*self.syncs, UNDO, ""} for one in self._hashes_in(sync)}
        return re.compile(b"|".join(map(re.escape, sorted(marks))) or b"(?!)")


def forget_in(folder: Path, has_row: Callable[[str, str], bool], keys: Collection[str], ids: Collection[str]) -> int:
    """Take a person out of the log in a folder; out of how many lines. Raises OSError."""
    if not folder.is_dir():
        return 0
    for left in folder.glob(f"*{_MADE}"):
        left.unlink(missing_ok=True)
    paths = [path for _, path in files_of(folder)]
    syncs = {sync for path in paths for sync in _syncs_in(path)}
    person = Forgotten(has_row, keys, ids, syncs, KeyedHash.known_in(folder))
    return sum(_without(path, person) for path in paths)


def _syncs_in(path: Path) -> set[str]:
    try:
        with path.open("rb") as log:
            return {found[1].decode() for text in log if (found := _SYNC.search(text))}
    except FileNotFoundError:  # a run that began meanwhile removed it
        return set()


def _without(path: Path, person: Forgotten) -> int:
    """One file without the person; the same again where another process replaced it meanwhile."""
    made = path.with_name(f"{path.name}{_MADE}")
    while True:
        try:
            log = path.open("rb")
        except FileNotFoundError:
            return 0
        with log, _made(made) as kept:
            try:
                found = _filtered(log, kept, person, until=os.fstat(log.fileno()).st_size)
                with alone(log.fileno()):
                    if is_gone(log.fileno()):
                        continue
                    found += _filtered(log, kept, person)
                    if found:
                        kept.flush()
                        os.fsync(kept.fileno())
                        made.replace(path)
                    return found
            finally:
                made.unlink(missing_ok=True)


def _made(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb")


def _filtered(log: BinaryIO, kept: BinaryIO, person: Forgotten, *, until: int | None = None) -> int:
    """The lines from where the log was read to; out of how many the person was taken. until: whole lines before it."""
    found = 0
    while until is None or log.tell() < until:
        text = log.readline()
        if not text or (until is not None and not text.endswith(b"\n")):
            log.seek(-len(text), os.SEEK_CUR)  # it may be whole when it is read again
            break
        cleaned = _cleaned(text, person)
        found += cleaned != text
        kept.write(cleaned)
    return found


def _cleaned(text: bytes, person: Forgotten) -> bytes:
    """A line without the person; of one that was cut off and names them, nothing."""
    if not person.may_be_in(text):
        return text
    line = RequestLine.from_bytes(text)
    start = text.rfind(START) if line is not None else len(text)
    before, whole = text[:start], text[start:]  # what was cut off, and the line that was appended to it
    before = b"" if person.may_be_in(before) else before
    rest = person.without(line) if line is not None else None
    if line is None or rest is None:
        return before.rstrip(b"\n") + b"\n" if before.strip() else b""
    return before + (whole if rest == line else _with_keys(whole, rest))


def _with_keys(text: bytes, line: RequestLine) -> bytes:
    """The line as it is, with these keys; also what another version knows of it."""
    content = json.loads(text) | {"keys": line.keys, "hashed_keys": line.hashed_keys}
    return json.dumps(content, separators=(",", ":")).encode("ascii") + b"\n"
