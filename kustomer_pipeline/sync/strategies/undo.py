"""What a run did, taken back record by record: the stream of an undo.

    what of the run stands (standing.py) → live records → the inverse of each change → Update | Nothing

Ownership follows: whom the run tagged is not ours any more once the tag is taken back, whom it untagged is ours again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from kustomer_pipeline.kustomer import KustomerClient, ObjectName, Record

from ..decisions import Decision, Match, Nothing, Resolved, Update, Wave
from ..inverse import FieldOutcome, inverse
from ..ledger import Ledger, Outcome
from ..reasons import Reason
from ..resolve import Asking, Hints, own_key
from ..rows import Case, DesiredRow
from ..standing import Standing
from ..state import OwnershipChange, RememberedRow, Undoes
from .outcomes import refused_for_good, refused_reason


@dataclass(frozen=True)
class Target:
    """One record that the run changed, and each change that stands, the oldest first."""

    kustomer_id: str
    sync: str
    key: str
    lines: tuple[Standing, ...]

    @property
    def fields(self) -> list[str]:
        """The fields that the run changed."""
        return list(dict.fromkeys(name for one in self.lines for name, *_ in one.changes))

    @property
    def ownership(self) -> tuple[OwnershipChange, ...]:
        """Whose the audience's tags are once everything is taken back, the newest change first."""
        return tuple(
            OwnershipChange(line.sync, line.scope, line.key, line.kustomer_id, owned=line.effect == "untag")
            for line in [one.line for one in reversed(self.lines) if one.says_whose_the_tag_is]
        )

    def undoes(self, left: Collection[str]) -> Undoes:
        """What has been taken back, or is somebody else's by now, once this is done: all but the fields `left`."""
        settled = ((one.line.id, tuple(sorted(one.fields - set(left)))) for one in self.lines)
        return tuple((line, names) for line, names in settled if line is not None and names)


@dataclass
class UndoStream:
    """Decides about the targets of one kind of record. `outcomes`: field by field, if the write goes well."""

    client: KustomerClient
    object_name: ObjectName
    targets: Sequence[Target]
    tag_ids: Mapping[str, str] = field(default_factory=dict)
    outcomes: dict[int, dict[str, tuple[str, str | None]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ledger = Ledger(pd.Series([target.key for target in self.targets], dtype="string"))

    def cases(self) -> list[Case]:
        """One for each target, named by its sync and its key."""
        return [
            Case(
                DesiredRow(position, f"{target.sync}/{target.key}", 0, {}),
                RememberedRow(target.key, "accepted", kustomer_id=target.kustomer_id),
            )
            for position, target in enumerate(self.targets)
        ]

    async def decide(self, cases: Sequence[Case]) -> Wave:
        """One decision per target, from the live records."""
        asking = Asking(self.client, self.object_name, own_key)
        live = await asking.records([(case, [case.known_id]) for case in cases if case.known_id])
        return Wave(tuple([self._decide(case, live.get(case.known_id or "")) for case in cases]))

    def refused(self, resolved: Resolved, reason: Reason) -> Nothing:
        """A record whose write Kustomer does not take: the tags that were to be given back are nobody's."""
        self._all(resolved.case, "rejected", str(reason))
        target = self.targets[resolved.case.position or 0]
        not_ours = tuple(replace(change, owned=False) for change in target.ownership if change.owned)
        return Nothing(resolved, Outcome.REJECTED, resolved.case.known_id, reason, ownership=not_ours)

    def on_creates(self, refused: int, accepted: int) -> None:
        """Nothing is created."""

    def take_hints(self) -> Hints:
        """Nobody is looked for."""
        return Hints()

    def _decide(self, case: Case, record: Record | None) -> Decision:
        resolved = Resolved(case, {}, Match(record=record))
        if record is None:
            self._all(case, "gone", "the record is no longer in Kustomer")
            return Nothing(resolved, Outcome.SKIPPED, case.known_id)
        target = self.targets[case.position or 0]
        found = inverse((change for one in target.lines for change in one.changes), record, tag_ids=self.tag_ids)
        why = "; ".join(note.text for note in found.patch.notes) or None
        words = {
            FieldOutcome.RESTORED: ("restored", None),
            FieldOutcome.NOTHING: ("restored", None),
            FieldOutcome.CHANGED_SINCE: ("changed since", "somebody changed it after the run; it stays as it is"),
            FieldOutcome.NOT_POSSIBLE: ("rejected", why),
        }
        self.outcomes[case.position or 0] = {name: words[outcome] for name, outcome in found.outcomes.items()}
        undoes = target.undoes([name for name, came in found.outcomes.items() if came is FieldOutcome.NOT_POSSIBLE])
        # A tag that somebody gave back meanwhile is theirs; one that our lost write gave back is ours.
        there = set() if case.maybe_updated else set(record.attributes.get("tags") or ())
        ours = tuple(change for change in target.ownership if not (change.owned and change.scope in there))
        if not found.patch.body:
            outcome = Outcome.UPDATED if case.maybe_updated else Outcome.UNCHANGED
            return Nothing(resolved, outcome, record.id, ownership=ours, undoes=undoes)
        if refused_for_good(resolved, record):
            return self.refused(resolved, refused_reason(resolved))
        return Update(resolved, record, found.patch, {}, action="restore", ownership=ours, undoes=undoes)

    def _all(self, case: Case, outcome: str, reason: str) -> None:
        fields = self.targets[case.position or 0].fields
        self.outcomes[case.position or 0] = dict.fromkeys(fields, (outcome, reason))


def targets_of(lines: Sequence[Standing]) -> dict[ObjectName, list[Target]]:
    """The records of which something that a run changed stands, each with all of that."""
    found: dict[tuple[ObjectName, str], Target] = {}
    for one in lines:
        line = one.line
        place = (line.object_name, line.kustomer_id)
        known = found.get(place, Target(line.kustomer_id, line.sync, line.key, ()))
        found[place] = replace(known, lines=(*known.lines, one)) if one.fields else known
    return {
        kind: [target for (object_name, _), target in found.items() if object_name == kind and target.fields]
        for kind in ("customers", "companies")
    }
