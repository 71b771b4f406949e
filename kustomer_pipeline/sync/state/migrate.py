"""A state of an earlier layout, brought to today's in one transaction. Nothing is sent again because of it.

Of the first release:

Fingerprints stay as they are. What is remembered of an audience belongs to its tag's id from now on; rows whose write
was under way become indeterminate; hashes of phone numbers go, because numbers are compared by their digits now.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from . import tables

FIRST_RELEASE = 1
BEFORE_LINES = 2
BEFORE_SUPPRESSION = 3
BEFORE_UNDOES = 4
_RENAMED = ("sync_rows", "bulk_jobs", "sync_log", "sync_runs", "sync_changes")
_TAG_FACT = "tag_id"
_LINES_AT_ONCE = 5_000


def add_columns(connection: sa.Connection, version: int) -> None:
    """The second layout knew no lines in the warehouse, the third left nothing to Kustomer, the fourth did not say what
    an undo took back: no line has any of these.

    The caller makes the tables that are new besides.
    """
    added = {
        BEFORE_LINES: tables.sync_rows.c.filed,
        BEFORE_SUPPRESSION: tables.sync_rows.c.theirs,
        BEFORE_UNDOES: tables.sync_changes.c.undoes,
    }
    for column in [column for before, column in added.items() if version <= before]:
        kind = column.type.compile(connection.dialect)
        connection.execute(sa.text(f"alter table {column.table.name} add column {column.name} {kind}"))
    for index in tables.sync_rows.indexes:
        index.create(connection, checkfirst=True)


def from_first_release(connection: sa.Connection) -> None:
    """Migrate. The caller's transaction makes it all or nothing."""
    for name in _RENAMED:
        _drop_indexes(connection, name)
        connection.execute(sa.text(f"alter table {name} rename to first_{name}"))
    tables.metadata.create_all(connection)
    scopes = _scopes(connection)
    _copy_rows(connection)
    _copy_jobs(connection, scopes)
    _copy(connection, "sync_log", ("org_id", "sync", "run_id", "key", "outcome", "kustomer_id", "reason", "at"))
    _copy_runs(connection)
    _copy_changes(connection)
    connection.execute(sa.delete(tables.identities).where(tables.identities.c.field == "phone"))
    connection.execute(sa.delete(tables.sync_facts).where(tables.sync_facts.c.name == _TAG_FACT))
    for name in _RENAMED:
        connection.execute(sa.text(f"drop table first_{name}"))


def _drop_indexes(connection: sa.Connection, table: str) -> None:
    """Their names are those of the new tables' too."""
    for index in sa.inspect(connection).get_indexes(table):
        connection.execute(sa.text(f"drop index {index['name']}"))


def _scopes(connection: sa.Connection) -> dict[tuple[str, str], str]:
    facts = tables.sync_facts
    query = sa.select(facts.c.org_id, facts.c.sync, facts.c.value).where(facts.c.name == _TAG_FACT)
    return {(org_id, sync): value for org_id, sync, value in connection.execute(query)}


_SCOPE = (
    "coalesce((select f.value from sync_facts f where f.org_id = old.org_id and f.sync = old.sync "
    f"and f.name = '{_TAG_FACT}'), '')"
)


def _copy_rows(connection: sa.Connection) -> None:
    under_way = "old.status in ('sent', 'unsettled')"
    connection.execute(
        sa.text(
            "insert into sync_rows (org_id, sync, scope, key, fingerprint, status, kustomer_id, owned, sent_lists, "
            "reason, reason_code, run_id, updated_at, lost_at) "
            f"select old.org_id, old.sync, {_SCOPE}, old.key, old.fingerprint, "
            f"case when {under_way} then 'indeterminate' else old.status end, "
            "case when old.status = 'unsettled' then null else old.kustomer_id end, old.owned, old.sent_lists, "
            f"old.reason, null, old.run_id, old.updated_at, case when {under_way} then old.updated_at end "
            "from first_sync_rows old"
        )
    )


