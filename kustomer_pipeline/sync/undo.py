"""Take back what a run changed, where nobody has changed it since.

    jobs that the run left behind, collected → what it overwrote and still stands (state, standing.py)
        → its stream (strategies/undo.py) → the executor → field by field, what came of it

Lists are taken back item by item: what the run added goes, what it removed comes back, what others did stays. Created
records are not deleted: they are named, and deleting them is for a person to decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from kustomer_pipeline.kustomer import (
    KustomerClient,
    KustomerError,
    ObjectName,
    PermissionDeniedError,
    missing_roles,
)

from .apply import Executor, Writer, collect_left_behind
from .ledger import Outcome
from .observed import observed, undo_of
from .progress import Teller
from .report import OnProgress, masked_table
from .standing import Standing, standing
from .state import LockLostError, OrgState, StateStore, UnderWay
from .strategies.undo import Target, UndoStream, targets_of

SYNC = "undo_run"
COLUMNS = ("sync", "key", "kustomer_id", "field", "outcome", "reason")
_WAVE = 1000
_NOT_WRITTEN = {
    "rejected": "Kustomer refused it",
    "deferred": "not settled in this run; run the undo again",
}


class UndoError(Exception):
    """There is nothing that could be undone; the message says why."""


@dataclass(frozen=True)
class UndoReport:
    """What came of an undo.

    `restored`: records written back. `rows`: DataFrame with one row per field of the run: sync, key, kustomer_id,
    field, outcome (restored, changed since, gone, rejected, deferred, created, not deleted), reason (strings).
    """

    run_id: str
    org_id: str
    restored: int
    rows: pd.DataFrame
    requests: int
    interrupted: Exception | None = None
    notes: tuple[str, ...] = field(default_factory=tuple)

    def table(self, limit: int = 100, *, show_values: bool = False) -> pd.DataFrame:
        """The first rows as they may be shown: personal keys masked unless `show_values`."""
        return masked_table(self.rows, limit, show_values=show_values)


def undo_run(
    run_id: str,
    *,
    client: KustomerClient,
    state: StateStore,
    as_run: str | None = None,
    undo_days: int = 30,
    on_progress: OnProgress | None = None,
) -> UndoReport:
    """Restore what the run with this id overwrote, in all its syncs. An undo is a run, and can be undone.

    What is remembered of the rows stays: the next sync does not bring the undone values back until the warehouse
    changes (or with full_resync). Raises UndoError when the run is not known, and KustomerError while nothing has been
    done.
    """
    as_run = as_run or f"undo {run_id}"
    undoing = _undo(run_id, client, state, as_run, undo_days, on_progress)
    return observed(
        client, undo_of(SYNC, as_run), undoing, lambda undo: ({"restored": undo.restored}, undo.interrupted)
    )


async def _undo(
    run_id: str, client: KustomerClient, store: StateStore, as_run: str, undo_days: int, on_progress: OnProgress | None
) -> UndoReport:
    before = client.usage.requests
    token = await client.token()
    org, mine = store.org(token.org_id), store.of(token.org_id, SYNC)
    if not _something_to_undo(org, run_id):
        raise UndoError(_nothing_to_undo(org, run_id))
    streams: list[UndoStream] = []
    interrupted: Exception | None = None
    with store.lock(token.org_id) as lock, client.asking_before_writes(lock.check):
        await _collect(client, store, org, run_id, as_run)
        lines, created = _standing(org, run_id), org.created_by(run_id)
        waiting = _waiting(org, run_id, lines)
        targets = targets_of([one for one in lines if one.line.kustomer_id not in waiting])
        if not (lines or created or waiting):
            raise UndoError(_nothing_to_undo(org, run_id))
        _require_roles(token.roles, [kind for kind, found in targets.items() if found])
        try:
            tag_ids = await _tag_ids(client, org, targets)
            for kind, found in targets.items():
                if not found:
                    continue
                stream = UndoStream(client, kind, found, tag_ids)
                streams.append(stream)
                writer = Writer(client, mine, lock, kind, as_run, keep_changes=undo_days > 0)
                teller = Teller(on_progress, client)
                teller.expect(stream.ledger, len(found))
                executor = Executor(stream, writer, on_step=teller.tell)
                cases = stream.cases()
                for start in range(0, len(cases), _WAVE):
                    await executor.take(await stream.decide(cases[start : start + _WAVE]))
                await executor.drained()
                teller.tell(last=True)
        except (KustomerError, LockLostError) as error:
            interrupted = error
    others = [_frame(_taken_back(lines)), _frame(_under_way(waiting)), _frame(_created(created))]
    rows = pd.concat([*(_rows(stream) for stream in streams), *others], ignore_index=True)
    restored = sum(stream.ledger.counts().updated for stream in streams)
    requests = client.usage.requests - before
    return UndoReport(run_id, token.org_id, restored, rows, requests, interrupted, tuple(client.abilities.lines()))


async def _collect(client: KustomerClient, store: StateStore, org: OrgState, run_id: str, as_run: str) -> None:
    """Jobs that the run, or an undo, left behind: what they did can be taken back too. Raises KustomerError."""
    for sync in sorted({SYNC, *(one.sync for one in org.under_way(run_id))}):
        await collect_left_behind(client, store.of(org.org_id, sync), as_run)


def _waiting(org: OrgState, run_id: str, lines: Sequence[Standing]) -> Mapping[str, UnderWay]:
    """What is still in Kustomer's queue of the run, or of an earlier undo of it, by record: what there will be to take
    back is not known yet."""
    records = {one.line.kustomer_id for one in lines}
    of_undos = [one for one in org.under_way_of(SYNC) if one.kustomer_id in records]
    return {one.kustomer_id or one.ref: one for one in [*of_undos, *org.under_way(run_id)]}


def _something_to_undo(org: OrgState, run_id: str) -> bool:
    return bool(org.first_change_of(run_id) or org.under_way(run_id) or org.created_by(run_id))


def _standing(org: OrgState, run_id: str) -> list[Standing]:
    """The run's changes, the oldest first, and what of each stands."""
    mine = org.changes_of(run_id)
    if not mine:
        return []
    records = {(line.object_name, line.kustomer_id) for line in mine}
    ids = frozenset(line.id for line in mine if line.id is not None)
    return standing(org.changes_since(min(ids), records), ids)


