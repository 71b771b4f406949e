"""The stream rendered: what a run would do, field by field, and what it would cost. Writes nothing (law 11).

A plan takes the same waves as a run and only tells them. What search does not find is proven by path look-up for the
first rows only; a run would simply try the create, and Kustomer would say.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from kustomer_pipeline.kustomer import KustomerClient, ObjectName

from .decisions import Create, Nothing, Wave
from .expected import NOTHING, Marks, marks_of
from .ledger import Ledger
from .permit import seal_of, seal_of_new_member
from .reasons import ReasonCode
from .reconcile import Stream
from .rendering import Line, action_of, line, lines_of
from .report import CHANGE_COLUMNS, HeldChanges, OfTheGuard, Removals, masked_table
from .spec import SyncSpec
from .wording import REQUESTS, quantity

_UNITS_A_JOB = 2.2  # the request, about one look, a little more
_JOB_ITEMS = 100
_UNITS_TO_FIND = 0.08  # a record that is not there yet: by search, identifier by identifier


@dataclass(frozen=True)
class Estimate:
    """What a run would cost beyond this plan: requests of the org's budget, and seconds at the present budget."""

    units: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        minutes = self.seconds / 60
        time = "a second" if self.seconds < 1.5 else f"{self.seconds:.0f} seconds"
        time = time if minutes < 2 else f"{minutes:.0f} minutes"
        return f"about {quantity(self.units, *REQUESTS)}, about {time} at the present budget"


@dataclass(frozen=True)
class Plan(OfTheGuard):
    """What a run would do.

    `counts`: records by action (create, update, tag, untag, unchanged, skip, invalid, reject, defer). `changes`:
    DataFrame with one row per field that would change, and one per row that would be refused: key, action, kustomer_id,
    field, before, after, reason (strings). `removals`, `held_changes`: what the guard says. `estimate`: what it would
    cost. `id`: by which exactly this plan can be approved (None: nothing would be written); `seals`: a hash for
    each record that would be, `signature` the definition of the sync, `options` what the plan was told. `shown`:
    fields whose values may be shown. `creates`: the marks of the records that it would create (expected.py).
    `made_in`: the run that it was made in; its id stands for all plans that were. `accepted_before`: records that were
    accepted in earlier runs. `skipped`: how many rows would be, by reason.
    """

    sync: str
    org_id: str
    counts: dict[str, int]
    changes: pd.DataFrame
    requests: int
    removals: Removals = field(default_factory=Removals)
    held_changes: HeldChanges = field(default_factory=HeldChanges)
    estimate: Estimate = field(default_factory=Estimate)
    notes: tuple[str, ...] = ()
    id: str | None = None
    signature: str = ""
    seals: frozenset[bytes] = frozenset()
    options: Mapping[str, Any] = field(default_factory=dict)
    shown: frozenset[str] = frozenset()
    creates: frozenset[bytes] = frozenset()
    made_in: str | None = None
    accepted_before: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)

    def table(self, limit: int = 100, *, show_values: bool = False) -> pd.DataFrame:
        """The first changes as they may be shown: values and personal keys masked unless `show_values`."""
        return self.masked(self.changes.head(limit), show_values=show_values)

    def masked(self, lines: pd.DataFrame, *, show_values: bool = False) -> pd.DataFrame:
        """Some of the changes, as they may be shown."""
        return masked_table(lines, len(lines), show_values=show_values, values=("before", "after"), shown=self.shown)


