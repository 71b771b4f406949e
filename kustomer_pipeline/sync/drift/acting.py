"""What is done about drift, by the sync's policy. Writes to the state only; Kustomer hears of it in the next run.

    the turn to write → the records are read again → restore: the row counts as changed
                                                   → accept: today's values of the row are marked, field by field
                                                   → recreate: the row counts as changed, and is looked for
                                                   → forget: the row is skipped until it changes

In one transaction. Nothing is decided on the word of the first look: a run, or an agent, may have been there since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kustomer_pipeline.mapping import KEY

from ..ledger import Outcome
from ..opening import Opened
from ..selection import NOT_WANTED
from ..spec import ChangeLimit
from ..state import LogLine, RememberedRow, Transaction
from ..theirs import mark_of, marks_of_record
from ..wording import ARE, RECORDS, part
from .looking import print_of
from .report import Done
from .values import AWAY, DriftPolicy, Finding, What


@dataclass(frozen=True)
class Acting:
    """opened: the sync, with the rows of the findings. looked_at: of how many rows those are. mode: of the sync."""

    policy: DriftPolicy
    opened: Opened
    looked_at: int
    mode: str
    run_id: str

    def act(self, findings: Sequence[Finding], again: Sequence[Finding]) -> tuple[Done, tuple[str, ...]]:
        """What was done, and what a person should know of it. Needs the turn to write. Raises StateError.

        findings: of the first look. again: of the second, just now.
        """
        policy = self.policy
        changed = [one for one in again if one.what is What.CHANGED]
        away_before = {one.key for one in findings if one.what in AWAY}
        away = [one for one in again if one.what in AWAY and one.key in away_before]
        restored = changed if policy.on_drift == "restore" else []
        accepted = changed if policy.on_drift == "accept" else []
        forgotten = away if policy.on_deleted == "forget" else []
        why_not_restored, why_not_forgotten = (
            self._why_not_restored(len(restored)),
            self._why_not_forgotten(len(forgotten)),
        )
        restored = [] if why_not_restored else restored
        forgotten = [] if why_not_forgotten else forgotten
        recreated = [one.key for one in away] if policy.on_deleted == "recreate" else []
        wanted_again = self._left_out() if policy.on_deleted == "recreate" else []
        done = Done(
            restored=frozenset(one.key for one in restored),
            accepted={one.key: _fields(one) for one in accepted},
            recreated=frozenset([*recreated, *wanted_again]),
            forgotten=frozenset(one.key for one in forgotten),
        )
        with self.opened.state.transaction() as tx:
            tx.rows.count_as_changed(sorted(done.restored | done.recreated))
            tx.theirs.drop({one.key: _fields(one) for one in restored})
            tx.theirs.clear(wanted_again)
            self._accept(tx, accepted)
            self._forget(tx, forgotten)
        return done, tuple(filter(None, (why_not_restored, why_not_forgotten)))

    def _why_not_restored(self, count: int) -> str | None:
        """Why nothing is restored after all: as the guard would hold so many changes of the warehouse."""
        if count and self.mode == "insert":
            return "Nothing is restored: a sync with mode: insert changes no record."
        limit: ChangeLimit | None = self.opened.strategy.change_limit
        if limit is None or limit.allows(count, self.looked_at):
            return None
        what = part(count, self.looked_at, *RECORDS, ("differ", "differs"))
        return (
            f"Nothing is restored: {what}, which is more than max_changes allows. If Kustomer is to be overwritten, "
            "run the sync once with full_resync."
        )

    def _why_not_forgotten(self, count: int) -> str | None:
        """The same of rows that would be left out: a key that sees no records any more looks like this."""
        limit: ChangeLimit = self.opened.strategy.change_limit or ChangeLimit()
        if limit.allows(count, self.looked_at):
            return None
        return (
            f"No row is left out: {part(count, self.looked_at, *RECORDS, ARE)} gone, which is more than max_changes "
            "allows. Does the API key still see them?"
        )

    def _left_out(self) -> list[str]:
        """Rows that were forgotten before, under another policy."""
        desired = self.opened.stream.desired
        return [str(key) for key in desired.mapped[KEY].iloc[desired.left_out]]

    def _accept(self, tx: Transaction, accepted: Sequence[Finding]) -> None:
        tx.theirs.leave({one.key: _marks(one) for one in accepted})
        if self.opened.tag is not None:  # a tag that is not there, or that somebody else gave, is not this sync's
            tx.rows.own([one.kustomer_id for one in accepted], False, self.run_id)

    def _forget(self, tx: Transaction, forgotten: Sequence[Finding]) -> None:
        reason, code = NOT_WANTED.text, str(NOT_WANTED.code)
        rows = [
            RememberedRow(one.key, "skipped", print_of(one.case), reason=reason, reason_code=code) for one in forgotten
        ]
        tx.rows.put(rows, self.run_id)
        tx.theirs.leave({one.key: marks_of_record(one.case.row.body) for one in forgotten})
        lines = [LogLine(one.key, str(Outcome.SKIPPED), one.kustomer_id, reason, code) for one in forgotten]
        tx.log.add(lines, self.run_id)


def _fields(one: Finding) -> frozenset[str]:
    return frozenset(change.field for change in one.changes)


def _marks(one: Finding) -> Mapping[str, str]:
    return {change.field: mark_of(one.case.row.body, change.field) for change in one.changes}