async def _tag_ids(
    client: KustomerClient, org: OrgState, targets: Mapping[ObjectName, Sequence[Target]]
) -> Mapping[str, str]:
    """Tag names → ids; where the key may not read tags, those that were learnt."""
    try:
        return {tag.name: tag.id for tag in await client.tags()}
    except PermissionDeniedError:
        lines = [one for found in targets.values() for target in found for one in target.lines]
        given = [after for one in lines for name, _, after, _ in one.changes if name == "tags"]
        names = {str(tag) for tags in given for tag in tags or ()}
        return {name: id_ for name in names if (id_ := org.fact(f"tag:{name.casefold()}")) is not None}


def _rows(stream: UndoStream) -> pd.DataFrame:
    """Field by field. What would have been restored was only if the record's write went well."""
    lines = []
    outcomes = stream.ledger.rows()["outcome"].tolist()
    reasons = stream.ledger.rows()["reason"].tolist()
    for position, target in enumerate(stream.targets):
        written, why = outcomes[position], reasons[position]
        if not isinstance(written, str):
            written, why = str(Outcome.DEFERRED), "not reached: the undo was stopped"
        for name in target.fields:
            outcome, reason = stream.outcomes.get(position, {}).get(name, (written, why))
            if outcome == "restored" and written in _NOT_WRITTEN:
                outcome, reason = written, why if isinstance(why, str) else _NOT_WRITTEN[written]
            lines.append((target.sync, target.key, target.kustomer_id, name, outcome, reason))
    return _frame(lines)


_Row = tuple[str, str, str | None, str | None, str, str | None]


def _frame(lines: Sequence[_Row]) -> pd.DataFrame:
    return pd.DataFrame(lines, columns=list(COLUMNS)).astype("string")


def _created(created: Sequence[tuple[str, str, str | None]]) -> list[_Row]:
    why = "the run created it: delete it by hand if need be"
    return [(sync, key, id_, None, "created, not deleted", why) for sync, key, id_ in created]


def _taken_back(lines: Sequence[Standing]) -> list[_Row]:
    """Fields of which nothing stands any more."""
    why = "an earlier undo has settled it"
    fields = {(one.line.kustomer_id, name) for one in lines for name in one.fields}
    found = {
        (line.kustomer_id, name): (line.sync, line.key, line.kustomer_id, name, "restored", why)
        for line, undone in [(one.line, one.undone) for one in lines]
        for name, *_ in line.changes
        if name in undone and (line.kustomer_id, name) not in fields
    }
    return list(found.values())


def _under_way(waiting: Mapping[str, UnderWay]) -> list[_Row]:
    why = "what was sent is still in Kustomer's queue; undo it again once it is done"
    return [
        (item.sync, item.key, item.kustomer_id, name, "deferred", why)
        for item in waiting.values()
        for name in item.fields or (None,)
    ]


def _require_roles(roles: Sequence[str], kinds: Sequence[str]) -> None:
    nouns = {"customers": "customer", "companies": "company"}
    missing = missing_roles(roles, [f"{nouns[kind]}.{verb}" for kind in kinds for verb in ("read", "update")])
    if missing:
        raise PermissionDeniedError(f"The API key lacks what an undo needs: {', '.join(missing)}. Nothing was sent.")


def _nothing_to_undo(org: OrgState, run_id: str) -> str:
    if org.knows_run(run_id):
        return (
            f"Run {run_id} can't be undone: it changed nothing, or what it overwrote is no longer kept "
            "(KUSTOMER_UNDO_DAYS says for how many days it is)"
        )
    return (
        f"No run {run_id} has written to this org: the id is that of the Dagster run, in full, as the page of the "
        "run shows it, and the state must be the one that the run used"
    )
