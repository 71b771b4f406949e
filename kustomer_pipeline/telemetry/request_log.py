"""The request log: every attempt at a request, a line each, in a file a day.

    RequestAttempt → RequestLine → one write → <folder>/requests-2030-03-17.jsonl   (the day in UTC)

Several processes may append to one file: each line goes out in one write, to the file that is there (forgetting.py may
have replaced it). When a run begins, the files of days that are long past are removed. A folder that cannot be written
to and a full disk are said once, and take nothing from the run.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from kustomer_pipeline.kustomer import JobAnswered, RequestAttempt, Work, WorkEnded

from .file_turns import alone, is_gone
from .keyed_hash import KeyedHash
from .line import RequestLine

log = logging.getLogger(__name__)

DEFAULT_LOG_DAYS = 7
_PREFIX, _SUFFIX = "requests-", ".jsonl"


class RequestLog:
    """An observer that writes. `days`: the files of so many days before today are kept."""

    def __init__(self, folder: Path, days: int = DEFAULT_LOG_DAYS) -> None:
        self._folder = folder
        self._days = days
        self._hashed: KeyedHash | None = None
        self._file: tuple[date, int] | None = None  # the day, the file's descriptor
        self._cut_off = False  # the last line went out in part
        self._said = False

    def began(self, work: Work, at: float) -> None:
        """Remove what is too old."""
        oldest = _day(at) - timedelta(days=self._days)
        try:
            for day, path in files_of(self._folder):
                if day < oldest:
                    path.unlink(missing_ok=True)
        except OSError as error:
            self._say(error)

    def attempted(self, attempt: RequestAttempt) -> None:
        """Write a line."""
        try:
            day = _day(attempt.at)
            file = self._file_of(day)
            if self._hashed is None:
                self._hashed = KeyedHash.made_in(self._folder)
            line = RequestLine.of(attempt, self._hashed).to_bytes()
            while not self._written(file, line):
                self.close()
                file = self._file_of(day)
        except OSError as error:
            self._say(error)

    def ended(self, ended: WorkEnded) -> None:
        """The lines say it all."""

    def job_answered(self, job: JobAnswered) -> None:
        """Its requests have their lines."""

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file[1])
            self._file = None

    def _file_of(self, day: date) -> int:
        if self._file is None or self._file[0] != day:
            self.close()
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._folder / f"{_PREFIX}{day.isoformat()}{_SUFFIX}"
            self._file = day, os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self._file[1]

    def _written(self, file: int, line: bytes) -> bool:
        """Write, unless the file is not the one any more that is there."""
        with alone(file):
            if is_gone(file):
                return False
            self._write(file, line)
            return True

    def _write(self, file: int, line: bytes) -> None:
        """In one piece, so that lines of several processes do not mix; one that follows a cut-off one begins anew."""
        line = b"\n" + line if self._cut_off else line
        self._cut_off = os.write(file, line) < len(line)
        if self._cut_off:
            raise OSError("a line went out in part: the disk is full, as it seems")

    def _say(self, error: OSError) -> None:
        if not self._said:
            self._said = True
            said = f"{type(error).__name__}: {error}"
            log.warning("The request log misses requests, because it cannot be written (%s). The run goes on.", said)


def files_of(folder: Path) -> Iterator[tuple[date, Path]]:
    """The files of a log, the oldest first, each with its day. Raises OSError."""
    for path in sorted(folder.glob(f"{_PREFIX}*{_SUFFIX}")):
        try:
            yield date.fromisoformat(path.name.removeprefix(_PREFIX).removesuffix(_SUFFIX)), path
        except ValueError:  # somebody else's
            continue


def _day(at: float) -> date:
    return datetime.fromtimestamp(at, UTC).date()
