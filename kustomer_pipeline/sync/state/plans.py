"""Plans as they were shown, so that one of them can be approved and applied: exactly that, once, while it is young.

    kept → approved: a run has begun to apply it → finished
         → too old: purged

Of what a plan holds only hashes are kept, one a decision: no value and no key.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from .database import Database
from .moments import with_zone
from .tables import plan_creates, plan_seals, plans

SEAL_BYTES = 16
_MAKINGS = 50  # of so many runs that made the same plan it is known that they did
_SEALS_A_PART = 65_536  # a megabyte


@dataclass(frozen=True)
class KeptPlan:
    """A plan without what is in it. made_by: the run that made it last. counts: records by action. options: what it was
    told (full_resync, limit, …). finished_at: when a run had applied all of it."""

    plan_id: str
    sync: str
    signature: str
    made_by: str
    made_at: datetime
    counts: Mapping[str, int]
    options: Mapping[str, Any] = field(default_factory=dict)
    approved_by: str | None = None
    run_id: str | None = None
    begun_at: datetime | None = None
    finished_at: datetime | None = None


class Plans:
    """The plans of an org. Every method raises StateError."""

    def __init__(self, database: Database, org_id: str) -> None:
        self._database = database
        self._org_id = org_id

    def keep(self, plan: KeptPlan, seals: Collection[bytes], creates: Collection[bytes] = ()) -> None:
        """Keep a plan as it was shown; one of the same id is the same plan, and stands as it is but for its age, and
        that it is of this making too.

        creates: marks of the records that it would create (expected.py).
        """
        place = {"org_id": self._org_id, "plan_id": plan.plan_id}
        with self._database.writing() as connection:
            known = connection.execute(sa.select(plans.c.made_by).where(self._of(plans, plan.plan_id))).scalar()
            if known is not None:
                makings = " ".join(list(dict.fromkeys([plan.made_by, *known.split(" ")]))[:_MAKINGS])
                again = sa.update(plans).where(self._of(plans, plan.plan_id))
                connection.execute(again.values(made_at=plan.made_at, made_by=makings))
                return
            values = {
                **place,
                "sync": plan.sync,
                "signature": plan.signature,
                "made_by": plan.made_by,
                "made_at": plan.made_at,
                "counts": json.dumps(dict(plan.counts)),
                "options": json.dumps(dict(plan.options)),
            }
            connection.execute(sa.insert(plans).values(values))
            for column, hashes in ((plan_seals.c.seals, seals), (plan_creates.c.marks, creates)):
                connection.execute(sa.delete(column.table).where(self._of(column.table, plan.plan_id)))
                for part, whole in enumerate(_parts(hashes)):
                    connection.execute(sa.insert(column.table).values({**place, "part": part, column.name: whole}))

    def get(self, plan_id: str) -> KeptPlan | None:
        """A plan; None where nobody knows it (any more)."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(plans).where(self._of(plans, plan_id))).mappings().first()
        return _kept(row) if row is not None else None

    def made_in(self, made_by: str) -> list[KeptPlan]:
        """The plans of one making, such as a run of `plan_all`; at most one a sync, or a part of it."""
        query = sa.select(plans).where(plans.c.org_id == self._org_id, _is_of(made_by)).order_by(plans.c.sync)
        with self._database.reading() as connection:
            return [_kept(row) for row in connection.execute(query).mappings()]

    def newest(self, sync: str) -> KeptPlan | None:
        """The newest plan of a sync; None where there is none."""
        mine = sa.and_(plans.c.org_id == self._org_id, plans.c.sync == sync)
        with self._database.reading() as connection:
            query = sa.select(plans).where(mine).order_by(plans.c.made_at.desc()).limit(1)
            row = connection.execute(query).mappings().first()
        return _kept(row) if row is not None else None

    def applied(self, sync: str) -> int:
        """How many plans of a sync have been applied: the same content is another plan afterwards."""
        mine = sa.and_(plans.c.org_id == self._org_id, plans.c.sync == sync, plans.c.finished_at.is_not(None))
        with self._database.reading() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(plans).where(mine)).scalar_one())

    def seals(self, plan_id: str) -> frozenset[bytes]:
        """What is in a plan: a hash for each decision."""
        return self._hashes(sa.select(plan_seals.c.seals).where(self._of(plan_seals, plan_id)))

    def created_in(self, made_by: str) -> frozenset[bytes]:
        """The marks of what the plans of one making would create."""
        same = sa.and_(plans.c.org_id == plan_creates.c.org_id, plans.c.plan_id == plan_creates.c.plan_id)
        query = sa.select(plan_creates.c.marks).join(plans, same)
        return self._hashes(query.where(plans.c.org_id == self._org_id, _is_of(made_by)))

    def _hashes(self, query: sa.Select[Any]) -> frozenset[bytes]:
        with self._database.reading() as connection:
            parts = [bytes(part) for part in connection.execute(query).scalars()]
        return frozenset(
            part[start : start + SEAL_BYTES] for part in parts for start in range(0, len(part), SEAL_BYTES)
        )

    def begin(self, plan_id: str, run_id: str, approved_by: str) -> None:
        """A run applies it; who said so."""
        values = {"run_id": run_id, "approved_by": approved_by, "begun_at": self._database.now()}
        self._set(plan_id, values)

    def finish(self, plan_id: str) -> None:
        """A run has applied all of it: it passes no more."""
        self._set(plan_id, {"finished_at": self._database.now()})

    def forget_before(self, moment: datetime) -> None:
        """Plans made before a moment go."""
        old = sa.select(plans.c.plan_id).where(plans.c.org_id == self._org_id, plans.c.made_at < moment)
        with self._database.writing() as connection:
            for plan_id in connection.execute(old).scalars().all():
                for table in (plan_seals, plan_creates, plans):
                    connection.execute(sa.delete(table).where(self._of(table, plan_id)))

    def _set(self, plan_id: str, values: Mapping[str, object]) -> None:
        with self._database.writing() as connection:
            connection.execute(sa.update(plans).where(self._of(plans, plan_id)).values(**values))

    def _of(self, table: sa.Table, plan_id: str) -> sa.ColumnElement[bool]:
        return sa.and_(table.c.org_id == self._org_id, table.c.plan_id == plan_id)


def _is_of(made_by: str) -> sa.ColumnElement[bool]:
    """The column holds every making of the plan, the newest first, with blanks in between."""
    makings = sa.literal(" ").concat(plans.c.made_by).concat(" ")
    return makings.contains(f" {made_by} ", autoescape=True)


def _parts(hashes: Collection[bytes]) -> list[bytes]:
    whole, size = b"".join(sorted(hashes)), _SEALS_A_PART * SEAL_BYTES
    return [whole[start : start + size] for start in range(0, len(whole), size)]


def _kept(row: sa.RowMapping) -> KeptPlan:
    return KeptPlan(
        plan_id=row["plan_id"],
        sync=row["sync"],
        signature=row["signature"],
        made_by=row["made_by"].partition(" ")[0],
        made_at=with_zone(row["made_at"]),
        counts=json.loads(row["counts"]),
        options=json.loads(row["options"]),
        approved_by=row["approved_by"],
        run_id=row["run_id"],
        begun_at=with_zone(row["begun_at"]),
        finished_at=with_zone(row["finished_at"]),
    )
