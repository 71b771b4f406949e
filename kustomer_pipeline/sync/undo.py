"""Take back what a run changed, where nobody has changed it since.

    what the run overwrote (state) → its stream (strategies/undo.py) → the executor → field by field, what came of it

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
from .state import LockLostError, OrgState, StateStore
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
    targets, created = targets_of(org.changes_of(run_id)), org.created_by(run_id)
    if not any(targets.values()) and not created:
        raise UndoError(_nothing_to_undo(org, run_id))
    _require_roles(token.roles, [kind for kind, found in targets.items() if found])
    streams: list[UndoStream] = []
    interrupted: Exception | None = None
    with store.lock(token.org_id) as lock, client.asking_before_writes(lock.check):
        try:
            await collect_left_behind(client, mine, as_run)
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
    rows = pd.concat([_rows(stream) for stream in streams] + [_created(created)], ignore_index=True)
    restored = sum(stream.ledger.counts().updated for stream in streams)
    requests = client.usage.requests - before
    return UndoReport(run_id, token.org_id, restored, rows, requests, interrupted, tuple(client.abilities.lines()))


async def _tag_ids(
    client: KustomerClient, org: OrgState, targets: Mapping[ObjectName, Sequence[Target]]
) -> Mapping[str, str]:
    """Tag names → ids; where the key may not read tags, those that were learnt."""
    try:
        return {tag.name: tag.id for tag in await client.tags()}
    except PermissionDeniedError:
        lines = [line for found in targets.values() for target in found for line in target.lines]
        names = {str(tag) for line in lines for name, _, after in line.changes if name == "tags" for tag in after or ()}
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
    return pd.DataFrame(lines, columns=list(COLUMNS)).astype("string")


def _created(created: Sequence[tuple[str, str, str | None]]) -> pd.DataFrame:
    why = "the run created it: delete it by hand if need be"
    lines = [(sync, key, id_, None, "created, not deleted", why) for sync, key, id_ in created]
    return pd.DataFrame(lines, columns=list(COLUMNS)).astype("string")


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
