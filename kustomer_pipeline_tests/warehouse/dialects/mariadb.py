"""A MariaDB of the test process's own: `mariadbd` from the PATH, on a Unix socket in a folder that is removed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

# Where Debian, Homebrew and the tar balls keep what a new data folder is made of.
_SYSTEM_TABLES: Final = ("mysql_system_tables.sql", "mysql_system_tables_data.sql", "mariadb_system_tables.sql",
                         "mariadb_system_tables_data.sql")  # fmt: skip
_SMALL: Final = ("--no-defaults", "--innodb-log-file-size=4M", "--innodb-buffer-pool-size=16M")
# As root, it only runs when it is told that root is meant.
_USER: Final = ("--user=root",) if os.getuid() == 0 else ()
_PATIENCE_SECONDS: Final = 60.0


def server() -> str | None:
    """Its program, or None where it is not installed; Debian keeps it where a user's PATH does not look."""
    return shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/bin")


@contextmanager
def running(program: str) -> Iterator[str]:
    """The URL of the server, whose time zone is Tokyo's; the database in it is named `shop`."""
    folder = Path(tempfile.mkdtemp(prefix="maria-"))  # short: the path of a socket has 107 bytes
    data = folder / "data"
    data.mkdir()
    tables = "".join(_share(program, name) for name in _SYSTEM_TABLES)
    # The folder is made without the script of the package, which wants programs of the client's package.
    subprocess.run(
        [program, *_SMALL, "--bootstrap", f"--datadir={data}", *_USER],
        input=f"create database mysql;\nuse mysql;\nset @auth_root_socket = null;\n{tables}create database shop;\n",
        capture_output=True,
        check=True,
        text=True,
    )
    path = folder / "socket"
    options = [f"--datadir={data}", f"--socket={path}", "--skip-networking", "--default-time-zone=+09:00", *_USER]
    with open(folder / "log", "w") as log, subprocess.Popen([program, *_SMALL, *options], stdout=log, stderr=log) as on:
        try:
            _wait_for(path, on)
            yield f"mysql+pymysql://root@/shop?unix_socket={path}"
        finally:
            on.terminate()
            on.wait()
            shutil.rmtree(folder)


def _share(program: str, name: str) -> str:
    """A file of SQL that comes with the server; nothing where this version calls it otherwise."""
    root = Path(program).resolve().parent.parent
    found = (root / "share" / folder / name for folder in ("mysql", "mariadb", "."))
    return next((path.read_text(encoding="utf-8") for path in found if path.is_file()), "")


def _wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(str(path))
                return
            except OSError:
                if process.poll() is not None or time.monotonic() > end:
                    raise
        time.sleep(0.05)
