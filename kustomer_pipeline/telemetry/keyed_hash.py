"""A keyed hash of row keys that are personal data: with the key of a row its lines are found, and the lines alone tell
nobody whose they are.

    sync, row key + the folder's secret → 20 hexadecimal characters

The secret is made with the first line of a folder and stays in it. Without it (lines that were copied elsewhere) nobody
can try addresses until one fits.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path
from typing import Self

SECRET = "secret"  # the file
_BYTES = 32


class KeyedHash:
    """Hashes with the secret of one folder."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def made_in(cls, folder: Path) -> Self:
        """That of a folder, made if it has none. Raises OSError.

        Several processes may come first at once: each appends a secret of its own, and the first one counts for all.
        """
        file = os.open(folder / SECRET, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if len(os.pread(file, _BYTES, 0)) < _BYTES:
                os.write(file, secrets.token_bytes(_BYTES))
            secret = os.pread(file, _BYTES, 0)
        finally:
            os.close(file)
        if len(secret) < _BYTES:
            raise OSError("the secret of the request log went out in part: the disk is full, as it seems")
        return cls(secret)

    @classmethod
    def known_in(cls, folder: Path) -> Self | None:
        """That of a folder; None where it has none. Raises OSError."""
        try:
            secret = (folder / SECRET).read_bytes()[:_BYTES]
        except FileNotFoundError:
            return None
        return cls(secret) if len(secret) == _BYTES else None

    def of(self, sync: str, key: str) -> str:
        """The hash of a row's key in a sync."""
        text = f"{sync}\0{key}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, digest_size=10, key=self._secret).hexdigest()
