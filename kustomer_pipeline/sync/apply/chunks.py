"""Decisions → requests: what goes together in one bulk request, within the limits of the wire."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kustomer_pipeline.kustomer import ObjectName, Wire

from ..decisions import Create, Write
from ..patch import update_item
from .jobs import operation_of


def item_of(write: Write, *, with_rev: bool) -> dict[str, Any]:
    """A write as it is sent: a new record's body, or a patch with the id (and the revision it was computed from)."""
    if isinstance(write, Create):
        return write.body
    return update_item(write.live, write.patch.body, with_rev=with_rev)


def chunks(writes: Sequence[Write], wire: Wire, object_name: ObjectName, *, bulk: bool) -> Iterator[list[Write]]:
    """Creates and updates apart; rows that were refused before apart from the others, and last: what is wrong with them
    does not keep the others waiting. What may not be sent in bulk goes alone."""
    groups: dict[tuple[str, bool], list[Write]] = {}
    for write in writes:
        groups.setdefault((operation_of(write), _is_suspect(write)), []).append(write)
    for _, group in sorted(groups.items(), key=lambda entry: entry[0][1]):
        yield from _by_size(group, wire, object_name) if bulk else ([write] for write in group)


def fits_bulk(write: Write, wire: Wire, object_name: ObjectName) -> bool:
    """Whether bulk requests take every attribute of a write."""
    allowed = wire.writable(object_name, operation_of(write), True)
    return allowed is None or set(item_of(write, with_rev=False)) <= {"id", *allowed}


def _by_size(writes: Sequence[Write], wire: Wire, object_name: ObjectName) -> Iterator[list[Write]]:
    chunk: list[Write] = []
    size = 0
    for write in writes:
        if not fits_bulk(write, wire, object_name):
            yield [write]
            continue
        item_size = wire.item_size(item_of(write, with_rev=True))
        if chunk and (len(chunk) == wire.max_items or size + item_size > wire.max_bytes):
            yield chunk
            chunk, size = [], 0
        chunk.append(write)
        size += item_size
    if chunk:
        yield chunk


def _is_suspect(write: Write) -> bool:
    remembered = write.case.remembered
    return remembered is not None and remembered.status == "rejected"