def _copy_jobs(connection: sa.Connection, scopes: dict[tuple[str, str], str]) -> None:
    """Jobs in flight: what each item's success means, in today's words. Whose object it was, the sync's rows tell."""
    for row in connection.execute(sa.text("select * from first_bulk_jobs")).mappings().all():
        created_at = _moment(row["created_at"])
        items = [_item(item, created_at) for item in json.loads(row["items"])]
        connection.execute(
            sa.insert(tables.bulk_jobs).values(
                job_id=row["job_id"],
                org_id=row["org_id"],
                sync=row["sync"],
                scope=scopes.get((row["org_id"], row["sync"]), ""),
                run_id=row["run_id"],
                operation=row["operation"],
                object=_object_of(connection, row["org_id"], row["sync"], items),
                bulk_id=row["bulk_id"],
                items=json.dumps(items),
                created_at=created_at,
            )
        )


def _object_of(connection: sa.Connection, org_id: str, sync: str, items: Sequence[dict[str, Any]]) -> str:
    """What a job of the first release writes to, which did not say so: what the sync overwrote before says it, or where
    records of the job or of the sync were found. Customers where nothing does."""
    overwritten = sa.text("select object from first_sync_changes where org_id = :org_id and sync = :sync limit 1")
    if found := connection.execute(overwritten, {"org_id": org_id, "sync": sync}).scalar():
        return str(found)
    hints, rows = tables.identities, tables.sync_rows
    of_job = hints.c.kustomer_id.in_([item["kustomer_id"] for item in items if item["kustomer_id"]])
    of_sync = sa.select(rows.c.kustomer_id).where(rows.c.org_id == org_id, rows.c.sync == sync)
    seen = sa.select(hints.c.object).where(hints.c.org_id == org_id, of_job | hints.c.kustomer_id.in_(of_sync))
    return connection.execute(seen.limit(1)).scalar() or "customers"


def _item(old: dict[str, Any], created_at: datetime) -> dict[str, Any]:
    return {
        "ref": old["ref"],
        "key": old["key"],
        "effect": old.get("effect", "accept"),
        "kustomer_id": old.get("kustomer_id"),
        "fingerprint": None if old.get("young") else old.get("fingerprint"),
        "owned": bool(old.get("owned")),
        "sent_lists": old.get("sent_lists") or {},
        "changes": old.get("changes") or [],
        "lost_at": created_at.isoformat() if old.get("young") else None,
    }


def _copy(connection: sa.Connection, name: str, columns: tuple[str, ...]) -> None:
    listed = ", ".join(columns)
    connection.execute(sa.text(f"insert into {name} ({listed}) select {listed} from first_{name} order by id"))


def _copy_runs(connection: sa.Connection) -> None:
    kept = ("org_id", "sync", "run_id", "started_at", "finished_at", "interrupted")
    known = ("read", "created", "updated", "unchanged", "skipped", "invalid", "rejected", "deferred", "removed")
    listed = ", ".join((*kept, *known, "removals_held", "requests"))
    added = [name for name in tables.RUN_COUNTS if name not in (*known, "removals_held", "requests")]
    zeros = ", ".join("0" for _ in added)
    connection.execute(
        sa.text(
            f"insert into sync_runs ({listed}, {', '.join(added)}) "
            f"select {listed}, {zeros} from first_sync_runs order by id"
        )
    )


def _copy_changes(connection: sa.Connection) -> None:
    connection.execute(
        sa.text(
            "insert into sync_changes (org_id, sync, scope, run_id, key, object, kustomer_id, effect, changes, at) "
            f"select old.org_id, old.sync, {_SCOPE}, old.run_id, old.key, old.object, old.kustomer_id, "
            f"case when {_SCOPE} = '' then 'accept' else 'tag' end, old.changes, old.at "
            "from first_sync_changes old order by old.id"
        )
    )
    _mark_untagged(connection)


def _mark_untagged(connection: sa.Connection) -> None:
    """An audience's change that left its record with fewer tags took the tag away."""
    table = tables.sync_changes
    last = 0
    while True:
        query = sa.select(table.c.id, table.c.changes).where(table.c.effect == "tag", table.c.id > last)
        lines = connection.execute(query.order_by(table.c.id).limit(_LINES_AT_ONCE)).all()
        if not lines:
            return
        last = lines[-1].id
        taken = [line.id for line in lines if _has_fewer(json.loads(line.changes))]
        if taken:
            connection.execute(sa.update(table).where(table.c.id.in_(taken)).values(effect="untag"))


def _has_fewer(changes: list[Any]) -> bool:
    return any(name == "tags" and len(after or ()) < len(before or ()) for name, before, after in changes)


def _moment(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
