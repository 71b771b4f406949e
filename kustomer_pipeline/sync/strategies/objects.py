"""Customers and companies: upsert, insert, update.

| | nobody has it | it is there |
|---|---|---|
| upsert | Create | Update, where something differs |
| insert | Create | skipped |
| update | skipped | Update, where something differs |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kustomer_pipeline.kustomer import UNIQUE, ObjectName, Record

from ..decisions import Create, Decision, Nothing, Resolved, Update
from ..patch import Patch, Policies, UnpatchableError, create_body, patch_for, sent_lists, without_dead_references
from ..reasons import Reason, ReasonCode
from ..spec import ChangeLimit, ObjectSpec, RemovalLimit
from .outcomes import as_it_should_be, deferred, refused_for_good, refused_reason, rejected, skipped


@dataclass(frozen=True)
class Objects:
    """The strategy of an ObjectSync."""

    spec: ObjectSpec
    policies: Policies
    updatable: frozenset[str] | None = None

    @classmethod
    def of(cls, spec: ObjectSpec, updatable: frozenset[str] | None = None) -> Objects:
        """The strategy for a specification. `updatable`: attributes that an update takes, None: all."""
        return cls(spec, Policies.of(spec.object, spec.fields, spec.nulls), updatable)

    @property
    def object_name(self) -> ObjectName:
        """Customers or companies."""
        return self.spec.object

    @property
    def actions(self) -> tuple[str, str]:
        """Made or changed."""
        return "create", "update"

    @property
    def one_row_a_record(self) -> bool:
        """Nobody can say which of two rows for one record is right."""
        return True

    @property
    def creates_prove(self) -> bool:
        """Names of companies are not unique, and `update` creates nothing."""
        by_name = self.spec.object == "companies" and "name" in self.spec.match_on
        return self.spec.mode != "update" and not by_name

    @property
    def must_prove(self) -> bool:
        """Where no create proves it."""
        return not self.creates_prove

    @property
    def change_limit(self) -> ChangeLimit | None:
        """As the sync says."""
        return self.spec.max_changes

    @property
    def removal_limit(self) -> RemovalLimit | None:
        """Records are never removed."""
        return None

    @property
    def rows_are_removals(self) -> bool:
        """Rows are records."""
        return False

    def decide(self, resolved: Resolved) -> Decision:
        """The table above."""
        match = resolved.match
        if match.problem is not None:
            return rejected(resolved, match.problem)
        return self._absent(resolved) if match.record is None else self._present(resolved, match.record)

    def refused(self, resolved: Resolved, reason: Reason) -> Nothing:
        """Tried again next time, apart from the others."""
        return rejected(resolved, reason, resolved.match.record)

    def patch(self, body: Mapping[str, Any], record: Record, sent_lists: Mapping[str, list[str]]) -> Patch:
        """What differs between the row and the record, as far as an update can change it. Raises UnpatchableError."""
        if self.updatable is not None:
            body = {name: value for name, value in body.items() if name in self.updatable}
        return patch_for(body, record, self.policies, sent_lists=sent_lists)

    def _absent(self, resolved: Resolved) -> Decision:
        case = resolved.case
        if self.spec.mode == "update":
            return skipped(resolved, ReasonCode.NOT_IN_KUSTOMER, "not in Kustomer")
        if case.last is not None and case.last.operation == "create" and case.last.refusal is not None:
            return rejected(resolved, refused_reason(resolved))
        unique = any(case.identifiers(field) for field in UNIQUE[self.spec.object])
        if case.maybe_created and case.lost_at is not None and not unique:
            text = "an earlier create may still be under way and nothing unique tells them apart; next run"
            return deferred(resolved, ReasonCode.UNDER_WAY, text)
        body = create_body(resolved.body)
        return Create(resolved, body, sent_lists(body, self.policies, case.sent_lists))

    def _present(self, resolved: Resolved, record: Record) -> Decision:
        case = resolved.case
        if self.spec.mode == "insert" and not case.maybe_created:
            return skipped(resolved, ReasonCode.EXISTS_ALREADY, "exists already", record)
        try:
            patch = self.patch(resolved.ours, record, case.sent_lists)
        except UnpatchableError as error:
            return rejected(resolved, error.reason, record)
        lists = self._written_lists(resolved, patch, record)
        if not patch.body and patch.notes and self.spec.mode != "insert":
            return rejected(resolved, patch.notes[0], record)
        if not patch.body:
            return as_it_should_be(resolved, record, sent_lists=lists)
        if self.spec.mode == "insert":
            return skipped(resolved, ReasonCode.EXISTS_ALREADY, "exists already", record)
        if refused_for_good(resolved, record):
            return rejected(resolved, refused_reason(resolved), record)
        return Update(resolved, record, without_dead_references(record, patch, resolved.dead), lists)

    def _written_lists(self, resolved: Resolved, patch: Patch, record: Record) -> dict[str, list[str]]:
        """What will be remembered of the list items that are this sync's. All of a create of ours whose answer was
        lost.
        """
        before = resolved.case.sent_lists
        if resolved.case.maybe_created and not before:
            before = sent_lists(create_body(resolved.body), self.policies)
        return sent_lists(patch.body, self.policies, before, live=record)
