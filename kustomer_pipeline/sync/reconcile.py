"""The one stream: what is wanted → compare → resolve → decide → guard → decisions, wave by wave.

    async for wave in stream.rows():     every due row, in the order of the frame
    async for wave in stream.leavers():  then, when all rows are settled, who leaves a mirrored audience

`reconcile` is the only place that knows this order. A plan renders the waves, a run executes them: neither can do what
the other does not.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from kustomer_pipeline.kustomer import KustomerClient
from kustomer_pipeline.mapping import KEY

from .decisions import Create, Leave, Match, Nothing, Resolved, Wave
from .desired import Desired
from .guard import NOTHING_TO_JUDGE, Guard, Verdict
from .ledger import Ledger
from .permit import FREE, Permit
from .reasons import Reason, ReasonCode
from .resolve import Explainer, Hints, Resolver
from .rows import Case, DesiredRow, Member
from .selection import defer, select_rows
from .spec import RunOptions
from .strategies import Leavers, Strategy

WAVE_ROWS = 1000
HELD_EXAMPLES = 20
LOOK_BEFORE_HOLDING = 2000  # members whose records are read before they are held


class Consumer(Protocol):
    """Whoever takes the waves: the plan or the executor."""

    async def take(self, wave: Wave) -> None:
        """The next decisions. May wait while too much is under way."""
        ...

    async def drained(self) -> None:
        """Wait until every decision taken has come to its end."""
        ...

    @property
    def unsettled(self) -> int:
        """Rows of the frame of which it is not certain what they are in Kustomer."""
        ...


async def reconcile(stream: Stream, consumer: Consumer) -> None:
    """The whole stream through a consumer. Raises KustomerError when Kustomer cannot be asked any more."""
    async for wave in stream.rows():
        await consumer.take(wave)
    await consumer.drained()
    async for wave in stream.leavers(consumer.unsettled):
        await consumer.take(wave)
    await consumer.drained()


class Stream:
    """The decisions about one frame of one sync.

    planning: nothing will be written, so that absence has to be proven and held changes are looked at too. under_way:
    keys of rows whose job of an earlier run is still in Kustomer's queue. permit: which decisions may go.
    """

    def __init__(
        self,
        client: KustomerClient,
        desired: Desired,
        resolver: Resolver,
        strategy: Strategy,
        guard: Guard,
        ledger: Ledger,
        options: RunOptions,
        *,
        leavers: Leavers | None = None,
        under_way: Collection[str] = (),
        planning: bool = False,
        permit: Permit = FREE,
    ) -> None:
        self.permit = permit
        self.desired = desired
        self.resolver = resolver
        self.strategy = strategy
        self.ledger = ledger
        self.removals: Verdict = NOTHING_TO_JUDGE
        self.members = 0
        self.waiting = 0
        self.of_others = 0  # members who hold the tag already, and not from this sync
        self.on_approved: Callable[[str], None] = lambda plan_id: None
        self.done_with: tuple[str, ...] = ()
        self.handed_over: tuple[str, ...] = ()
        self._guard = guard
        self.options = options
        self.leaving = leavers
        self._under_way = frozenset(under_way)
        self.planning = planning
        self._must_prove = strategy.must_prove or planning or permit.judged_already
        if permit.judged_already and strategy.creates_prove:
            resolver.is_planned_create = self._is_planned_create
        self._explainer = Explainer(client, strategy.object_name, desired.compared.has_record)
        self.selected = select_rows(desired, strategy, guard, ledger, options, self._under_way)

    @property
    def idle(self) -> bool:
        """Whether there is nothing to look at: no due row, nobody who may have to leave."""
        if len(self.selected.positions) or len(self.selected.held):
            return False
        return self.leaving is None or not self.leaving.any_candidate()

    def refused(self, resolved: Resolved, reason: Reason) -> Nothing:
        """A row whose write Kustomer does not take, whatever the record is like."""
        return self.strategy.refused(resolved, reason)

    def on_creates(self, refused: int, accepted: int) -> None:
        """What creates have shown: whom Kustomer has, and whom it did not have."""
        self.resolver.finder.saw(existing=refused, absent=accepted)

    def take_hints(self) -> Hints:
        """Where rows' identifiers have been seen since the last time."""
        return self.resolver.finder.hints.take()

    # --- the waves ------------------------------------------------------------------------------------------

    async def rows(self) -> AsyncIterator[Wave]:
        """Decisions about the due rows; those that the guard holds come last, as examples (a plan has all of them)."""
        positions, held_by_number = self._hold_listed(self.selected.positions)
        self._use_approval(self.selected.changes)
        self._use_approval(self.removals)
        async for wave in self._waves(positions, held=held_by_number):
            yield wave
        held = self.selected.held if self.planning else self.selected.held[:HELD_EXAMPLES]
        async for wave in self._waves(held, held=True):
            yield wave

    def _hold_listed(self, positions: np.ndarray) -> tuple[np.ndarray, bool]:
        """Mode remove: the rows to be untagged are judged by their number (who holds the tag is not known before)."""
        limit = self.strategy.removal_limit
        if limit is None or not self.strategy.rows_are_removals:
            return positions, False
        keys = self.desired.mapped[KEY].iloc[positions].tolist()
        self.removals = self._guard.removals(keys, None, limit, self.options.approve_removals)
        if self.removals.allowed:
            return positions, False
        text = f"held back by max_removals; to let exactly these go, approve {self.removals.plan_id}"
        defer(self.ledger, positions, np.ones(len(positions), dtype=bool), ReasonCode.REMOVALS_HELD, text)
        return positions if self.planning else positions[:0], True

    async def _waves(self, positions: np.ndarray, *, held: bool) -> AsyncIterator[Wave]:
        for start in range(0, len(positions), WAVE_ROWS):
            cases = self.desired.cases(positions[start : start + WAVE_ROWS], must_prove=self._must_prove)
            yield replace(await self.decide(cases), held=held)

    async def leavers(self, unsettled: int) -> AsyncIterator[Wave]:
        """Decisions about members who left. Nobody leaves while a row of the frame could be that member, unless exactly
        these have been approved; or when the run is asked for certain rows."""
        limit = self.strategy.removal_limit
        if self.leaving is None or limit is None or self.options.only_keys is not None:
            return
        if unsettled:
            async for wave in self._waiting():
                yield wave
            return
        found = await self.leaving.candidates()
        self.members, self.done_with, self.handed_over = found.members, found.done_with, found.handed_over
        cases = [case for case in found.cases if case.key not in self._under_way]
        ids = [case.known_id or case.key for case in found.cases]
        self.removals = self._guard.removals(ids, found.members, limit, self.options.approve_removals)
        waves: list[Wave] = []
        if not self.removals.allowed and len(cases) <= LOOK_BEFORE_HOLDING:
            # Some of them may have nothing to lose any more: those who have are judged.
            waves = [await self.decide(part) for part in _in_waves(cases)]
            ids = [one.live.id for wave in waves for one in wave.decisions if isinstance(one, Leave)]
            self.removals = self._guard.removals(ids, found.members, limit, self.options.approve_removals)
        self._use_approval(self.removals)
        if not self.removals.allowed and not self.planning:
            return
        for part in [] if waves else _in_waves(cases):
            yield replace(await self.decide(part), held=not self.removals.allowed)
        for wave in waves:
            yield replace(wave, held=not self.removals.allowed)

    async def _waiting(self) -> AsyncIterator[Wave]:
        """Decisions about those who would wait, if they were approved; else they do, with an id to approve them by."""
        assert self.leaving is not None
        found = await self.leaving.candidates()
        self.members = found.members
        verdict = self._guard.waiting(
            (case.known_id or case.key for case in found.cases), self.options.approve_removals
        )
        if not verdict.approved:
            self.waiting, self.removals = len(found.cases), Verdict(0, True, verdict.plan_id)
            return
        self.removals, self.done_with, self.handed_over = verdict, found.done_with, found.handed_over
        self._use_approval(verdict)
        for part in _in_waves([case for case in found.cases if case.key not in self._under_way]):
            yield await self.decide(part)

    def _use_approval(self, verdict: Verdict) -> None:
        """An approval lets its set through once; it is used up before anything of the set is sent."""
        if verdict.approved and verdict.plan_id is not None and not self.planning:
            self.on_approved(verdict.plan_id)

    # --- resolve, decide ------------------------------------------------------------------------------------

    async def decide(self, cases: Sequence[Case]) -> Wave:
        """One decision per case, in order. Raises KustomerError when Kustomer cannot be asked."""
        members = [case for case in cases if isinstance(case.row, Member)]
        if members and self.leaving is not None:
            return self.permit.of(await self._explained(await self.leaving.decide(members)))
        resolved = await self.resolver.resolve(cases)
        orphans = tuple(id_ for one in resolved if (id_ := _orphan(one)) is not None)
        decided = [self.strategy.decide(one) for one in resolved]
        if self.planning:
            reasons = zip(decided, await self._explainer.foreseen(decided), strict=True)
            decided = [one if reason is None else self.refused(one.of, reason) for one, reason in reasons]
        wave = Wave(tuple(decided), orphans=orphans)
        self.of_others += sum(isinstance(one, Nothing) and one.of_others for one in wave.decisions)
        return self.permit.of(await self._explained(wave))

    def _is_planned_create(self, case: Case, body: Mapping[str, Any]) -> bool:
        """Whether the plan creates this row: then nobody is looked for, and Kustomer says if it was wrong."""
        if case.attempts or case.known_id is not None or not isinstance(case.row, DesiredRow):
            return False
        decision = self.strategy.decide(Resolved(case, body, Match()))
        return isinstance(decision, Create) and self.permit.holds(decision)

    async def _explained(self, wave: Wave) -> Wave:
        return replace(wave, decisions=tuple([await self._explainer.explained(one) for one in wave.decisions]))


def _in_waves(cases: Sequence[Case]) -> Iterator[Sequence[Case]]:
    return (cases[start : start + WAVE_ROWS] for start in range(0, len(cases), WAVE_ROWS))


def _orphan(resolved: Resolved) -> str | None:
    """The record that this row was when it was tagged, and is no longer: it leaves like any other member."""
    case, record = resolved.case, resolved.match.record
    before = case.remembered.kustomer_id if case.remembered else None
    if not case.owned or before is None or resolved.match.problem is not None or resolved.match.moved_on:
        return None
    return None if record is not None and record.id == before else before
