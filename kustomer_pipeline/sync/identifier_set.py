"""Which identifiers many rows have: eight bytes each, however long they are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from kustomer_pipeline.kustomer import canonical


class IdentifierSet:
    """Which identifiers rows have: eight bytes each, however long they are."""

    def __init__(self, values: Iterable[tuple[str, str]]) -> None:
        self._hashes = np.unique(np.fromiter((_hash(field, value) for field, value in values), dtype=np.uint64))

    def has(self, field: str, value: str) -> bool:
        """Whether some row has this value of the identifier (in canonical form)."""
        hashed = np.uint64(_hash(field, value))
        place = int(np.searchsorted(self._hashes, hashed))
        return place < len(self._hashes) and bool(self._hashes[place] == hashed)


def _hash(field: str, value: str) -> int:
    text = f"{field}\x00{canonical(field, value)}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")
