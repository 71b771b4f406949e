"""Audiences: one tag more on the members, or one less; every other tag stays.

| | holds the tag | does not |
|---|---|---|
| add, mirror | nothing | Update with the tag |
| remove | Update without it | nothing |

Who leaves a mirrored audience is decided in `leavers.py`. Whose a tag is: `owned` is true of a member whom this sync
gave the tag, and of nobody else; only they are untagged under `mirror_scope: owned`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kustomer_pipeline.kustomer import ObjectName, Record

from ..decisions import Decision, Leave, Nothing, Resolved, Update
from ..ledger import Outcome
from ..masking import mask_key
from ..memory import Owned
from ..patch import Patch, UnpatchableError, tag_patch, without_dead_references
from ..reasons import Reason, ReasonCode
from ..rows import Member
from ..spec import AudienceSpec, ChangeLimit, RemovalLimit
from .outcomes import as_it_should_be, refused_for_good, refused_reason, rejected, skipped

TAGS = "tags"


@dataclass(frozen=True)
class Audience:
    """The strategy of an AudienceSync.

    tag_id: None while it is not known (there is no such tag yet, or the key may not read tags); then the name is
    written. owned_ids: records that hold the tag because of this sync, under whatever key. adopts: members who hold it
    already, because another tool or a person gave it to them, are taken over.
    """

    spec: AudienceSpec
    tag_id: str | None
    owned_ids: Owned = frozenset()
    adopts: bool = False

    @property
    def object_name(self) -> ObjectName:
        """What the members are."""
        return self.spec.object

    @property
    def actions(self) -> tuple[str, str]:
        """Given or taken."""
        return "tag", "untag"

    @property
    def one_row_a_record(self) -> bool:
        """An audience is a set: the same member twice is no mistake."""
        return False

    @property
    def creates_prove(self) -> bool:
        """Nobody is created."""
        return False

    @property
    def must_prove(self) -> bool:
        """Who is not there is skipped."""
        return True

    @property
    def change_limit(self) -> ChangeLimit | None:
        """A member is there or is not."""
        return None

    @property
    def removal_limit(self) -> RemovalLimit | None:
        """As the sync says."""
        return self.spec.max_removals

    @property
    def rows_are_removals(self) -> bool:
        """In mode remove."""
        return self.spec.mode == "remove"

    def decide(self, resolved: Resolved) -> Decision:
        """The table above, for a member of the frame or for one who left."""
        if isinstance(resolved.case.row, Member):
            return self._leaving(resolved)
        match = resolved.match
        if match.problem is not None:
            return rejected(resolved, match.problem, owned=resolved.case.owned)
        if match.record is None:
            return skipped(resolved, ReasonCode.NOT_IN_KUSTOMER, "not in Kustomer")
        if match.same_as is not None:
            text = f"the same {self._one} as row {mask_key(match.same_as)}"
            return skipped(
                resolved, ReasonCode.SAME_MEMBER, text, match.record, owned=self._ours(resolved, match.record)
            )
        return self._member(resolved, match.record)

    def refused(self, resolved: Resolved, reason: Reason) -> Nothing:
        """Tried again next time; whose the tag is does not change."""
        record = resolved.match.record
        ours = resolved.case.owned if record is None else self._ours(resolved, record)
        return rejected(resolved, reason, record, owned=ours)

    def patch(self, body: Mapping[str, Any], record: Record, sent_lists: Mapping[str, list[str]]) -> Patch:
        """The tag, if it is missing or one too many. Raises UnpatchableError."""
        return self._without(record) if self.spec.mode == "remove" else self._with(record)

    def _member(self, resolved: Resolved, record: Record) -> Decision:
        case = resolved.case
        removing = self.spec.mode == "remove"
        ours = self._ours(resolved, record)
        try:
            patch = self.patch(resolved.body, record, {})
        except UnpatchableError as error:
            return rejected(resolved, error.reason, record, owned=ours)
        if not patch.body or TAGS in resolved.theirs:
            ours = ours or case.maybe_updated
            others = not (removing or ours or patch.body)
            owned = not removing and (ours or (self.adopts and others))
            return replace(as_it_should_be(resolved, record, owned=owned), of_others=others)
        if refused_for_good(resolved, record):
            return rejected(resolved, refused_reason(resolved), record, owned=ours)
        return Update(
            resolved,
            record,
            without_dead_references(record, patch, resolved.dead),
            {},
            owned=not removing,
            tag=self.spec.tag,
            action="untag" if removing else "tag",
        )

    def _ours(self, resolved: Resolved, record: Record) -> bool:
        """Whether the record has the tag from this sync: it was given to it, or to one that was merged into it. What a
        row was before says nothing when its address has gone to somebody else."""
        return record.id in self.owned_ids or (resolved.case.owned and resolved.match.moved_on)

    def _leaving(self, resolved: Resolved) -> Decision:
        record = resolved.match.record
        if record is None:
            return Nothing(resolved, Outcome.SKIPPED, resolved.case.known_id, forget=True)
        patch = self._without(record)
        if not patch.body:
            outcome = Outcome.UPDATED if resolved.case.maybe_updated else Outcome.UNCHANGED
            return Nothing(resolved, outcome, record.id, forget=True)
        if refused_for_good(resolved, record):
            return Nothing(resolved, Outcome.REJECTED, record.id, refused_reason(resolved))
        return Leave(resolved, record, without_dead_references(record, patch, resolved.dead), self.spec.tag)

    def _with(self, record: Record) -> Patch:
        return tag_patch(record, add=self.tag_id, add_name=self.spec.tag if self.tag_id is None else None)

    def _without(self, record: Record) -> Patch:
        return tag_patch(record, remove=self.tag_id)

    @property
    def _one(self) -> str:
        return "customer" if self.spec.object == "customers" else "company"
