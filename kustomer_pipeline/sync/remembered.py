"""What is remembered, as values: rows, jobs in flight, log lines."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import pyarrow as pa

Status = Literal["accepted", "skipped", "sent", "unsettled", "rejected", "invalid"]


@dataclass(frozen=True)
class RowState:
    """What is remembered of one row. `sent_lists`: hashes of the list items this sync sent, by attribute."""

    key: str
    status: Status
    fingerprint: int | None = None
    kustomer_id: str | None = None
    owned: bool = False
    sent_lists: Mapping[str, list[str]] = field(default_factory=dict)
    reason: str | None = None


@dataclass(frozen=True)
class JobItem:
    """One record of a bulk job, and what its success will mean.

    effect: accept (the row has landed), untag (the member left, and leaves the state), undo (nothing for the state).
    young: an earlier job of this row was lost so recently that it may still be done; the row is not settled yet.
    changes: (field, before, after), kept so that the run can be undone; empty for a create.
    """

    ref: str
    key: str
    fingerprint: int | None
    kustomer_id: str | None
    owned: bool = False
    effect: Literal["accept", "untag", "undo"] = "accept"
    changes: Sequence[Sequence[Any]] = field(default_factory=list)
    sent_lists: Mapping[str, list[str]] = field(default_factory=dict)
    young: bool = False


@dataclass(frozen=True)
class Job:
    """A bulk job in flight; without a `bulk_id` nobody knows whether Kustomer took it."""

    job_id: str
    operation: Literal["create", "update"]
    items: tuple[JobItem, ...]
    bulk_id: str | None = None
    created_at: datetime | None = None


@dataclass(frozen=True)
class LogLine:
    """One attempted record, as it goes into `sync_log`."""

    key: str
    outcome: str
    kustomer_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class ChangeLine:
    """What an update overwrote, as it goes into `sync_changes`: (field, before, after) of each field."""

    key: str
    object: Literal["customers", "companies"]
    kustomer_id: str
    changes: Sequence[Sequence[Any]]
    sync: str = ""


@dataclass(frozen=True)
class Snapshot:
    """A sync's rows as columns (no Python object per cell): aligned arrays of equal length."""

    keys: pa.Array
    fingerprints: pa.Array
    statuses: pa.Array
    kustomer_ids: pa.Array
    owned: pa.Array


def value_hash(value: str) -> str:
    """An identifier as it is kept in the state: 128 bits of BLAKE2b, never the value."""
    return hashlib.blake2b(value.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def new_refs(count: int) -> list[str]:
    """`_clientRef`s for one job: unguessable, unique, and nobody's personal data (docs/kustomer.md section 7.2)."""
    job_id = uuid.uuid4().hex
    return [f"{job_id}-{index}" for index in range(count)]
