"""What earlier plans of the same making would create: records that are not there yet, and will be in their turn.

    plan of companies → marks of what it creates ─→ plan of customers → marks ─→ plan of audiences

A mark is a hash of one identifier, so that nothing of anybody is kept for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping

from kustomer_pipeline.kustomer import ObjectName

MARK_BYTES = 16
Marks = Collection[bytes]
NOTHING: frozenset[bytes] = frozenset()


def mark_of(object_name: ObjectName, field: str, value: str) -> bytes:
    """The mark of one identifier in its canonical form."""
    return hashlib.blake2b("\x00".join([object_name, field, value]).encode(), digest_size=MARK_BYTES).digest()


def marks_of(object_name: ObjectName, by_field: Mapping[str, Iterable[str]]) -> set[bytes]:
    """The marks of a row: field → its identifiers."""
    return {mark_of(object_name, field, value) for field, values in by_field.items() for value in values}