class PlanBuilder:
    """Takes the waves of a stream and tells them."""

    def __init__(self, ledger: Ledger, writes: tuple[str, str], spec: SyncSpec, expected: Marks = NOTHING) -> None:
        self.counts: Counter[str] = Counter()
        self.lines: list[Line] = []
        self.creates = 0
        self.updates = 0
        self.looked_at = 0
        self.to_be_found = 0
        self.without_company = 0
        self.seals: set[bytes] = set()
        self.marks: set[bytes] = set()
        self._spec = spec
        self._expected = expected
        self._ledger = ledger
        self._actions = (*writes, "unchanged", "skip", "invalid", "reject", "defer")

    async def take(self, wave: Wave) -> None:
        """Tell the decisions of a wave."""
        self.looked_at += len(wave.decisions)
        for decision in wave.decisions:
            if isinstance(decision, Nothing):
                if decision.case.position is None:
                    continue
                if self._will_be_there(decision):
                    self._tag_later(decision)
                    continue
                if not wave.held:
                    self._ledger.set(decision.case.position, decision.outcome, reason=decision.reason)
            else:
                self.seals.add(seal_of(decision))
                if isinstance(decision, Create):
                    self.marks |= marks_of(self._spec.object, decision.case.row.by_field)
                self.creates += isinstance(decision, Create) and not wave.held
                self.updates += not isinstance(decision, Create) and not wave.held
                self.without_company += decision.of.lacks is not None
            self.counts[action_of(decision)] += 1
            self.lines += lines_of(decision)

    def _will_be_there(self, decision: Nothing) -> bool:
        """Whether it is a member whom an earlier plan of the same making creates."""
        if self._spec.tag is None or self._spec.mode == "remove" or not self._expected:
            return False
        absent = decision.reason is not None and decision.reason.code is ReasonCode.NOT_IN_KUSTOMER
        return absent and not marks_of(self._spec.object, decision.case.row.by_field).isdisjoint(self._expected)

    def _tag_later(self, decision: Nothing) -> None:
        self.to_be_found += 1
        key, tag = decision.case.key, str(self._spec.tag)
        self.seals.add(seal_of_new_member(key, tag))
        self.updates += 1
        self.counts["tag"] += 1
        self.lines.append(line(key, "tag", None, "tags", None, tag))

    async def drained(self) -> None:
        """Nothing is under way."""

    @property
    def unsettled(self) -> int:
        """Rows of the frame of which it is not certain what they are in Kustomer."""
        return self._ledger.unsettled()

    def told(self, stream: Stream) -> tuple[dict[str, int], pd.DataFrame]:
        """(counts, changes), rows included that needed no look at Kustomer."""
        compared = stream.desired.compared
        self.counts["unchanged"] += len(compared.unchanged) + stream.desired.memory.stayed
        self.counts["skip"] += len(compared.repeated) + len(compared.known) + stream.selected.not_due
        self.counts["invalid"] += len(compared.invalid)
        self.counts["defer"] += stream.selected.put_off
        changes = pd.DataFrame(self.lines, columns=list(CHANGE_COLUMNS)).astype("string")
        return {action: self.counts[action] for action in self._actions}, changes

    def id_of(self, org_id: str, name: str, signature: str, approved_before: int) -> str | None:
        """The id of the plan: over whose it is and everything that is in it. Of nothing there is none."""
        if not self.seals:
            return None
        digest = hashlib.blake2b("\n".join([org_id, name, signature, str(approved_before)]).encode(), digest_size=8)
        for seal in sorted(self.seals):
            digest.update(seal)
        return f"plan-{len(self.seals)}-{digest.hexdigest()}"

    def estimate(self, client: KustomerClient, object_name: ObjectName, requests: int) -> Estimate:
        """What the run would cost: a write each, or a hundredth of a job; and it looks once more at whom this plan has
        found, but not for those whom it creates. requests: what the plan took."""
        if client.abilities.bulk(object_name):
            jobs = -(-self.creates // _JOB_ITEMS) + -(-self.updates // _JOB_ITEMS)
            units = jobs * _UNITS_A_JOB
        else:
            units = float(self.creates + self.updates)
        units += requests * (self.looked_at - self.creates) / max(self.looked_at, 1)
        units += self.to_be_found * _UNITS_TO_FIND
        units = round(units + 1)
        return Estimate(units, units / client.requests_a_second)
