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
from .ledger import Ledger
from .permit import seal_of
from .reconcile import Stream
from .rendering import Line, action_of, lines_of
from .report import CHANGE_COLUMNS, HeldChanges, OfTheGuard, Removals, masked_table
from .wording import REQUESTS, quantity

_UNITS_A_JOB = 2.2  # the request, about one look, a little more
_JOB_ITEMS = 100
_READ_ITEMS = 100


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
    cost. `id`: by which exactly this plan can be approved (None: nothing would be written); `seals`: a hash for each
    record that would be, `signature` the definition of the sync, `options` what the plan was told.
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

    def table(self, limit: int = 100, *, show_values: bool = False) -> pd.DataFrame:
        """The first changes as they may be shown: values and personal keys masked unless `show_values`."""
        return masked_table(self.changes, limit, show_values=show_values, values=("before", "after"))


class PlanBuilder:
    """Takes the waves of a stream and tells them."""

    def __init__(self, ledger: Ledger, writes: tuple[str, str]) -> None:
        self.counts: Counter[str] = Counter()
        self.lines: list[Line] = []
        self.creates = 0
        self.updates = 0
        self.without_company = 0
        self.seals: set[bytes] = set()
        self._ledger = ledger
        self._actions = (*writes, "unchanged", "skip", "invalid", "reject", "defer")

    async def take(self, wave: Wave) -> None:
        """Tell the decisions of a wave."""
        for decision in wave.decisions:
            if isinstance(decision, Nothing):
                if decision.case.position is not None and not wave.held:
                    self._ledger.set(decision.case.position, decision.outcome, reason=decision.reason)
                if decision.case.position is None:
                    continue
            else:
                self.seals.add(seal_of(decision))
                self.creates += isinstance(decision, Create) and not wave.held
                self.updates += not isinstance(decision, Create) and not wave.held
                self.without_company += decision.of.lacks is not None
            self.counts[action_of(decision)] += 1
            self.lines += lines_of(decision)

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

    def estimate(self, client: KustomerClient, object_name: ObjectName) -> Estimate:
        """What the run would cost: one by one, or a hundredth of a job each and of the reading before an update."""
        if client.abilities.bulk(object_name):
            jobs = -(-self.creates // _JOB_ITEMS) + -(-self.updates // _JOB_ITEMS)
            units = jobs * _UNITS_A_JOB + self.updates / _READ_ITEMS
        else:
            units = self.creates + 2.0 * self.updates
        units = round(units + 1)
        return Estimate(units, units / client.requests_a_second)
