"""A run that has ended → the parts of its report, and its numbers as `sync_runs` keeps them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta

import pandas as pd

from .apply import Executor
from .desired import SIGNATURE
from .ledger import Ledger
from .masked_values import shown_fields
from .memory import accepted_in
from .opening import Opened, Opening
from .reconcile import Stream
from .remarks import adopted_by, remarks
from .report import HeldChanges, ReadBack, Removals, SyncReport
from .spec import RunOptions
from .state import RunLine, StateStore, SyncState
from .wording import quantity


def removals_of(stream: Stream, executors: Sequence[Executor]) -> Removals:
    """What became of the members who left."""
    refused = pd.concat([executor.tally.removals_refused for executor in executors] or [Removals().rows])
    return Removals(
        members=stream.members,
        removed=sum(executor.tally.removed for executor in executors),
        held=stream.removals.held,
        plan_id=stream.removals.plan_id if stream.removals.held or stream.waiting else None,
        waiting=stream.waiting,
        refused=len(refused),
        rows=refused.reset_index(drop=True),
    )


def held_changes_of(stream: Stream, executors: Sequence[Executor]) -> HeldChanges:
    """What the guard holds, and the first of it field by field."""
    verdict = stream.selected.changes
    if not verdict.held or not executors:
        return HeldChanges()
    spec, examples = stream.desired.spec, executors[-1].tally.examples
    shown, accepted = shown_fields(spec.fields, spec.object), stream.desired.compared.accepted
    return HeldChanges(verdict.held, accepted, verdict.plan_id, examples, shown)


def notes_of(opened: Opened | None, executors: Sequence[Executor]) -> tuple[str, ...]:
    """What a person should know besides, each once."""
    notes = list(opened.notes) if opened is not None else []
    notes += remarks(opened.stream) if opened is not None else []
    partly = Counter(reason.text for executor in executors for reason in executor.tally.notes.values())
    notes += [
        f"{quantity(count, 'record was', 'records were')} written only in part: {text}"
        for text, count in partly.items()
    ]
    return tuple(dict.fromkeys(notes))


def report_of(
    opening: Opening,
    opened: Opened | None,
    executors: Sequence[Executor],
    ledger: Ledger,
    *,
    requests: int,
    searches: int,
    stayed: int,
    seconds: float,
    interrupted: Exception | None,
    read_back: ReadBack,
    notes: Sequence[str],
) -> SyncReport:
    """The report of a run; `stayed`: rows that did not leave the warehouse, `notes`: what it has to say first."""
    adopted = adopted_by(opened.stream) if opened is not None else []
    return SyncReport(
        sync=opening.spec.name,
        run_id=opening.options.run_id,
        org_id=opening.org_id,
        counts=ledger.counts().with_stayed(stayed),
        stayed=stayed,
        rows=ledger.rows(),
        requests=requests,
        searches=searches,
        budget_left=opening.client.usage.remaining,
        seconds=seconds,
        by_code=ledger.by_code(),
        removals=removals_of(opened.stream, executors) if opened else Removals(),
        held_changes=held_changes_of(opened.stream, executors) if opened else HeldChanges(),
        interrupted=interrupted,
        read_back=replace(read_back, shown=shown_fields(opening.spec.fields, opening.spec.object)),
        accepted_before=accepted_in(opened.memory) if opened else 0,
        members_now=opened.state.rows.members() if opened and opened.tag is not None else 0,
        notes=(*notes, *adopted, *notes_of(opened, executors)),
        news=(*notes, *adopted),
        asked_for=opening.options.only_keys,
        looked_at=len(opened.stream.selected.positions) if opened and opening.options.limit is not None else None,
        jobs_left=opening.store.written_by(opening.options.run_id)[1] if interrupted is not None else 0,
    )


def numbers_of(report: SyncReport) -> dict[str, int]:
    """The numbers of a report, by the columns of `sync_runs`."""
    return {
        **asdict(report.counts),
        "removed": report.removed,
        "removals_held": report.removals_held,
        "removals_refused": report.removals.refused,
        "removals_waiting": report.removals.waiting,
        "changes_held": report.changes_held,
        "requests": report.requests,
    }


def note_run(
    store: StateStore,
    state: SyncState,
    report: SyncReport,
    started_at: datetime,
    options: RunOptions,
    signature: str | None,
) -> None:
    """A line in `sync_runs`; what is older than the days of the options is removed.

    signature: the definition under which all that is remembered was accepted, None where that is not sure.
    """
    word = type(report.interrupted).__name__ if report.interrupted else None
    with state.transaction() as tx:
        tx.runs.add(RunLine(report.run_id, started_at, state.now(), numbers_of(report), report.seconds, word))
        if signature is not None:
            tx.facts.set(SIGNATURE, signature)
    before = started_at - timedelta(days=options.keep_days)
    store.purge(state.org_id, before, max(before, started_at - timedelta(days=options.undo_days)))
