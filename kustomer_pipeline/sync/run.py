"""One run of one sync: the mapped frame in, Kustomer brought up to date, the report out.

    take the turn → collect jobs left behind → open the sync → reconcile, executed → report

Safe to run again after being stopped anywhere: what was accepted is in the state, what is under way is in the journal,
and everything else is looked up before it is written.
"""

from __future__ import annotations

import json

import pandas as pd

from kustomer_pipeline.kustomer import KustomerClient, KustomerError, Usage
from kustomer_pipeline.mapping import INVALID, KEY

from .apply import Executor, Writer, collect_left_behind, remember_invalid
from .apply.tag_by_name import AnsweredRecords, learn_tag_id
from .approved import finished, note_of, permitted
from .audience_tag import TagOfAudience
from .filing import file_accepted
from .ledger import Ledger, Outcome
from .needed import require_roles
from .observed import observed_run
from .opening import WIRE_FACT, Opened, Opening
from .permit import Waiting
from .progress import Teller
from .readback import Sample
from .reasons import Reason, ReasonCode
from .reconcile import reconcile
from .report import OnProgress, ReadBack, SyncReport
from .reporting import note_run, report_of
from .rest import Rest
from .spec import ChangeLimit, RunOptions, SyncSpec
from .splitting import settle_apart
from .state import Lock, LockLostError, StateStore, SyncState
from .suppression import leave_out
from .turn import turn_to_write


def run_sync(
    spec: SyncSpec,
    mapped: pd.DataFrame,
    *,
    client: KustomerClient,
    state: StateStore,
    options: RunOptions,
    on_progress: OnProgress | None = None,
    rest: Rest | None = None,
) -> SyncReport:
    """Apply a sync. `rest`: where the warehouse compared, what answers for the rows that stayed there.

    Raises KustomerError only while nothing has been done (wrong key, no connection, missing role); an error after that
    ends the run early, is found in `report.interrupted`, and the rows it did not reach are deferred. Raises StateError
    when the state database fails.
    """
    return observed_run(client, spec, options, _run(spec, mapped, client, state, options, on_progress, rest))


async def _run(
    spec: SyncSpec,
    mapped: pd.DataFrame,
    client: KustomerClient,
    store: StateStore,
    options: RunOptions,
    on_progress: OnProgress | None,
    rest: Rest | None,
) -> SyncReport:
    before, token = client.usage, await client.token()
    opening = Opening(spec, mapped, client, store, token.org_id, options, rest=rest)
    require_roles(spec, token.roles)
    async with turn_to_write(spec, client, store, token.org_id, options.run_id) as lock:
        opening.mapped, opening.left_out = leave_out(spec, mapped, store.suppressed(token.org_id), options)
        opening.permit, opening.options = permitted(spec, store, token.org_id, options)
        client.wire.recall(json.loads(opening.org.fact(WIRE_FACT) or "{}"))
        report = await _Run(opening, lock, on_progress, before).execute()
        opening.org.set_fact(WIRE_FACT, json.dumps(client.wire.learned()))
    return report


