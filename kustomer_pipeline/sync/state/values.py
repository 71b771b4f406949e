"""What is remembered, as values: rows, jobs in flight, log lines, what was overwritten."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import pyarrow as pa

from kustomer_pipeline.kustomer import ObjectName, Operation

Status = Literal["accepted", "skipped", "rejected", "invalid", "indeterminate"]
Effect = Literal["accept", "untag", "undo"]
TagEffect = Literal["accept", "tag", "untag"]
Undoes = tuple[tuple[int, tuple[str, ...]], ...]  # (id of a line, its fields)


@dataclass(frozen=True, slots=True)
class RememberedRow:
    """What is remembered of one row.

    status: indeterminate means that a write was sent and nobody knows what came of it (without a kustomer_id: it was a
    create). fingerprint: None counts as changed. owned: the record holds the audience's tag because of this sync.
    sent_lists: hashes of the list items that this sync wrote, by attribute. lost_at: when a write was sent whose job
    may still be done. theirs: what is left to Kustomer (theirs.py), as it was read; it is not written with the row.
    """

    key: str
    status: Status
    fingerprint: int | None = None
    kustomer_id: str | None = None
    owned: bool = False
    sent_lists: Mapping[str, list[str]] = field(default_factory=dict)
    reason: str | None = None
    reason_code: str | None = None
    lost_at: datetime | None = None
    theirs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Snapshot:
    """The rows of a sync's scope as columns (no Python object per cell): aligned arrays of equal length."""

    keys: pa.Array
    fingerprints: pa.Array
    statuses: pa.Array
    kustomer_ids: pa.Array
    owned: pa.Array
    lost_at: pa.Array

    @property
    def owned_ids(self) -> frozenset[str]:
        """Records that hold the audience's tag because of this sync."""
        return frozenset(id_ for id_ in self.kustomer_ids.filter(self.owned).to_pylist() if id_)


@dataclass(frozen=True)
class OwnershipChange:
    """Whether a record holds an audience's tag because of the audience's sync, after an undo."""

    sync: str
    scope: str
    key: str
    kustomer_id: str
    owned: bool


@dataclass(frozen=True)
class JobItem:
    """One record of a bulk job, and what its success will mean.

    effect: accept (the row has landed), untag (the member left, and leaves the state), undo (nothing for the row).
    owned, was_owned: whether the record holds the audience's tag because of this sync once it is done, and until then.
    displaced: other keys under which the record is remembered. identities: (field, hash of the value) that it will be
    found under. changes: (field, before, after), kept so that the run can be undone; empty for a create. lost_at: an
    earlier write of the row may still be done; the row is not settled by this one. ownership: see OwnershipChange.
    undoes: what an undo takes back, see ChangeLine.
    """

    ref: str
    key: str
    effect: Effect = "accept"
    kustomer_id: str | None = None
    fingerprint: int | None = None
    owned: bool = False
    was_owned: bool = False
    sent_lists: Mapping[str, list[str]] = field(default_factory=dict)
    displaced: tuple[str, ...] = ()
    identities: tuple[tuple[str, str], ...] = ()
    changes: tuple[tuple[str, Any, Any], ...] = ()
    lost_at: datetime | None = None
    ownership: tuple[OwnershipChange, ...] = ()
    undoes: Undoes = ()


@dataclass(frozen=True)
class Job:
    """A bulk job in flight; without a `bulk_id` nobody knows whether Kustomer took it. `run_id`: of the run that an
    earlier process left it behind in; what it did is that run's doing."""

    job_id: str
    operation: Operation
    object_name: ObjectName
    items: tuple[JobItem, ...]
    bulk_id: str | None = None
    created_at: datetime | None = None
    scope: str = ""
    run_id: str | None = None


@dataclass(frozen=True)
class UnderWay:
    """A record that a bulk job in flight is about (none yet of a create), and which of its fields."""

    sync: str
    key: str
    ref: str
    kustomer_id: str | None
    fields: tuple[str, ...]


@dataclass(frozen=True)
class LogLine:
    """One attempted record, as it goes into `sync_log`."""

    key: str
    outcome: str
    kustomer_id: str | None = None
    reason: str | None = None
    reason_code: str | None = None


@dataclass(frozen=True)
class ChangeLine:
    """What an update overwrote, as it goes into `sync_changes`: (field, before, after) of each field.

    effect: accept, or for an audience's tag whether it was given (tag) or taken (untag). id: its number in the table.
    undoes: of an undo, which lines it took back, and which fields of each.
    """

    key: str
    object_name: ObjectName
    kustomer_id: str
    changes: tuple[tuple[str, Any, Any], ...]
    sync: str = ""
    scope: str = ""
    effect: TagEffect = "accept"
    id: int | None = field(default=None, compare=False)
    undoes: Undoes = ()

    @property
    def fields(self) -> frozenset[str]:
        """The fields that it is about. A tag's line that changes nothing by itself says whose the tag is."""
        fields = {name for name, _, _ in self.changes} | {name for _, names in self.undoes for name in names}
        return frozenset(fields | {"tags"} if self.effect != "accept" else fields)


@dataclass(frozen=True)
class RunLine:
    """One run, as it goes into `sync_runs`. `counts`: by column."""

    run_id: str
    started_at: datetime
    finished_at: datetime
    counts: Mapping[str, int]
    seconds: float
    interrupted: str | None = None


def value_hash(value: str) -> str:
    """An identifier as it is kept in the state: 128 bits of BLAKE2b, never the value."""
    return hashlib.blake2b(value.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
