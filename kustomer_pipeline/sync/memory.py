"""What is remembered of the rows beyond those of a frame: all of it, or what the rows that left the warehouse need.

    embedded comparison         → Whole: the snapshot has every row
    a part of a sync in shards  → Apart: the snapshot has every row of the part; of others the state is asked
    comparison in the warehouse → Part: the snapshot has the frame's rows, those that are gone, those without a line;
                                  of all others the state is asked, many at once, when somebody needs to know

All answer alike, so that nobody above asks which it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import Protocol

import pyarrow.compute as pc

from .rest import Rest
from .state import Holder, Snapshot, SyncState


class Owned(Protocol):
    """Records that hold an audience's tag because of the sync."""

    def __contains__(self, kustomer_id: object) -> bool: ...

    def __len__(self) -> int: ...


class Memory(Protocol):
    """What is remembered of one scope."""

    @property
    def snapshot(self) -> Snapshot:
        """The rows that this run may have to do with."""
        ...

    @property
    def stayed(self) -> int:
        """How many rows of the source, as accepted, the frame does not have."""
        ...

    @property
    def owned(self) -> Owned:
        """Whose tag is ours."""
        ...

    def holders(self, kustomer_ids: Iterable[str]) -> Mapping[str, Collection[Holder]]:
        """Of these records, those that are rows which stayed in the warehouse."""
        ...

    def rows_with(self, hashes: Collection[str]) -> Mapping[str, str]:
        """Which rows that stayed have an identifier: its hash → the row's key."""
        ...


class Whole:
    """Every remembered row is in the snapshot."""

    stayed = 0

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    @cached_property
    def owned(self) -> Owned:
        """Whose tag is ours."""
        return self.snapshot.owned_ids

    def holders(self, kustomer_ids: Iterable[str]) -> Mapping[str, Collection[Holder]]:
        """None stayed."""
        return {}

    def rows_with(self, hashes: Collection[str]) -> Mapping[str, str]:
        """None stayed."""
        return {}


class Apart(Whole):
    """Every row of one part of a sync in shards; the records of the other parts are known to the state."""

    def __init__(self, state: SyncState, snapshot: Snapshot) -> None:
        super().__init__(snapshot)
        self._state = state

    def holders(self, kustomer_ids: Iterable[str]) -> Mapping[str, Collection[Holder]]:
        """Of these records, those that are rows of other parts."""
        found: dict[str, list[Holder]] = {}
        for holder in self._state.rows.in_other_parts(sorted(kustomer_ids)):
            found.setdefault(holder.kustomer_id, []).append(holder)
        return found


class Part:
    """Of a reading that left most rows where they are."""

    def __init__(self, state: SyncState, snapshot: Snapshot, rest: Rest) -> None:
        self.snapshot = snapshot
        self._state = state
        self._rest = rest
        self._here = frozenset(snapshot.keys.to_pylist())
        self._asked: dict[str, list[Holder]] = {}

    @property
    def stayed(self) -> int:
        """Rows that the frame does not have."""
        return self._rest.stayed

    @property
    def owned(self) -> Owned:
        """Whose tag is ours."""
        return self

    def holders(self, kustomer_ids: Iterable[str]) -> Mapping[str, Collection[Holder]]:
        """Of these records, those that are rows which stayed; each record is asked for once."""
        wanted = set(kustomer_ids)
        new = sorted(wanted - self._asked.keys())
        self._asked.update({id_: [] for id_ in new})
        for holder in self._state.rows.filed_as(new):
            if holder.key not in self._here:
                self._asked[holder.kustomer_id].append(holder)
        return {id_: self._asked[id_] for id_ in wanted if self._asked[id_]}

    def rows_with(self, hashes: Collection[str]) -> Mapping[str, str]:
        """Which rows that stayed have an identifier."""
        return self._rest.holding(hashes) if hashes else {}

    @cached_property
    def _owned_here(self) -> frozenset[str]:
        return self.snapshot.owned_ids

    @cached_property
    def _members(self) -> int:
        return self._state.rows.members()

    def __contains__(self, kustomer_id: object) -> bool:
        if kustomer_id in self._owned_here or not isinstance(kustomer_id, str):
            return kustomer_id in self._owned_here
        return any(one.owned for one in self.holders([kustomer_id]).get(kustomer_id, ()))

    def __len__(self) -> int:
        return self._members


def accepted_in(memory: Memory) -> int:
    """Records that were accepted when the run began, whether the query still has them or not."""
    return (pc.sum(pc.equal(memory.snapshot.statuses, "accepted")).as_py() or 0) + memory.stayed