class _Run:
    """The steps of one run."""

    def __init__(self, opening: Opening, lock: Lock, on_progress: OnProgress | None, before: Usage) -> None:
        self.opening = opening
        self.client = opening.client
        self.options = opening.options
        self.spec = opening.spec
        self.lock = lock
        self.before = before
        self.state: SyncState = opening.store.of(opening.org_id, opening.spec.name)
        self.started_at = self.state.now()
        self.started = self.client.clock.monotonic()
        self.ledger = Ledger(opening.mapped[KEY])
        self.teller = Teller(on_progress, self.client)
        self.opened: Opened | None = None
        self.executors: list[Executor] = []
        self.sample: Sample | None = None

    async def execute(self) -> SyncReport:
        """All steps; an error of Kustomer's, or a lost lock, ends them early."""
        interrupted: Exception | None = None
        try:
            await self._steps()
        except (KustomerError, LockLostError) as error:
            interrupted = error
            await self._collect_what_still_answers()
        except BaseException:
            for executor in self.executors:
                await executor.abandon()
            raise
        self._defer_the_rest()
        report = self.opening.left_out.told(await self._report(interrupted))
        if not isinstance(interrupted, LockLostError):
            self._end(report)
            self._file()
        return report

    async def _steps(self) -> None:
        under_way = await collect_left_behind(self.client, self.state, self.options.run_id)
        self.opened = await self.opening.open(under_way)
        self.ledger = self.opened.stream.ledger
        await self._learn_tag(under_way)
        tag, waits = self.opened.tag, isinstance(self.opening.permit, Waiting)
        if tag is not None and tag.readable and tag.id is None and not waits:
            pending = self.ledger.pending()  # nobody can have a tag that is not there
            self.ledger.set_many(pending, Outcome.UNCHANGED)
        else:
            await self._reconcile(self.opened)
        if self.options.clean_up:
            for former in self.opening.clean_ups(tag):
                await self._reconcile(former)

    async def _reconcile(self, opened: Opened) -> None:
        stream, executor = opened.stream, self._executor(opened)
        self.teller.expect(stream.ledger, len(stream.selected.positions))
        await reconcile(stream, executor)
        if not stream.ledger.counts().deferred:
            with opened.state.transaction() as tx:
                tx.rows.forget(stream.done_with)
                tx.rows.own(stream.handed_over, True, self.options.run_id)
        if self.spec.shard is not None:
            settle_apart(opened, stream)
        if opened.strategy.one_row_a_record:
            remember_invalid(opened.state, self.options.run_id, stream.desired)
        self.teller.tell(last=True)

    def _executor(self, opened: Opened, answered: AnsweredRecords | None = None) -> Executor:
        writer = Writer(
            self.client,
            opened.state,
            self.lock,
            self.spec.object,
            self.options.run_id,
            keep_changes=self.options.undo_days > 0,
            on_record=answered or opened.stream.resolver.on_record,
            singly=answered is not None,
        )
        sample = self._sample_of(opened) if answered is None else None
        opened.stream.on_approved = lambda plan_id: self._approve(opened.state, plan_id)
        executor = Executor(opened.stream, writer, sample=sample, on_step=self.teller.tell)
        self.executors.append(executor)
        self.sample = self.sample or sample
        return executor

    def _sample_of(self, opened: Opened) -> Sample:
        return Sample(self.options.read_back, opened.strategy, self.options.run_id, opened.stream.resolver.on_read)

    def _approve(self, state: SyncState, plan_id: str) -> None:
        with state.transaction() as tx:
            tx.approvals.use(plan_id, self.options.run_id)

    async def _learn_tag(self, under_way: frozenset[str]) -> None:
        """A key that may not read tags: find out the id of the audience's from the first answers, and go on with it."""
        opened = self.opened
        adding = self.opening.by_name(opened, under_way) if opened is not None else None
        if opened is None or opened.tag is None or adding is None:
            return
        answered = AnsweredRecords()
        learnt = await learn_tag_id(adding.stream, self._executor(adding, answered), answered)
        if learnt.tag_id is None:
            return
        tag = TagOfAudience(opened.tag.name, learnt.tag_id, readable=False)
        self.opening.org.set_fact(tag.fact, learnt.tag_id)
        removing = opened.strategy.rows_are_removals
        if removing:
            self.opening.org.drop_scope(self.spec.name, opened.tag.scope)
        self.opening.bring_together(tag)
        with self.state.of_scope(tag.scope).transaction() as tx:
            tx.rows.own([one.kustomer_id for one in learnt.held_already], False, self.options.run_id)
        self.opened = self.opening.with_tag(tag, under_way)
        self.ledger = self.opened.stream.ledger
        if not removing:
            self.ledger.take_over(adding.stream.ledger, Outcome.UPDATED)
            for one in learnt.held_already:
                self.ledger.set(one.position, Outcome.UNCHANGED, kustomer_id=one.kustomer_id)

    async def _collect_what_still_answers(self) -> None:
        for executor in self.executors:
            try:
                await executor.drained()
            except (KustomerError, LockLostError):
                await executor.abandon()

    def _defer_the_rest(self) -> None:
        if self.opened is None:
            for position, text in enumerate(self.opening.mapped[INVALID].tolist()):
                if isinstance(text, str):
                    self.ledger.set(position, Outcome.INVALID, reason=Reason(ReasonCode.INVALID, text))
        reason = Reason(ReasonCode.STOPPED, "not reached: the run was stopped")
        self.ledger.set_many(self.ledger.pending(), Outcome.DEFERRED, reason=reason)

    def _file(self) -> None:
        """Where the warehouse compares: what is settled is written down there."""
        if self.opening.rest is not None and self.opened is not None:
            repeated = not self.opened.strategy.one_row_a_record
            file_accepted(self.opening.rest, self.opened.stream.desired, keep_first_of_repeated=repeated)

    # --- the end --------------------------------------------------------------------------------------------

    async def _report(self, interrupted: Exception | None) -> SyncReport:
        read_back = ReadBack()
        if self.sample is not None and interrupted is None:
            read_back = await self.sample.read_back(self.client)
        usage, rest, opened = self.client.usage, self.opening.rest, self.opened
        return report_of(
            self.opening,
            opened,
            self.executors,
            self.ledger,
            requests=usage.requests - self.before.requests,
            searches=usage.searches - self.before.searches,
            stayed=rest.stayed if rest is not None else 0,
            seconds=self.client.clock.monotonic() - self.started,
            interrupted=interrupted,
            read_back=read_back,
            notes=note_of(self.opening.permit, self.options),
        )

    def _end(self, report: SyncReport) -> None:
        """What is written down of the run. Where nothing was remembered before, all is of today's definition."""
        state, memory = (self.opened.state, self.opened.memory) if self.opened is not None else (self.state, None)
        left = report.counts.deferred - report.changes_held
        settled = report.interrupted is None and left < ChangeLimit.AT_LEAST
        first = memory is not None and not (len(memory.snapshot.keys) or memory.stayed)
        signature = self.spec.signature if settled or first else None
        if report.interrupted is None:
            finished(self.opening.permit, self.opening.store, self.opening.org_id)
        note_run(self.opening.store, state, report, self.started_at, self.options, signature)
