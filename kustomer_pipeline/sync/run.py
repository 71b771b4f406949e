"""One run of one sync: the mapped frame in, Kustomer brought up to date, the report out.

    lock the org → collect jobs left behind → compare with the state → attempt what changed, wave by wave
    → (audiences: removals, behind the breaker) → report

Safe to run again after being stopped anywhere: what was accepted is in the state, what is under way is in the
journal, and everything else is looked up before it is written.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kustomer_pipeline.kustomer import KustomerClient, KustomerError, Usage

from .audience import (
    NO_REMOVALS,
    TAG_FACT,
    Removals,
    absent_members,
    listed_removals,
    mirror_removals,
    owned_ids,
    tag_of,
)
from .changes import absent_keys
from .decide import AudienceDecider, Decider
from .engine import Engine, identities_of
from .readback import Sample
from .recovery import LeftBehind, collect_left_behind
from .remembered import LogLine, RowState
from .report import OnProgress, Outcome, Progress, ReadBack, SyncReport
from .session import Session, object_decider, require_roles
from .spec import AudienceSpec, ObjectSpec, RunOptions
from .state import StateStore
from .sync_state import SyncState
from .writer import Writer

WAVE_ROWS = 2000
_PROGRESS_SECONDS = 5.0


def run_sync(
    spec: ObjectSpec | AudienceSpec,
    mapped: pd.DataFrame,
    *,
    client: KustomerClient,
    state: StateStore,
    options: RunOptions,
    on_progress: OnProgress | None = None,
) -> SyncReport:
    """Apply a sync.

    Raises KustomerError only while nothing has been done (wrong key, no connection, missing role); an error after
    that ends the run early, is found in `report.interrupted`, and the rows it did not reach are deferred.
    """
    used_before = client.usage
    token = client.token()
    require_roles(client, spec, writing=True)
    with state.lock(token.org_id):
        mine = state.of(token.org_id, spec.name)
        return _Run(spec, mapped, client, mine, options, on_progress, used_before).execute()


class _Run:
    """The steps of one run."""

    def __init__(
        self,
        spec: ObjectSpec | AudienceSpec,
        mapped: pd.DataFrame,
        client: KustomerClient,
        state: SyncState,
        options: RunOptions,
        on_progress: OnProgress | None,
        used_before: Usage,
    ) -> None:
        self.spec = spec
        self.mapped = mapped
        self.client = client
        self.state = state
        self.options = options
        self.on_progress = on_progress
        self.clock = client.clock
        self.started = self.clock.monotonic()
        self.started_at = datetime.now(UTC)
        self.used_before = used_before
        self.removals: Removals = NO_REMOVALS
        self.engine: Engine | None = None
        self.session: Session
        self._told_at = self.started
        self._total = 0

    def execute(self) -> SyncReport:
        """All steps; an error of Kustomer's ends them early."""
        left = LeftBehind()
        interrupted: KustomerError | None = None
        try:
            left = collect_left_behind(self.client, self.state, self.clock, self.options.run_id, self.spec.object)
        except KustomerError as error:
            interrupted = error
        self.session = Session.open(
            self.spec,
            self.mapped,
            self.client,
            self.state,
            run_id=self.options.run_id,
            full_resync=self.options.full_resync,
        )
        self.session.young = left.young
        if interrupted is None:
            try:
                self._attempt(left.queued)
            except KustomerError as error:
                interrupted = error
        if interrupted is not None:
            pending = self.session.ledger.pending()
            self.session.ledger.set_many(pending, Outcome.DEFERRED, reason="not reached: the run was stopped")
        self._remember_refused()
        report = self._report(interrupted)
        self.state.end_run(report, self.started_at)
        self.state.forget_changes(self.started_at - timedelta(days=self.options.undo_days))
        return report

    # --- the rows -------------------------------------------------------------------------------------------

    def _attempt(self, queued: set[str]) -> None:
        session = self.session
        positions = session.positions_to_attempt()
        if isinstance(self.spec, ObjectSpec):
            self._waves(self._engine(object_decider(self.spec)), self._without(queued, positions))
            return
        absent = absent_members(session)
        leaving = self.spec.mode == "mirror" and (self.spec.mirror_scope == "tag" or len(absent.leaving) > 0)
        if len(positions) or leaving:
            self._audience(self.spec, queued, positions)
        if not session.ledger.counts().deferred:
            self._tidy_up()

    def _audience(self, spec: AudienceSpec, queued: set[str], positions: np.ndarray) -> None:
        session = self.session
        tag = tag_of(self.client, spec, create=spec.mode != "remove" and len(positions) > 0)
        known = self.state.fact(TAG_FACT)
        if tag is not None and known is not None and known != tag.id:
            self.state.forget_all_rows()  # the tag was deleted and made anew: nobody has the new one
            session.reload()
            positions = session.positions_to_attempt()
        if tag is None:
            session.ledger.set_many(
                session.ledger.pending(), Outcome.UNCHANGED
            )  # nobody can have a tag that is not there
            return
        self.state.set_fact(TAG_FACT, tag.id)
        positions = self._without(queued, positions)
        engine = self._engine(AudienceDecider(spec, tag.id, owned_ids(session.snapshot)))
        if spec.mode == "remove":
            self.removals = listed_removals(
                spec, tag.id, session, session.rows(positions), self.options.approve_removals
            )
            if self.removals.held:
                reason = f"held back by max_removals; to let exactly these go, approve {self.removals.plan_id}"
                session.ledger.set_many(positions, Outcome.DEFERRED, reason=reason)
                return
        self._waves(engine, positions)
        if spec.mode == "mirror" and not session.ledger.counts().deferred:
            self.removals = mirror_removals(spec, tag.id, session, engine, self.options.approve_removals)
            leaving = [row for row in self.removals.rows(session.young) if row.key not in queued]
            for start in range(0, len(leaving), WAVE_ROWS):
                engine.attempt(leaving[start : start + WAVE_ROWS])

    def _tidy_up(self) -> None:
        """Absent members who hold nothing of ours are forgotten; what another key of theirs holds is ours now."""
        staying = self.engine.protected if self.engine else set()
        absent = absent_members(self.session, staying)
        if absent.forgettable or absent.staying:
            self.state.hand_over(self.options.run_id, absent.forgettable, absent.staying)

    def _without(self, queued: set[str], positions: np.ndarray) -> np.ndarray:
        """Rows that may be sent now: not those whose job is still queued, and not more than `limit`."""
        if queued:
            keys = self.mapped["_key"].iloc[positions].isin(queued).to_numpy(dtype=bool)
            reason = "its job of an earlier run is still in Kustomer's queue; the next run collects it"
            self.session.ledger.set_many(positions[keys], Outcome.DEFERRED, reason=reason)
            positions = positions[~keys]
        if self.options.only == "rejected":
            statuses = self.session.selection.statuses.take(positions)
            refused = pc.is_in(statuses, value_set=pa.array(["rejected", "invalid"])).to_numpy(zero_copy_only=False)
            reason = "this run was asked for the rows refused before, and no others"
            self.session.ledger.set_many(positions[~refused], Outcome.DEFERRED, reason=reason)
            positions = positions[refused]
        if self.options.limit is not None:
            rest = positions[self.options.limit :]
            self.session.ledger.set_many(
                rest, Outcome.DEFERRED, reason=f"beyond this run's limit of {self.options.limit}"
            )
            positions = positions[: self.options.limit]
        return positions

    def _engine(self, decider: Decider) -> Engine:
        engine = self.session.engine(decider)
        engine.writer = Writer(
            self.client,
            self.state,
            self.clock,
            self.spec.object,
            self.options.run_id,
            identities_of(self.spec),
            keep_changes=self.options.undo_days > 0,
        )
        engine.sample = Sample(self.options.read_back, self.spec.object, self.options.run_id)
        engine.on_step = self._tell
        self.engine = engine
        return engine

    def _waves(self, engine: Engine, positions: np.ndarray) -> None:
        self._total = len(positions)
        for start in range(0, len(positions), WAVE_ROWS):
            engine.attempt(self.session.rows(positions[start : start + WAVE_ROWS]))
        self._tell(last=True)

    def _tell(self, *, last: bool = False) -> None:
        now = self.clock.monotonic()
        if self.on_progress is None or not self._total or (now - self._told_at < _PROGRESS_SECONDS and not last):
            return
        self._told_at = now
        left = len(self.session.ledger.pending())
        done = max(0, self._total - left)
        rate = done / max(now - self.started, 1e-6)
        self.on_progress(
            Progress(done, self._total, rate, left / rate if rate and left else None, self.client.usage.remaining)
        )

    # --- the end --------------------------------------------------------------------------------------------

    def _remember_refused(self) -> None:
        """Invalid rows stay in the state until they succeed or disappear; the state never loses a Kustomer id."""
        session, spec = self.session, self.spec
        if isinstance(spec, AudienceSpec):
            return
        stale = session.selection.stale
        subset = session.mapped.iloc[stale]
        lists = self.state.sent_lists(subset["_key"].tolist()) if len(stale) else {}
        rows = [
            RowState(
                key.replace("\x00", ""),
                "invalid",
                int(session.prints[position]),
                id_,
                sent_lists=lists.get(key, {}),
                reason=reason,
            )
            for position, key, reason, id_ in zip(
                stale.tolist(),
                subset["_key"].tolist(),
                subset["_invalid"].tolist(),
                session.selection.ids.take(stale).to_pylist(),
                strict=True,
            )
        ]
        absent = session.snapshot.keys.take(absent_keys(session.mapped, session.snapshot))
        statuses = session.snapshot.statuses.take(absent_keys(session.mapped, session.snapshot))
        gone = [
            key
            for key, status in zip(absent.to_pylist(), statuses.to_pylist(), strict=True)
            if status in ("invalid", "rejected")
        ]
        log = [LogLine(row.key, str(Outcome.INVALID), row.kustomer_id, row.reason) for row in rows]
        if rows or gone:
            self.state.remember(self.options.run_id, rows, log=log, forget=gone)

    def _report(self, interrupted: KustomerError | None) -> SyncReport:
        sample = self.engine.sample if self.engine else None
        read_back = sample.read_back(self.client) if sample and interrupted is None else ReadBack()
        usage = self.client.usage
        ledger = self.session.ledger
        return SyncReport(
            sync=self.spec.name,
            run_id=self.options.run_id,
            org_id=self.state.org_id,
            counts=ledger.counts(),
            rows=ledger.rows(),
            requests=usage.requests - self.used_before.requests,
            searches=usage.searches - self.used_before.searches,
            budget_left=usage.remaining,
            seconds=self.clock.monotonic() - self.started,
            removed=self.engine.removed if self.engine else 0,
            removals_held=self.removals.held,
            members=self.removals.members or 0,
            removal_plan_id=self.removals.plan_id if self.removals.held else None,
            interrupted=interrupted,
            read_back=read_back,
        )
