"""A sync in shards: several runs, each of a part of its rows, at the same time and in any process.

    key → md5 of it in small letters → part number      (the warehouse computes the same: warehouse/shards.py)

Each part is remembered as a sync of its own (state/parts.py), so that it reads and compares its rows alone. Two rows of
different parts that are one record in Kustomer are found by asking the state what the others have.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from .ledger import Outcome
from .opening import Opened
from .reconcile import Stream
from .spec import ObjectSpec, Shard
from .state import StateError, StateStore, part_name, parts_of, whole_name


class SplitUnderWayError(StateError):
    """The sync was split otherwise until now, and what is under way under the old names has to end first."""


def in_shard(spec: ObjectSpec, number: int, of: int) -> ObjectSpec:
    """One part of a sync, numbered from 0."""
    return replace(spec, name=part_name(spec.name, number, of), shard=Shard(number, of))


def shard_number(key: str, match_on: Sequence[str], of: int) -> int:
    """The part that a row with this key belongs to. Rows without the first of `match_on` are all in one."""
    name, equals, _ = key.partition("=")
    text = "" if equals and name in match_on[1:] else key.strip().lower()
    return int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:8], 16) % of


def is_split_otherwise(spec: ObjectSpec, store: StateStore, org_id: str) -> bool:
    """Whether rows are remembered under other names than this sync, as it is now, looks under."""
    of, former = _of(spec), spec.renamed_from
    if store.splits(org_id, whole_name(spec.name)).of != of:
        return True
    if former is None:
        return False
    old = store.splits(org_id, former)
    return old.any_rows() if spec.shard is not None else old.of != 1


def names_before(spec: ObjectSpec, store: StateStore, org_id: str) -> list[str]:
    """The names under which rows of this sync are remembered, and will not be looked for."""
    sync, of = whole_name(spec.name), _of(spec)
    known = store.splits(org_id, sync).names()
    if spec.renamed_from is not None:
        known += store.splits(org_id, spec.renamed_from).names()
    now = parts_of(sync, of) if spec.shard is not None else [sync]
    return [name for name in known if name not in now]


def bring_together(spec: ObjectSpec, store: StateStore, org_id: str, sources: Sequence[str]) -> None:
    """What is remembered under these names goes to those of today. Needs the org's lock."""
    sync, of = whole_name(spec.name), _of(spec)
    split = store.splits(org_id, sync)
    targets = parts_of(sync, of) if spec.shard is not None else [sync]
    for source in sources:
        split.divide(source, targets, lambda key: targets[shard_number(key, spec.match_on, of)])
    if spec.renamed_from is not None:
        store.splits(org_id, spec.renamed_from).is_now(1)
    split.is_now(of)


def settle_apart(opened: Opened, stream: Stream) -> None:
    """After the rows of a part: what the other parts are going to ask about it, and what this one asks about them.

    A row that its source no longer has gives its record free. A row that was written, and whose record is that of
    another part's row too, was written at the same time as that one, and nobody knows which of them Kustomer has. Both
    count as changed: the next run refuses one of them.
    """
    snapshot = stream.desired.snapshot
    absent = snapshot.keys.take(pa.array(stream.desired.compared.absent)).to_pylist()
    rows = stream.ledger.rows()
    written = rows[rows["outcome"].isin([str(Outcome.CREATED), str(Outcome.UPDATED)]) & rows["kustomer_id"].notna()]
    ids = written["kustomer_id"].tolist()
    others = opened.state.rows.in_other_parts(ids)
    twice = {holder.kustomer_id for holder in others}
    with opened.state.transaction() as tx:
        tx.rows.not_in_source(absent)
        tx.rows.count_as_changed(written["key"][written["kustomer_id"].isin(twice)].tolist())
        for holder in others:
            tx.of(holder.sync, opened.state.scope).rows.count_as_changed([holder.key])


def _of(spec: ObjectSpec) -> int:
    return spec.shard.of if spec.shard is not None else 1
