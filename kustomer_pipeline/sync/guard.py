"""May so much be removed, may so much be changed? The guard speaks before anything is sent. Pure.

    what would be done + the limit + what was approved → Verdict

Law 6: an empty or half-built query result must not untag an audience, and a broken column must not rewrite every
record. What is beyond the limit is held as a whole, unless the run names exactly this set by its plan id. An id passes
once: it is made of the set, the org, the sync and the number of approvals that the sync has used up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from .spec import ChangeLimit, RemovalLimit


@dataclass(frozen=True)
class Verdict:
    """What the guard says of `count` removals or changes: they go, or they are held until `plan_id` is approved."""

    count: int
    allowed: bool
    plan_id: str | None = None
    approved: bool = False

    @property
    def held(self) -> int:
        """How many are held."""
        return 0 if self.allowed else self.count


NOTHING_TO_JUDGE = Verdict(0, True)


@dataclass(frozen=True)
class Guard:
    """Judges for one sync of one org. `used`: approvals used up so far. `asks`: not where a plan was approved, of which
    somebody has seen every line."""

    org_id: str
    sync: str
    scope: str
    used: int
    asks: bool = True

    def removals(self, ids: Iterable[str], members: int | None, limit: RemovalLimit, approved: str | None) -> Verdict:
        """Members who would be untagged, by Kustomer id (or by key, where nobody knows yet who holds the tag)."""
        wanted = sorted(ids)
        return self._verdict("removals", wanted, limit.allows(len(wanted), members), approved)

    def waiting(self, ids: Iterable[str], approved: str | None) -> Verdict:
        """Members who seem to have left while a row of the audience could be one of them: only by approval, however
        few they are."""
        return self._verdict("removals", sorted(ids), False, approved)

    def changes(self, contents: Iterable[str], accepted: int, limit: ChangeLimit, approved: str | None) -> Verdict:
        """Records accepted before that would change, each by its key and its new content."""
        wanted = sorted(contents)
        return self._verdict("changes", wanted, limit.allows(len(wanted), accepted), approved)

    def _verdict(self, kind: str, wanted: list[str], within: bool, approved: str | None) -> Verdict:
        if not wanted:
            return NOTHING_TO_JUDGE
        if not self.asks:
            return Verdict(len(wanted), True)
        text = "\n".join([self.org_id, self.sync, self.scope, str(self.used), kind, *wanted])
        plan_id = f"{kind}-{len(wanted)}-{hashlib.blake2b(text.encode(), digest_size=5).hexdigest()}"
        by_approval = approved == plan_id and not within
        return Verdict(len(wanted), within or by_approval, plan_id, by_approval)
