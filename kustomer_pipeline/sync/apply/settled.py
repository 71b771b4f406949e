"""What is remembered of rows that nothing had to be sent for: one transaction a wave."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pyarrow as pa

from kustomer_pipeline.kustomer import ObjectName
from kustomer_pipeline.mapping import INVALID, KEY

from ..decisions import Nothing, Wave
from ..desired import Desired
from ..ledger import Outcome
from ..reasons import ReasonCode
from ..resolve import Hints
from ..state import ChangeLine, LogLine, OwnershipChange, RememberedRow, SyncState, TagEffect, Transaction, was_said

Place = tuple[str, str] | None  # (sync, scope)
_SAID_ONCE = (Outcome.UNCHANGED, Outcome.SKIPPED, Outcome.REJECTED, Outcome.DEFERRED)


def remember_settled(state: SyncState, run_id: str, wave: Wave, object_name: ObjectName, hints: Hints) -> None:
    """The rows as they are now, who is forgotten, what was learnt of identifiers, and the log lines."""
    settled = wave.settled
    orphans = [RememberedRow(f"id={id_}", "accepted", None, id_, owned=True) for id_ in wave.orphans]
    outdated = {one.case.key: gone for one in wave.decisions if (gone := one.case.outdated)}
    if not (settled or orphans or wave.moved or hints.learned or hints.wrong or outdated):
        return
    with state.transaction() as tx:
        tx.theirs.drop(outdated)
        log = _news(tx, settled)
        tx.rows.forget([key for one in settled for key in _forgotten(one)])
        tx.rows.put([*(one.remember for one in settled if one.remember is not None), *orphans], run_id)
        tx.rows.count_as_changed(wave.moved)
        tx.identities.unlearn(object_name, hints.wrong)
        tx.identities.learn(object_name, hints.learned)
        tx.log.add(log, run_id)
        follow(tx, [change for one in settled for change in one.ownership], run_id)
        for one in settled:
            write_lines(tx, change_lines(_overwritten(one, object_name), one.ownership), run_id)


def follow(tx: Transaction, changes: Iterable[OwnershipChange], run_id: str) -> None:
    """Whose audiences' tags are what after an undo: whom a run untagged is ours again, whom it tagged is not."""
    for change in changes:
        theirs = tx.of(change.sync, change.scope)
        if change.owned:
            key = theirs.rows.key_for(change.key, change.kustomer_id)
            theirs.rows.put([RememberedRow(key, "accepted", kustomer_id=change.kustomer_id, owned=True)], run_id)
        else:
            theirs.rows.own([change.kustomer_id], False, run_id)


def change_lines(line: ChangeLine, ownership: Sequence[OwnershipChange]) -> list[tuple[Place, ChangeLine]]:
    """What is kept of one write, and (sync, scope) whose it is, None: the writer's own. Of an undo, whose the tags are
    is told beside, so that it can be undone and ownership follows again."""
    if not ownership:
        return [(None, line)] if line.changes or line.undoes else []
    found: list[tuple[Place, ChangeLine]] = []
    for theirs in ownership:
        effect: TagEffect = "tag" if theirs.owned else "untag"
        found.append(((theirs.sync, theirs.scope), replace(line, key=theirs.key, effect=effect)))
        line = replace(line, changes=(), undoes=())
    return found


def write_lines(tx: Transaction, lines: Sequence[tuple[Place, ChangeLine]], run_id: str) -> None:
    """Keep them."""
    tx.changes.add([line for place, line in lines if place is None], run_id)
    for place, line in lines:
        if place is not None:
            tx.of(*place).changes.add([line], run_id)


def _overwritten(one: Nothing, object_name: ObjectName) -> ChangeLine:
    """Of a row that nothing is sent for: what a write whose answer was lost has overwritten, as its record shows; and
    what an undo found settled."""
    case = one.case
    changes = case.maybe_changed if one.outcome is Outcome.UPDATED else ()
    owned = one.remember is not None and one.remember.owned
    effect: TagEffect = "untag" if case.position is None else "tag" if owned else "accept"
    return ChangeLine(case.key, object_name, one.kustomer_id or "", changes, effect=effect, undoes=one.undoes)


def remember_invalid(state: SyncState, run_id: str, desired: Desired) -> None:
    """Invalid rows stay in the state until they succeed or disappear; the state never loses a Kustomer id by them."""
    news, absent = desired.compared.news, desired.compared.absent
    subset = desired.mapped.iloc[news]
    keys = subset[KEY].tolist()
    lists = state.rows.sent_lists(keys)
    rows = [
        RememberedRow(
            key.replace("\x00", ""),
            "invalid",
            int(desired.compared.prints[position]),
            kustomer_id,
            sent_lists=lists.get(key, {}),
            reason=reason,
            reason_code=str(ReasonCode.INVALID),
        )
        for position, key, reason, kustomer_id in zip(
            news.tolist(),
            keys,
            subset[INVALID].tolist(),
            desired.compared.ids.take(pa.array(news)).to_pylist(),
            strict=True,
        )
    ]
    statuses = desired.snapshot.statuses.take(pa.array(absent)).to_pylist()
    gone = [
        desired.snapshot.keys[place].as_py()
        for place, status in zip(absent.tolist(), statuses, strict=True)
        if status in ("invalid", "rejected")
    ]
    log = [LogLine(row.key, str(Outcome.INVALID), row.kustomer_id, row.reason, row.reason_code) for row in rows]
    if rows or gone:
        with state.transaction() as tx:
            tx.rows.put(rows, run_id)
            tx.rows.forget(gone)
            tx.log.add(log, run_id)


def _forgotten(one: Nothing) -> list[str]:
    """A member with a lost write is kept: it may still be done, and is looked at once more."""
    own = [one.case.key] if one.forget and one.case.lost_at is None else []
    displaced = one.of.match.displaced if one.remember is not None and one.remember.status == "accepted" else ()
    return [*own, *displaced]


def _news(tx: Transaction, settled: Sequence[Nothing]) -> list[LogLine]:
    """Log lines, but for rows that were refused, skipped, put off or written in part for the same reason when last
    looked at."""
    said = tx.refusals.of([one.case.key for one in settled if one.outcome in _SAID_ONCE])
    news, noted = [], {}
    for one in settled:
        reason = one.reason if one.outcome in _SAID_ONCE else None
        if reason is not None and one.remember is None:
            noted[one.case.key] = (str(reason.code), reason.text)
        status = one.remember.status if one.remember is not None else None
        if reason is None or not was_said(said.get(one.case.key), status, str(reason.code), reason.text):
            news.append(_line(one))
    tx.refusals.note(noted)
    return news


def _line(one: Nothing) -> LogLine:
    removed = one.case.position is None and one.outcome is Outcome.UPDATED
    outcome = "removed" if removed else str(one.outcome)
    reason = one.reason
    return LogLine(
        one.case.key,
        outcome,
        one.kustomer_id,
        reason.text if reason else None,
        str(reason.code) if reason else None,
    )
