"""The tables of the state database. SQLite embedded, PostgreSQL for teams; both through SQLAlchemy Core.

Everything is keyed by the org's id as Kustomer reports it: another org, or a fresh sandbox, never inherits anything.

    sync_rows    what was last accepted, skipped or refused, one line per row of a sync's scope ('' or a tag's id), and
                 what of it is left to Kustomer (theirs.py)
    stale_lines  rows that are forgotten here, while the warehouse still has them as accepted
    identities   where an identifier was last seen (hashed): a hint, always checked live before use
    bulk_jobs    intent before it is sent, the bulk id before it is polled; gone when acknowledged
    sync_runs    one line per run
    sync_log     one line per record that was sent, and of a refused one when that is new or has another reason
    sync_changes what a run overwrote, and which of these lines an undo took back: in clear text, kept for some days
    sync_facts, org_facts  small facts of a sync, of an org (the ids of tags, what it takes)
    approvals    what the guard held and let through, once each
    plans        plans as they were shown, until they are applied or too old; plan_seals: what is in them, as hashes;
                 plan_creates: whom they would create, which later plans of the same making count on
    suppressed   who was forgotten, as keyed hashes (suppressed.py), skipped from then on; receipts: a line for each
    budget_leases which share of the org's requests a minute each run has, where several write at once
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

SCHEMA_VERSION = 5
RUN_COUNTS = (
    *("read", "created", "updated", "unchanged", "skipped", "invalid", "rejected", "deferred"),
    *("removed", "removals_held", "removals_refused", "removals_waiting", "changes_held", "requests"),
)

# Of a row of a sync that is compared in the warehouse (lines.py); null of all others. FILED is, besides, a row of one
# part of a sync in shards (parts.py) that its source still has: in both cases a run of other rows can ask for it.
OPEN, FILED, WITHOUT = 0, 1, 2

_MOMENT = sa.DateTime(timezone=True)
_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")

schema_version = sa.Table("schema_version", metadata, sa.Column("version", sa.Integer, nullable=False))

sync_rows = sa.Table(
    "sync_rows",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("sync", sa.Text, primary_key=True),
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("fingerprint", sa.BigInteger),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("kustomer_id", sa.Text),
    sa.Column("owned", sa.Boolean, nullable=False, default=False),
    sa.Column("sent_lists", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("reason_code", sa.Text),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("updated_at", _MOMENT, nullable=False),
    sa.Column("lost_at", _MOMENT),
    sa.Column("filed", sa.SmallInteger),
    sa.Column("theirs", sa.Text),
    sqlite_with_rowid=False,
)


def _partial(name: str, column: str, which: sa.ColumnElement[bool]) -> None:
    """An index of some rows: of syncs that are compared in the warehouse, for example. It costs the others nothing."""
    keys = (sync_rows.c[key] for key in ("org_id", "sync", "scope", column))
    sa.Index(name, *keys, sqlite_where=which, postgresql_where=which)


_partial("sync_rows_not_filed", "key", sync_rows.c.filed != FILED)
_partial("sync_rows_filed", "kustomer_id", sync_rows.c.filed == FILED)
_partial("sync_rows_theirs", "key", sync_rows.c.theirs.is_not(None))

stale_lines = sa.Table(
    "stale_lines",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("sync", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sqlite_with_rowid=False,
)

identities = sa.Table(
    "identities",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("object", sa.Text, primary_key=True),
    sa.Column("field", sa.Text, primary_key=True),
    sa.Column("value_hash", sa.Text, primary_key=True),
    sa.Column("kustomer_id", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)

bulk_jobs = sa.Table(
    "bulk_jobs",
    metadata,
    sa.Column("job_id", sa.Text, primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False, index=True),
    sa.Column("sync", sa.Text, nullable=False),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("operation", sa.Text, nullable=False),
    sa.Column("object", sa.Text, nullable=False),
    sa.Column("bulk_id", sa.Text),
    sa.Column("items", sa.Text, nullable=False),
    sa.Column("created_at", _MOMENT, nullable=False),
)

sync_log = sa.Table(
    "sync_log",
    metadata,
    sa.Column("id", _NUMBER, primary_key=True, autoincrement=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("sync", sa.Text, nullable=False),
    sa.Column("run_id", sa.Text, nullable=False, index=True),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("kustomer_id", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("reason_code", sa.Text),
    sa.Column("at", _MOMENT, nullable=False),
)

sync_runs = sa.Table(
    "sync_runs",
    metadata,
    sa.Column("id", _NUMBER, primary_key=True, autoincrement=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("sync", sa.Text, nullable=False),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("started_at", _MOMENT, nullable=False),
    sa.Column("finished_at", _MOMENT, nullable=False),
    *(sa.Column(name, sa.Integer, nullable=False) for name in RUN_COUNTS),
    sa.Column("seconds", sa.Float),
    sa.Column("interrupted", sa.Text),
)

sync_changes = sa.Table(
    "sync_changes",
    metadata,
    sa.Column("id", _NUMBER, primary_key=True, autoincrement=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("sync", sa.Text, nullable=False),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("run_id", sa.Text, nullable=False, index=True),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("object", sa.Text, nullable=False),
    sa.Column("kustomer_id", sa.Text, nullable=False),
    sa.Column("effect", sa.Text, nullable=False),
    sa.Column("changes", sa.Text, nullable=False),
    sa.Column("at", _MOMENT, nullable=False, index=True),
    sa.Column("undoes", sa.Text),
)

sync_facts = sa.Table(
    "sync_facts",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("sync", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)

org_facts = sa.Table(
    "org_facts",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)

approvals = sa.Table(
    "approvals",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("sync", sa.Text, primary_key=True),
    sa.Column("plan_id", sa.Text, primary_key=True),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("used_at", _MOMENT, nullable=False),
)

plans = sa.Table(
    "plans",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("plan_id", sa.Text, primary_key=True),
    sa.Column("sync", sa.Text, nullable=False),
    sa.Column("signature", sa.Text, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("made_at", _MOMENT, nullable=False),
    sa.Column("counts", sa.Text, nullable=False),
    sa.Column("options", sa.Text, nullable=False),
    sa.Column("approved_by", sa.Text),
    sa.Column("run_id", sa.Text),
    sa.Column("begun_at", _MOMENT),
    sa.Column("finished_at", _MOMENT),
    sqlite_with_rowid=False,
)

plan_seals = sa.Table(
    "plan_seals",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("plan_id", sa.Text, primary_key=True),
    sa.Column("part", sa.Integer, primary_key=True),
    sa.Column("seals", sa.LargeBinary, nullable=False),
)

plan_creates = sa.Table(
    "plan_creates",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("plan_id", sa.Text, primary_key=True),
    sa.Column("part", sa.Integer, primary_key=True),
    sa.Column("marks", sa.LargeBinary, nullable=False),
)

budget_leases = sa.Table(
    "budget_leases",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("holder", sa.Text, primary_key=True),
    sa.Column("share", sa.Float, nullable=False),
    sa.Column("expires_at", _MOMENT, nullable=False),
    sqlite_with_rowid=False,
)

suppressed = sa.Table(
    "suppressed",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("receipt_id", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)

receipts = sa.Table(
    "receipts",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("receipt_id", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("begun_at", _MOMENT, nullable=False),
    sa.Column("finished_at", _MOMENT),
    sa.Column("removed", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)
