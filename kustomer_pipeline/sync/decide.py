"""What to do with a row, now that it is known who it is. One decider per kind of sync.

Row + Match → Create | Update | Done
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from kustomer_pipeline.kustomer import Record

from .identity import UNIQUE
from .patch import Patch, Policies, UnpatchableError, create_body, patch_for, sent_lists, tag_patch
from .report import Outcome
from .rows import Create, Decision, Done, Match, Row, Update
from .spec import AudienceSpec, ObjectSpec

Explain = Callable[[Row, Record | None], str]


class Decider(Protocol):
    """Decides about one row. `explain` words the reason of a refusal (and may ask Kustomer for it)."""

    def decide(self, row: Row, match: Match, explain: Explain) -> Decision:
        """What to do with a row that is (or is not) this record."""
        ...

    def patch(self, row: Row, record: Record) -> Patch:
        """What differs between the row and the record. Raises UnpatchableError."""
        ...


def rejected(row: Row, reason: str, kustomer_id: str | None = None) -> Done:
    """A row that is refused, and tried again next time."""
    return Done(row, Outcome.REJECTED, kustomer_id, reason, remember="rejected")


def landed(row: Row) -> Outcome:
    """The outcome of a row whose record is as it should be: was it us, without the answer reaching us?"""
    if row.maybe_created:
        return Outcome.CREATED
    if row.maybe_updated:
        return Outcome.UPDATED
    return Outcome.UNCHANGED


def refused_for_good(row: Row, record: Record) -> bool:
    """An update that Kustomer refused although nobody touched the record in between."""
    return row.sent == "update" and row.refusal is not None and record.rev == row.sent_rev


@dataclass(frozen=True)
class ObjectDecider:
    """Customers and companies: upsert, insert, update."""

    spec: ObjectSpec
    policies: Policies

    def decide(self, row: Row, match: Match, explain: Explain) -> Decision:
        """What to do with a row that is (or is not) this record."""
        if match.problem is not None:
            return rejected(row, match.problem)
        if match.record is None:
            return self._absent(row, explain)
        return self._present(row, match.record, explain)

    def patch(self, row: Row, record: Record) -> Patch:
        """What differs between the row and the record. Raises UnpatchableError."""
        return patch_for(row.desired, record, self.policies, sent_lists=row.sent_lists)

    def _absent(self, row: Row, explain: Explain) -> Decision:
        if self.spec.mode == "update":
            return Done(row, Outcome.SKIPPED, reason="not in Kustomer", remember="skipped")
        if row.sent == "create" and row.refusal is not None:
            return rejected(row, explain(row, None))
        if row.maybe_created and not row.waited and not any(row.identifiers(name) for name in UNIQUE[self.spec.object]):
            return Done(
                row,
                Outcome.DEFERRED,
                reason="an earlier create may still be under way and nothing unique tells them apart; next run",
            )
        row.new_lists = sent_lists(row.desired, self.policies, row.sent_lists)
        return Create(row, create_body(row.desired))

    def _present(self, row: Row, record: Record, explain: Explain) -> Decision:
        if self.spec.mode == "insert" and not row.maybe_created:
            return Done(row, Outcome.SKIPPED, record.id, "exists already", remember="skipped")
        try:
            patch = self.patch(row, record)
        except UnpatchableError as error:
            return rejected(row, str(error), record.id)
        row.new_lists = sent_lists(row.desired, self.policies, row.sent_lists)
        if not patch.body:
            return Done(row, landed(row), record.id, remember="accepted")
        if self.spec.mode == "insert":
            return Done(row, Outcome.SKIPPED, record.id, "exists already", remember="skipped")
        if refused_for_good(row, record):
            return rejected(row, explain(row, record), record.id)
        return Update(row, record, patch)


@dataclass(frozen=True)
class AudienceDecider:
    """Members of an audience: one tag more, or one less; every other tag stays."""

    spec: AudienceSpec
    tag_id: str
    owned_ids: frozenset[str]

    def decide(self, row: Row, match: Match, explain: Explain) -> Decision:
        """What to do with a row that is (or is not) this record."""
        if match.problem is not None:
            return rejected(row, match.problem)
        record = match.record
        if record is None:
            if row.leaving:
                return Done(row, Outcome.SKIPPED, row.known_id, "no longer in Kustomer", remember="forget")
            return Done(row, Outcome.SKIPPED, reason="not in Kustomer", remember="skipped")
        try:
            patch = self.patch(row, record)
        except UnpatchableError as error:
            return rejected(row, str(error), record.id)
        ours = row.owned_before or record.id in self.owned_ids
        if not patch.body:
            row.owned = not self._removing(row) and (ours or landed(row) is Outcome.UPDATED)
            return Done(row, landed(row), record.id, remember="forget" if row.leaving else "accepted")
        if refused_for_good(row, record):
            row.owned = ours
            return Done(
                row,
                Outcome.REJECTED,
                record.id,
                explain(row, record),
                remember=None if row.leaving else "rejected",
            )
        row.owned = not self._removing(row)
        return Update(row, record, patch)

    def _removing(self, row: Row) -> bool:
        return row.leaving or self.spec.mode == "remove"

    def patch(self, row: Row, record: Record) -> Patch:
        """The tag, if it is missing or one too many. Raises UnpatchableError."""
        if self._removing(row):
            return tag_patch(record, remove=self.tag_id)
        return tag_patch(record, add=self.tag_id)
