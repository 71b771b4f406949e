"""The way in of a look for drift.

    open the sync, as a plan does → sample → look → what became of those that are gone → who and when
                                  → where the policy writes: the turn to write → look again → act → report

Only what is written needs the org's lock, and holds it for a second look at what differs; reading does not keep anybody
waiting.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd

from kustomer_pipeline.kustomer import KustomerClient

from ..masked_values import shown_fields
from ..needed import require_roles
from ..observed import observed, work_of
from ..opening import WIRE_FACT, Opened, Opening
from ..rest import Rest, RowsOutOfDateError
from ..spec import RunOptions, SyncSpec
from ..state import StateStore
from ..suppression import leave_out
from ..turn import turn_to_write
from ..wording import ROWS, quantity
from .acting import Acting
from .authors import with_authors
from .gone import what_became
from .looking import Look
from .report import Done, DriftReport, fields_of, records_of, rows_of
from .sample import sample_of
from .values import DriftPolicy, Finding


def find_drift(
    spec: SyncSpec,
    mapped: pd.DataFrame,
    *,
    client: KustomerClient,
    state: StateStore,
    policy: DriftPolicy | None = None,
    options: RunOptions | None = None,
    rest: Rest | None = None,
    drawn: bool = False,
) -> DriftReport:
    """How the records of the rows that were accepted differ from them now; and what the policy does about it.

    mapped: every row of the source: what was sent is what it says of rows that are as they were accepted (the state
    keeps no values). rest: where the warehouse compared. drawn: the rows that left it are the sample (keys_to_look_at)
    with those that differ; else all of them have to, or RowsOutOfDateError is raised. options: the id of the run, by
    which the sample is drawn, and whose rows are left out. Raises KustomerError, StateError; nothing was written then.
    """
    options = options or RunOptions("drift")
    if rest is not None and not rest.whole and not drawn:
        raise RowsOutOfDateError("Drift is looked for in rows as they were accepted: read all of them")
    looking = _Looking(spec, mapped, client, state, policy or DriftPolicy(), options, rest)
    return observed(
        client, work_of(spec, options.run_id, "drift"), looking.report(), lambda report: (report.counts, None)
    )


class _Looking:
    """One look."""

    def __init__(
        self,
        spec: SyncSpec,
        mapped: pd.DataFrame,
        client: KustomerClient,
        store: StateStore,
        policy: DriftPolicy,
        options: RunOptions,
        rest: Rest | None,
    ) -> None:
        self.spec = spec
        self.mapped = mapped
        self.client, self.store = client, store
        self.policy = policy
        self.options = options
        self.rest = rest

    async def report(self) -> DriftReport:
        """All steps."""
        before, started = self.client.usage, self.client.clock.monotonic()
        token = await self.client.token()
        require_roles(self.spec, token.roles, writes=False)
        opened, rows = await self._open(self.mapped, token.org_id)
        compared, notes = opened.stream.desired.compared, list(self.client.abilities.lines())
        accepted = compared.unchanged
        if opened.tag is not None and opened.tag.id is None:
            accepted, notes = accepted[:0], [*notes, _NO_TAG]
        positions = sample_of(rows, accepted, self.policy.sample, self.options.run_id)
        look = self._look(opened)
        findings = await look.at(positions)
        findings = await what_became(self.client, self.spec.object, self.spec.match_on, findings)
        told = await with_authors(self.client, self.spec.object, findings)
        done, said = await self._act(opened, rows, findings, len(positions))
        usage = self.client.usage
        notes += [f"{text} ({quantity(count, *ROWS)} compared without it)" for text, count in look.notes.items()]
        return DriftReport(
            sync=self.spec.name,
            run_id=self.options.run_id,
            org_id=token.org_id,
            accepted=len(compared.unchanged) + (self.rest.stayed if self.rest is not None else 0),
            looked_at=len(positions),
            records=records_of(findings),
            fields=fields_of(findings),
            rows=rows_of(told.findings, done),
            requests=usage.requests - before.requests,
            searches=usage.searches - before.searches,
            seconds=self.client.clock.monotonic() - started,
            left_to_them=look.left,
            done=done,
            notes=(*notes, *told.notes, *said),
            shown=shown_fields(self.spec.fields, self.spec.object),
        )

    async def _open(self, mapped: pd.DataFrame, org_id: str) -> tuple[Opened, pd.DataFrame]:
        """The sync, and its rows without those that are left out. Writes nothing."""
        opening = Opening(
            self.spec, mapped, self.client, self.store, org_id, self.options, planning=True, rest=self.rest
        )
        opening.mapped, opening.left_out = leave_out(self.spec, mapped, self.store.suppressed(org_id), self.options)
        self.client.wire.recall(json.loads(opening.org.fact(WIRE_FACT) or "{}"))
        return await opening.open(), opening.mapped

    def _look(self, opened: Opened) -> Look:
        return Look(opened, self.client, self.spec.match_on, every_field=self.policy.takes_back)

    async def _act(
        self, opened: Opened, rows: pd.DataFrame, findings: Sequence[Finding], looked_at: int
    ) -> tuple[Done, tuple[str, ...]]:
        policy, org_id = self.policy, opened.state.org_id
        left_out = opened.stream.desired.left_out if policy.on_deleted == "recreate" else np.empty(0, dtype=np.int64)
        places = np.union1d([one.case.position or 0 for one in findings], left_out).astype(np.int64)
        if not policy.writes or not len(places):
            return Done(), ()
        async with turn_to_write(self.spec, self.client, self.store, org_id, self.options.run_id) as lock:
            now, _ = await self._open(rows.iloc[places].reset_index(drop=True), org_id)
            again = await self._look(now).at(now.stream.desired.compared.unchanged)
            lock.check()
            acting = Acting(policy, now, looked_at=looked_at, mode=self.spec.mode, run_id=self.options.run_id)
            return acting.act(findings, again)


_NO_TAG = "The tag's id is not known (there is no such tag, or the key may not read tags), so nobody was looked at."
