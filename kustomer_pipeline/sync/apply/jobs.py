"""The life of a job, as pure functions; the same for a job of this run and for one that an earlier run left behind.

    intended → submitted → answered → acknowledged
                       ↘ lost (nobody knows whether it exists, or what came of it)

`intended` is on disk before anything is sent, the bulk id before it is asked for, and `acknowledged` is one
transaction: the rows it settles, the log, and the end of the job become true together (law 8).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from kustomer_pipeline.kustomer import UNIQUE, ItemResult, ObjectName

from ..decisions import Create, Leave, Update, Write
from ..resolve import Hints
from ..rows import DesiredRow, Operation
from ..state import (
    ChangeLine,
    Effect,
    Job,
    JobItem,
    LogLine,
    OwnershipChange,
    RememberedRow,
    SyncState,
    TagEffect,
    value_hash,
)
from .settled import Place, change_lines, follow, write_lines


@dataclass
class Acknowledgement:
    """What becomes true with a job's answers."""

    rows: list[RememberedRow] = field(default_factory=list)
    forget: list[str] = field(default_factory=list)
    log: list[LogLine] = field(default_factory=list)
    changes: list[tuple[Place, ChangeLine]] = field(default_factory=list)
    hints: Hints = field(default_factory=Hints)
    ownership: list[OwnershipChange] = field(default_factory=list)


def operation_of(write: Write) -> Operation:
    """Whether a write makes a record or changes one."""
    return "create" if isinstance(write, Create) else "update"


def intended(
    writes: Sequence[Write], object_name: ObjectName, now: datetime, *, keep_changes: bool
) -> tuple[Job, dict[str, Write]]:
    """A job for some writes of one operation, and which item is which write."""
    job_id = uuid.uuid4().hex  # refs are unguessable, unique, and nobody's personal data (docs/kustomer.md section 7.2)
    by_ref = {f"{job_id}-{number}": write for number, write in enumerate(writes)}
    items = tuple(_item(ref, write, object_name, keep_changes) for ref, write in by_ref.items())
    return Job(job_id, operation_of(writes[0]), object_name, items, bulk_id=None, created_at=now), by_ref


def _item(ref: str, write: Write, object_name: ObjectName, keep_changes: bool) -> JobItem:
    case, row = write.case, write.case.row
    # What is left out is looked at again next time.
    in_part = write.of.lacks is not None or (isinstance(write, Update) and bool(write.patch.notes))
    is_row = isinstance(row, DesiredRow)
    changes = [] if isinstance(write, Create) else write.patch.changes
    hints = [(name, value_hash(v)) for name in UNIQUE[object_name] for v in case.identifiers(name)] if is_row else []
    return JobItem(
        ref=ref,
        key=case.key,
        effect=_effect(write),
        kustomer_id=None if isinstance(write, Create) else write.live.id,
        fingerprint=row.fingerprint if isinstance(row, DesiredRow) and case.lost_at is None and not in_part else None,
        owned=case.owned if isinstance(write, Leave) else isinstance(write, Update) and write.owned,
        was_owned=case.owned,
        sent_lists={} if isinstance(write, Leave) else write.sent_lists,
        displaced=write.of.match.displaced,
        identities=tuple(hints),
        changes=tuple((change.field, change.before, change.after) for change in changes) if keep_changes else (),
        lost_at=case.lost_at,
        ownership=write.ownership if isinstance(write, Update) else (),
        undoes=write.undoes if isinstance(write, Update) else (),
    )


def _effect(write: Write) -> Effect:
    """What the write's success means for what is remembered."""
    if isinstance(write, Leave):
        return "untag"
    return "undo" if isinstance(write, Update) and write.action == "restore" else "accept"


