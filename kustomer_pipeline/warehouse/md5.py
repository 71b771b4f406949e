"""What SQLite lacks, as a function of SQL: the first 32 bits of a text's md5, and small letters beyond ASCII."""

from __future__ import annotations

import hashlib
from typing import Any

SQLITE_FUNCTION = "kustomer_first_bits"


def give_md5(connection: Any) -> None:
    """Give a connection of SQLite's driver what the other databases have."""
    connection.create_function(SQLITE_FUNCTION, 1, first_bits, deterministic=True)


def first_bits(value: bytes) -> int:
    """The first 32 bits of the md5 of a text in small letters, as a number. Bytes: text may be no UTF-8."""
    text = value.decode(errors="surrogateescape").lower().encode(errors="surrogateescape")
    return int.from_bytes(hashlib.md5(text, usedforsecurity=False).digest()[:4], "big")
