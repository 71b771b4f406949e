"""The files of a SQLite state are their owner's only (0600): they hold row keys and overwritten values in clear text.

SQLite gives the files that it makes beside the database (-wal, -shm) the rights of the database itself; those that are
there already are put right with it.
"""

from __future__ import annotations

import stat
from contextlib import suppress
from pathlib import Path

_OWNER_ONLY = 0o600
_BESIDE = ("", "-wal", "-shm", "-journal")


def made_private(file: Path | None) -> Path | None:
    """Take the rights of group and others away. What belongs to another user, who alone could do that, is left.

    The same path; None, and nothing done, for a database that is no file.
    """
    for path in (file.with_name(f"{file.name}{suffix}") for suffix in _BESIDE) if file is not None else ():
        with suppress(OSError):
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & ~_OWNER_ONLY:
                path.chmod(mode & _OWNER_ONLY)
    return file