def acknowledged(job: Job, results: Mapping[str, ItemResult]) -> Acknowledgement:
    """What a finished job's answers mean. An item without an answer is looked up; a refused one is decided anew."""
    found = Acknowledgement()
    for item in job.items:
        result = results.get(item.ref)
        kustomer_id = (result.object_id if result else None) or item.kustomer_id
        if result is None or (result.status != "error" and kustomer_id is None):
            found.rows += _indeterminate(job, [item], lost_at=None)
        elif result.status != "error" and kustomer_id is not None:
            _accept(found, job, item, kustomer_id)
    return found


def lost(job: Job, at: datetime) -> Acknowledgement:
    """A job that nobody can be asked about: what it was to do may still be done, for a while after `at`."""
    return Acknowledgement(rows=_indeterminate(job, job.items, lost_at=at))


def _accept(found: Acknowledgement, job: Job, item: JobItem, kustomer_id: str) -> None:
    words = {"untag": "removed", "undo": "restored"}
    outcome = words.get(item.effect) or ("created" if job.operation == "create" else "updated")
    found.log.append(LogLine(item.key, outcome, kustomer_id))
    if item.effect == "undo":
        found.ownership += item.ownership
    effect: TagEffect = "untag" if item.effect == "untag" else "tag" if item.owned else "accept"
    line = ChangeLine(item.key, job.object_name, kustomer_id, item.changes, effect=effect, undoes=item.undoes)
    found.changes += change_lines(line, item.ownership)
    if item.effect == "undo":
        return
    if item.effect == "untag" and item.lost_at is None:
        found.forget.append(item.key)
        return
    found.forget += item.displaced
    found.hints.learned += [(name, hashed, kustomer_id) for name, hashed in item.identities]
    found.rows.append(
        RememberedRow(
            item.key,
            "accepted",
            item.fingerprint,
            kustomer_id,
            owned=item.owned,
            sent_lists=item.sent_lists,
            lost_at=item.lost_at,
        )
    )


def _indeterminate(job: Job, items: Iterable[JobItem], lost_at: datetime | None) -> list[RememberedRow]:
    """Rows of which nobody knows what came of their write: they are looked at again. Updates whose job is over need no
    mark: they count as changed since the job was intended."""
    if job.operation == "update" and lost_at is None:
        return []
    return [
        RememberedRow(
            item.key,
            "indeterminate",
            None,
            item.kustomer_id,
            owned=item.owned or item.was_owned,
            sent_lists=item.sent_lists,
            lost_at=lost_at,
        )
        for item in items
        if item.effect != "undo"
    ]


def write_intent(state: SyncState, run_id: str, job: Job) -> None:
    """From now on nobody knows what Kustomer holds of these rows, until the job is acknowledged: they count as changed.

    A member who is about to be tagged is ours from now on, so that the tag can be taken back whatever happens; also
    whom an undo is about to tag again.
    """
    with state.transaction() as tx:
        accepting = [item for item in job.items if item.effect == "accept"]
        tx.rows.count_as_changed([item.key for item in accepting])
        ours = [item for item in accepting if item.owned]
        tx.rows.put(
            [RememberedRow(one.key, "indeterminate", None, one.kustomer_id, owned=True) for one in ours], run_id
        )
        follow(tx, [change for item in job.items for change in item.ownership if change.owned], run_id)
        tx.journal.intend(job, run_id)


def write_acknowledgement(state: SyncState, run_id: str, job: Job, found: Acknowledgement) -> None:
    """The job's answers, the rows they settle, the log and the job's end: all or nothing. What a job changed is told of
    the run that sent it, so that undoing that takes it back; the log has it with the run that collects it, `run_id`."""
    sent_by = job.run_id or run_id
    with state.transaction() as tx:
        tx.rows.put(found.rows, sent_by)
        tx.rows.forget(found.forget)
        tx.identities.learn(job.object_name, found.hints.learned)
        write_lines(tx, found.changes, sent_by)
        tx.log.add(found.log, run_id)
        follow(tx, found.ownership, sent_by)
        tx.journal.end(job.job_id)
