"""Rows as they were accepted, beside the live records: which of them differ, by the very functions that a patch is made
with.

    positions → cases → bodies with Kustomer's ids → live records, 100 a request → Finding, where there is one
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow.compute as pc

from kustomer_pipeline.kustomer import KustomerClient, Record

from ..decisions import Match, Resolved
from ..opening import Opened
from ..patch import Change, UnpatchableError
from ..reasons import Reason
from ..resolve import judge
from ..rows import Case, DesiredRow
from ..theirs import without
from .values import Finding, What

_AT_ONCE = 1000  # rows whose records are in memory


class Look:
    """Looks at rows of one sync.

    every_field: also those that were left to Kustomer. notes: reason → how many rows could not be compared in full
    because of it. left: how many fields of the rows are left to Kustomer.
    """

    def __init__(
        self, opened: Opened, client: KustomerClient, match_on: Sequence[str], *, every_field: bool = False
    ) -> None:
        self.notes: Counter[str] = Counter()
        self.left = 0
        self._opened = opened
        self._client = client
        self._match_on = tuple(match_on)
        self._every_field = every_field
        self._desired = opened.stream.desired

    async def at(self, positions: np.ndarray) -> list[Finding]:
        """What is not as it was accepted, in the order of the rows. Raises KustomerError."""
        found: list[Finding] = []
        for start in range(0, len(positions), _AT_ONCE):
            found += await self._some(positions[start : start + _AT_ONCE])
        return self._still_accepted(found)

    async def _some(self, positions: np.ndarray) -> list[Finding]:
        resolver, strategy = self._opened.stream.resolver, self._opened.strategy
        cases = [case for case in self._desired.cases(positions) if case.known_id is not None]
        bodies = await resolver.references(cases)
        ids = {case.known_id: [case.key] for case in cases if case.known_id is not None}
        with self._client.about(lambda: ids):
            records = await self._client.get_many_with_deleted(strategy.object_name, list(ids))
        found = []
        for case, (body, problem) in zip(cases, bodies, strict=True):
            if problem is not None:
                self.notes[problem.text] += 1
                body = {name: value for name, value in body.items() if name != problem.field}
            record = records.get(case.known_id or "")
            finding = self._finding(case, body, record)
            if finding is not None:
                found.append(finding)
        return found

    def _finding(self, case: Case, body: Mapping[str, Any], record: Record | None) -> Finding | None:
        kustomer_id = case.known_id or ""
        if record is None:
            return Finding(case, kustomer_id, What.GONE)
        if record.deleted:
            return Finding(case, kustomer_id, What.DELETED, record)
        match = judge(case, [record], self._match_on)
        if match is None or match.problem is not None:
            return Finding(case, kustomer_id, What.UNRECOGNISED, record, why=_why(match))
        resolved = Resolved(case, body, match)
        left = frozenset() if self._every_field else resolved.theirs
        self.left += len(left)
        changes = self._changes(resolved, record, left)
        return Finding(case, kustomer_id, What.CHANGED, record, changes) if changes else None

    def _changes(self, resolved: Resolved, record: Record, left: frozenset[str]) -> tuple[Change, ...]:
        body = without(resolved.body, left)
        try:
            patch = self._opened.strategy.patch(body, record, resolved.case.sent_lists)
        except UnpatchableError as error:
            self.notes[error.reason.text] += 1
            return ()
        tag, changes = self._opened.tag, patch.changes
        if tag is not None:
            changes = tuple(_of_tag(change, tag.name) for change in changes)
        return tuple(change for change in changes if change.field not in left)

    def _still_accepted(self, found: Sequence[Finding]) -> list[Finding]:
        """Without rows that a run has sent since, or is about to: what it writes is no drift. A job is on disk before
        it is sent, so its rows show here."""
        if not found:
            return []
        now = self._opened.state.rows.snapshot_of([one.key for one in found])
        accepted = pc.equal(now.statuses, "accepted")
        keys, prints = now.keys.filter(accepted).to_pylist(), now.fingerprints.filter(accepted).to_pylist()
        as_sent = set(zip(keys, prints, strict=True))
        return [one for one in found if (one.key, print_of(one.case)) in as_sent]


def print_of(case: Case) -> int | None:
    """The fingerprint of a row as the frame has it."""
    return case.row.fingerprint if isinstance(case.row, DesiredRow) else None


def _of_tag(change: Change, name: str) -> Change:
    """An audience's tag by its name: whether it is there, and whether it is to be."""
    missing = len(change.after) > len(change.before)
    return Change(change.field, None, name) if missing else Change(change.field, name, None)


def _why(match: Match | None) -> str:
    problem: Reason | None = match.problem if match is not None else None
    return problem.text if problem is not None else "the record no longer has an identifier of the row (match_on)"
