"""Undo as a move of the state machine (test_state_machine.py), and what must hold of it, to the letter.

One of the earlier runs is taken back: one that ended well or died, that has been taken back already, that was an undo
itself; of records that agents changed, merged and deleted since or in its middle; with faults in Kustomer; and the undo
dies too. who_changed_what.py says what it may change. What it must change:

- what is still as the run left it goes back, if the weather is good;
- a field that is told as restored is as it was before the run;
- a tag that an undo took away and an agent gives again is the agent's: no mirror of what it owns takes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar

from hypothesis.stateful import RuleBasedStateMachine, invariant

from kustomer_pipeline.kustomer import KustomerError
from kustomer_pipeline.sandbox import Sandbox
from kustomer_pipeline.sync import StateStore, UndoError, UndoReport, undo_run
from kustomer_pipeline.sync.state import LockLostError
from kustomer_pipeline_tests.oracle import Died, Fuse
from kustomer_pipeline_tests.simulated import InProcess
from kustomer_pipeline_tests.who_changed_what import AGENT, Event, Events, TakenBack, Undone
from kustomer_pipeline_tests.world import World

Meanwhile = Sequence[tuple[int, str, int, int]]


class UndoMoves(RuleBasedStateMachine):
    """The part of the machine that takes runs back. What it shares with the rest is declared here."""

    state_url: ClassVar[str]
    world: World
    sandbox: Sandbox
    runs: int
    drifted: set[str]
    tag_drifted: set[str]
    touched: set[str]
    loose: set[str]
    gone: set[str]
    tag_moved: set[str]

    def __init__(self) -> None:
        super().__init__()
        self.events = Events(self.world.sandbox)
        self.taken_back = TakenBack(self.events)
        self.can_be_undone: list[str] = []
        self.uncertain: set[str] = set()  # runs of which some write was lost: nobody knows what it has changed
        self.stops: list[int] = []  # at which event a run died: whose a tag is may be uncertain since
        self.owned_mirrors: set[str] = set()
        self._followed = 0

    def switch_on(self, drawn: list[Any]) -> None:
        """Kustomer's faults of a run."""
        raise NotImplementedError

    def at_requests(self, meanwhile: Meanwhile) -> AbstractContextManager[None]:
        """What people do in the middle of a run."""
        raise NotImplementedError

    def stopped(self) -> None:
        """It died, or lost its lock."""
        raise NotImplementedError

    def writes(self) -> list[str]:
        """Paths of what was sent."""
        raise NotImplementedError

    def undo(self, run: str, drawn: list[Any], death: int | None, meanwhile: Meanwhile) -> UndoReport | None:
        """One undo. None: it died, or could not even begin."""
        self.runs += 1
        undo = Undone(f"run-{self.runs}", run)
        self.taken_back.begins(undo)
        self.can_be_undone.append(undo.by)
        self.touched = set()
        self.switch_on(drawn)
        left = self.taken_back.left(run)
        report = self._undo(undo, death, meanwhile)
        self.follow_undos()
        if report is None:
            return None
        if isinstance(report.interrupted, LockLostError):
            assert any(what == "loses its lock" for _, what, _, _ in meanwhile)
            self.stopped()
        self.told(undo, report)
        if not (drawn or meanwhile or report.interrupted):
            self.nothing_is_left(undo, left, report)
        return report

    def _undo(self, undo: Undone, death: int | None, meanwhile: Meanwhile) -> UndoReport | None:
        self.sandbox.clear_requests()
        fuse = Fuse(death, transport=InProcess(self.sandbox.app, self.world.clock))
        self.events.run = undo.by
        try:
            with (
                self.world.client(transport=fuse) as client,
                StateStore.open(self.state_url, clock=self.world.clock) as state,
                fuse.lit(),
                self.at_requests(meanwhile),
            ):
                return undo_run(undo.of, client=client, state=state, as_run=undo.by)
        except UndoError:
            assert not self.writes()
            missed = {place: one for place, one in self.taken_back.left(undo.of).items() if self._certain(one)}
            assert not missed, ("an undo that says that there is nothing to undo", undo, missed)
            return None
        except KustomerError:
            assert not self.writes(), "an error instead of a report, although something was sent"
            return None
        except Died:
            self.died(undo.by)
            self.stopped()
            return None
        finally:
            self.events.run = None
            self.sandbox.faults.clear()

    def died(self, run: str) -> None:
        """In its middle."""
        self.uncertain.add(run)
        self.stops.append(len(self.events.all))

    def _certain(self, one: Event) -> bool:
        return one.author not in self.uncertain and one.record in {*self.sandbox.customers, *self.sandbox.companies}

    def told(self, undo: Undone, report: UndoReport) -> None:
        """What the report says is so, and is remembered."""
        rows = rows_of(report)
        restored = {(id_, name) for id_, name, outcome in rows if outcome == "restored"}
        assert report.restored <= len({id_ for id_, _ in restored}), report.rows
        for (record, field), mine in self.events.wrote(undo.of).items():
            if (record, field.partition(":")[0]) in restored and record not in self.touched | self.gone:
                self._is_back(record, field, mine, undo)
        self.taken_back.told(undo, iter(rows))

    def _is_back(self, record: str, field: str, mine: list[Event], undo: Undone) -> None:
        history = self.events.of_field(record, field)
        others = [one for one in history if one.place > mine[0].place and one.author not in (undo.of, undo.by)]
        if not others:
            assert history[-1].after == mine[0].before, (field, "told as restored, and is not", history)

    def nothing_is_left(self, undo: Undone, left: dict[tuple[str, str], Event], report: UndoReport) -> None:
        """In good weather, whatever was still as the run left it has gone back, unless the report says why not."""
        refused = {(id_, name) for id_, name, outcome in rows_of(report) if outcome in ("rejected", "deferred")}
        for (record, field), one in left.items():
            if self._certain(one) and (record, one.attribute) not in refused:
                now = self.events.of_field(record, field)[-1]
                assert now.after == one.before, (one, "has not gone back", report.rows.to_dict("records"))

    def follow_undos(self) -> None:
        """What an undo has changed is not as the syncs believe; nor is what its job writes late."""
        for one in self.events.all[self._followed :]:
            if one.author in self.events.undos:
                self.touched.add(one.record)
                if one.attribute == "tags" and one.after is False:
                    self.tag_drifted.add(one.record)
                elif one.attribute != "tags":
                    self.drifted.add(one.record)
                if one.attribute == "emails":
                    self.tag_drifted.add(one.record)
                    if one.after is False:
                        self.loose.add(one.field.partition(":")[2])
        self._followed = len(self.events.all)

    # --- the moves ------------------------------------------------------------------------------------------

    def which(self, back: int) -> str | None:
        return self.can_be_undone[-1 - back % len(self.can_be_undone)] if self.can_be_undone else None

    def undo_twice(self, run: str, drawn: list[Any], death: int | None, meanwhile: Meanwhile, again: bool) -> None:
        """And again in good weather: what the first one did not reach goes back, the rest stays."""
        self.undo(run, drawn, death, meanwhile)
        if again:
            self.world.clock.advance(30)
            self.undo(run, [], None, ())

    # --- what always holds ----------------------------------------------------------------------------------

    @invariant()
    def undos_take_back_what_is_theirs(self) -> None:
        self.taken_back.judge()
        self.follow_undos()

    @invariant()
    def a_tag_that_an_agent_gave_after_an_undo_is_the_agents(self) -> None:
        for one in self._untagged_since():
            history = self.events.of_field(one.record, one.field, one.place)
            if len(history) > 1 and history[-1].author == AGENT and history[-2].author in self.events.undos:
                certain = one.record not in self.tag_moved
                certain &= not any(place > history[-2].place for place in self.stops)
                assert not certain, (one, "an agent gave it after an undo had taken it", history)

    def _untagged_since(self) -> Iterator[Event]:
        new, self._looked_at = self.events.all[getattr(self, "_looked_at", 0) :], len(self.events.all)
        for one in new:
            if one.author in self.owned_mirrors and one.attribute == "tags" and one.after is False:
                yield one


def rows_of(report: UndoReport) -> list[tuple[str, str, str]]:
    """(record, attribute, outcome) of each row."""
    rows = report.rows
    return list(zip(rows["kustomer_id"], rows["field"].fillna(""), rows["outcome"], strict=True))
