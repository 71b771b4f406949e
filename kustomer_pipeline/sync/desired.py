"""The frame of a run beside what is remembered of it: which rows are due, and each of them as a case.

mapped frame + state → Comparison → positions → cases
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from kustomer_pipeline.kustomer import Clock, identifiers
from kustomer_pipeline.mapping import INVALID, KEY, wire_rows

from .compare import Comparison, compare, fingerprints
from .identifier_set import IdentifierSet
from .memory import Memory
from .rows import Case, DesiredRow, Member
from .spec import SyncSpec
from .state import RememberedRow, Snapshot, SyncState
from .theirs import RECORD, is_left_out

RECHECK_MISSING_AFTER = timedelta(hours=1)
SURELY_OVER_AFTER = timedelta(minutes=10)  # a job that was lost on its way has surely been done, or never will be
_CHUNK = 20_000
SIGNATURE = "signature"


class Desired:
    """What a sync wants, and what it remembers. Reads the state, writes nothing."""

    def __init__(
        self,
        spec: SyncSpec,
        mapped: pd.DataFrame,
        state: SyncState,
        memory: Memory,
        clock: Clock,
        *,
        full_resync: bool = False,
        again: Collection[str] = (),
        keep_first_of_repeated: bool = False,
    ) -> None:
        self.spec = spec
        self.mapped = mapped
        self.state = state
        self.now = datetime.fromtimestamp(clock.time(), UTC)
        self.memory = memory
        signature = state.facts.get(SIGNATURE)
        self.compared: Comparison = compare(
            mapped,
            fingerprints(mapped, spec.signature),
            memory.snapshot,
            full_resync=full_resync,
            again=again,
            same_definition=None if signature is None else signature == spec.signature,
            keep_first_of_repeated=keep_first_of_repeated,
            stayed=memory.stayed,
        )
        self.left_out = self._left_out()
        self._leave_out(self.left_out)

    @property
    def snapshot(self) -> Snapshot:
        """What is remembered of the frame's rows, and of those that may have left."""
        return self.memory.snapshot

    # --- which rows -----------------------------------------------------------------------------------------

    def due(self) -> tuple[np.ndarray, np.ndarray]:
        """(positions to attempt, positions not to be looked at yet).

        A row that Kustomer did not have last time is looked for again after an hour, or at once when its identifiers
        have been seen since.
        """
        missing = self.compared.missing
        if not len(missing):
            return self.compared.pending, missing
        old = self.state.rows.keys_with_status("skipped", before=self.now - RECHECK_MISSING_AFTER, without_id=True)
        due = self.mapped[KEY].iloc[missing].isin(old).to_numpy(dtype=bool, copy=True)
        due[~due] = self._seen_since(missing[~due])
        waiting = missing[~due]
        return self.compared.pending[~np.isin(self.compared.pending, waiting)], waiting

    def _seen_since(self, positions: np.ndarray) -> np.ndarray:
        cases = self.cases(positions)
        seen = np.zeros(len(cases), dtype=bool)
        for field in self.spec.match_on:
            values = sorted({value for case in cases for value in case.identifiers(field)})
            hints = self.state.identities.find(self.spec.object, field, values) if values else {}
            seen |= np.array([any(v in hints for v in case.identifiers(field)) for case in cases], dtype=bool)
        return seen

    def _leave_out(self, positions: np.ndarray) -> None:
        if len(positions):
            compared = self.compared
            pending, missing = (rows[~np.isin(rows, positions)] for rows in (compared.pending, compared.missing))
            self.compared = replace(compared, pending=pending, missing=missing)

    def _left_out(self) -> np.ndarray:
        """Positions of the rows whose record was deleted in Kustomer and is not wanted any more (theirs.py)."""
        marks, pending = self.state.theirs.without_record(RECORD), self.compared.pending
        known = pending[self.mapped[KEY].iloc[pending].isin(marks).to_numpy(dtype=bool)] if marks else pending[:0]
        rows = [(case.position, is_left_out(case.row.body, marks[case.key])) for case in self.cases(known)]
        return np.array([position for position, left_out in rows if left_out], dtype=np.int64)

    def unknown(self) -> np.ndarray:
        """Positions of the pending rows that no Kustomer id is remembered of."""
        without_id = self.compared.ids.is_null().to_numpy(zero_copy_only=False)
        return np.asarray(self.compared.pending[without_id[self.compared.pending]])

    def invalid_rows(self) -> Iterator[tuple[int, str]]:
        """Position and reasons of the rows that the mapping refused."""
        invalid = self.compared.invalid
        return zip(invalid.tolist(), self.mapped[INVALID].iloc[invalid].tolist(), strict=True)

    def contents(self, positions: np.ndarray) -> Iterator[str]:
        """Key and content of the rows at these positions, as one text each."""
        keys = self.mapped[KEY].iloc[positions].tolist()
        return (f"{key}\x00{mark}" for key, mark in zip(keys, self.compared.prints[positions].tolist(), strict=True))

    # --- as cases -------------------------------------------------------------------------------------------

    def cases(self, positions: np.ndarray, *, must_prove: bool = False) -> list[Case]:
        """The rows at these positions, with what is remembered of each."""
        if not len(positions):
            return []
        subset = self.mapped.iloc[positions]
        bodies = wire_rows(subset, self.spec.fields, object_name=self.spec.object)
        keys = subset[KEY].tolist()
        remembered = self._remembered(keys, positions)
        missing = set(self.compared.missing.tolist())
        prints = self.compared.prints
        return [
            Case(
                DesiredRow(position, key, int(prints[position]), body),
                remembered.get(key),
                must_prove=(must_prove and position not in missing) or _is_indeterminate_create(remembered.get(key)),
            )
            for position, key, body in zip(positions.tolist(), keys, bodies, strict=True)
        ]

    def _remembered(self, keys: Sequence[str], positions: np.ndarray) -> dict[str, RememberedRow]:
        found = self.compared.remembered(positions)
        statuses, ids, owned, lost = (
            column.to_pylist() for column in (found.statuses, found.kustomer_ids, found.owned, found.lost_at)
        )
        lists, theirs = self.state.rows.sent_lists(keys), self.state.theirs.of(keys)
        return {
            key: RememberedRow(
                key=key,
                status=status,
                fingerprint=None,
                kustomer_id=id_,
                owned=bool(owns),
                sent_lists=lists.get(key, {}),
                lost_at=self.still_open(lost_at),
                theirs=theirs.get(key, {}),
            )
            for key, status, id_, owns, lost_at in zip(keys, statuses, ids, owned, lost, strict=True)
            if status is not None
        }

    def still_open(self, lost_at: datetime | None) -> datetime | None:
        """When a write was lost, as long as its job may still be done; None once that is over."""
        if lost_at is None:
            return None
        lost_at = lost_at if lost_at.tzinfo else lost_at.replace(tzinfo=UTC)
        return lost_at if self.now - lost_at < SURELY_OVER_AFTER else None

    # --- identifiers ----------------------------------------------------------------------------------------

    def identifiers_of(self, positions: np.ndarray) -> IdentifierSet:
        """The identifiers of the ladder that the rows at these positions have."""
        return IdentifierSet(self._identifiers(positions))

    def rows_with(self, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """The positions of the valid rows that have one of these identifiers (field, canonical value)."""
        found: dict[tuple[str, str], int] = {}
        if wanted:
            valid = np.flatnonzero(self.mapped[INVALID].isna().to_numpy())
            for position, identifier in self._identifiers_at(valid):
                if identifier in wanted:
                    found.setdefault(identifier, position)
        return found

    def _identifiers(self, positions: np.ndarray) -> Iterator[tuple[str, str]]:
        return (identifier for _, identifier in self._identifiers_at(positions))

    def _identifiers_at(self, positions: np.ndarray) -> Iterator[tuple[int, tuple[str, str]]]:
        fields = [mapping for mapping in self.spec.fields if _feeds(mapping.field, self.spec.match_on)]
        for start in range(0, len(positions), _CHUNK):
            chunk = positions[start : start + _CHUNK]
            bodies = wire_rows(self.mapped.iloc[chunk], fields, object_name=self.spec.object)
            for position, body in zip(chunk.tolist(), bodies, strict=True):
                for field in self.spec.match_on:
                    yield from ((position, (field, value)) for value in identifiers(body, field))

    def positions(self, *positions: int) -> np.ndarray:
        """Positions as an array."""
        return np.array(positions, dtype=np.int64)

    def member(self, place: int) -> Case:
        """The remembered member at a place in the snapshot, who is not in the frame."""
        key, kustomer_id = self.snapshot.keys[place].as_py(), self.snapshot.kustomer_ids[place].as_py()
        lost_at = self.still_open(self.snapshot.lost_at[place].as_py())
        return member(key, kustomer_id, self.spec.match_on, owned=True, lost_at=lost_at)


def member(
    key: str, kustomer_id: str, match_on: Sequence[str], *, owned: bool, lost_at: datetime | None = None
) -> Case:
    """Somebody who holds the tag and is not in the frame."""
    remembered = RememberedRow(key=key, status="accepted", kustomer_id=kustomer_id, owned=owned, lost_at=lost_at)
    return Case(Member(key, kustomer_id, body_of_key(key, match_on)), remembered, must_prove=True)


def body_of_key(key: str, match_on: Sequence[str]) -> Mapping[str, Any]:
    """The identifier that a row's key holds, as a fragment of a body: nothing for keys that are no identifier.

    A key is the bare value of the first field of `match_on`, or `field=value` of a further one.
    """
    name, equals, value = key.partition("=")
    field = name if equals and name in match_on[1:] else match_on[0]
    value = value if field == name and equals else key
    if key.startswith(("id=", "row:")):
        return {}
    if field == "email":
        return {"emails": [{"email": value}]}
    if field == "phone":
        return {"phones": [{"phone": value}]}
    return {field: value}


def _feeds(field: str, match_on: Sequence[str]) -> bool:
    """Whether a mapped field holds one of the identifiers."""
    plural = {"emails": "email", "phones": "phone", "externalIds": "externalId"}
    return plural.get(field, field) in match_on


def _is_indeterminate_create(remembered: RememberedRow | None) -> bool:
    return remembered is not None and remembered.status == "indeterminate" and remembered.kustomer_id is None
