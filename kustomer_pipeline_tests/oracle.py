"""What Kustomer must hold after a run, worked out from the warehouse rows and the sandbox alone.

Shares no code with the engine (no mapping, no identity ladder, no patch), so that a mistake there does not find
itself confirmed here. And ways to die: a fuse that blows at the n-th statement, commit or request of a run.

    warehouse rows ─┬─→ valid_rows ──→ candidates ──→ differences(row, record)     what should be there
    sandbox ────────┘   changes_beyond(before, after, allowed)                     what should not have been touched
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import sqlalchemy as sa

from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sandbox import Sandbox
from kustomer_pipeline.sync import StateStore, tables

Row = Mapping[str, Any]
Records = dict[str, dict[str, Any]]

FIELDS = (
    FieldMapping("externalId", ("id",)),
    FieldMapping("email", ("email",)),
    FieldMapping("phone", ("phone",)),
    FieldMapping("name", ("name",)),
    FieldMapping("custom.planStr", ("plan",)),
    FieldMapping("company", ("account",), match="externalId"),
)
SERVER_KEPT = {"rev", "updatedAt", "modifiedAt", "displayName", "verified", "progressiveStatus"}
IDENTIFIERS = {"id": "externalIds", "email": "emails", "phone": "phones"}


# --- what is in Kustomer ------------------------------------------------------------------------------------------


def under_way(sandbox: Sandbox) -> bool:
    """Whether Kustomer still has jobs to do: what they write may appear at any moment."""
    return any(not job.complete for job in sandbox.state.jobs.jobs.values())


def customers_of(sandbox: Sandbox) -> Records:
    """A copy of every live customer, by id."""
    return {id_: dict(one) for id_, one in sandbox.customers.items()}


def held(record: Row, column: str) -> set[str]:
    """The identifiers of one kind that a customer holds: column id, email or phone of the warehouse."""
    name = IDENTIFIERS[column]
    values = {str(item[name.removesuffix("s")]) for item in record.get(name) or []}
    if column == "id" and record.get("externalId"):
        values.add(record["externalId"])
    return {value.lower() for value in values} if column == "email" else values


def nobody_twice(sandbox: Sandbox) -> None:
    """No two live customers share an identifier, no two companies an externalId or a name."""
    customers = list(sandbox.customers.values())
    for column in IDENTIFIERS:
        seen = Counter(value for one in customers for value in held(one, column))
        assert not [value for value, times in seen.items() if times > 1], column
    companies = [one for one in sandbox.companies.values() if not one.get("deleted")]
    for name in ("externalId", "name"):
        seen = Counter(one[name] for one in companies if one.get(name))
        assert not [value for value, times in seen.items() if times > 1], f"companies: {name}"


def hours_pass(state_url: str) -> None:
    """What the state remembers was written two hours earlier than it was (the state goes by real time)."""
    then = datetime.now(UTC) - timedelta(hours=2)
    with StateStore.open(state_url) as state, state.engine.begin() as connection:
        connection.execute(sa.update(tables.sync_rows).values(updated_at=then))
        connection.execute(sa.update(tables.bulk_jobs).values(created_at=then))


# --- what the warehouse says --------------------------------------------------------------------------------------


def plain_email(row: Row) -> str | None:
    """The e-mail address of a row as Kustomer should hold it; None: it has none, or none that is an address."""
    text = str(row.get("email") or "").strip().lower()
    return text if text.count("@") == 1 and " " not in text and "." in text.split("@")[1] else None


def invalid(rows: Sequence[Row]) -> set[int]:
    """Positions of the rows that no sync of customers may send: no address, or an identifier that occurs twice."""
    bad = {position for position, row in enumerate(rows) if plain_email(row) is None}
    for column in IDENTIFIERS:
        value_of = plain_email if column == "email" else lambda row, column=column: row.get(column)
        seen = Counter(value_of(row) for row in rows)
        bad |= {position for position, row in enumerate(rows) if value_of(row) and seen[value_of(row)] > 1}
    return bad


def candidates(row: Row, records: Records) -> set[str]:
    """Ids of the live customers that hold any of the row's identifiers."""
    wanted = {"id": row.get("id"), "email": plain_email(row), "phone": row.get("phone")}
    return {
        id_ for id_, one in records.items() for column, value in wanted.items() if value and value in held(one, column)
    }


def companies_by_external_id(sandbox: Sandbox) -> dict[str, str]:
    """externalId → id of the live companies."""
    return {one["externalId"]: id_ for id_, one in sandbox.companies.items() if not one.get("deleted")}


def differences(row: Row, record: Row, companies: Mapping[str, str], *, clear: bool = False) -> list[str]:
    """Columns in which a customer is not as its row says. Nulls say nothing, unless `clear` (scalars only)."""
    custom = record.get("custom") or {}
    scalars = {"name": record.get("name"), "plan": custom.get("planStr")}
    wrong = [name for name, value in scalars.items() if row.get(name) and row[name] != value]
    if row.get("account") and companies.get(row["account"]) != record["company"]:
        wrong.append("account")
    if clear:
        scalars["account"] = record["company"]
        wrong += [name for name, value in scalars.items() if row.get(name) is None and value is not None]
    wanted = {"id": row.get("id"), "email": plain_email(row), "phone": row.get("phone")}
    return wrong + [column for column, value in wanted.items() if value and value not in held(record, column)]


def cannot_land(row: Row, records: Records, rows: Sequence[Row], companies: Mapping[str, str]) -> bool:
    """Whether no sync may write this row: nobody can say who it is, or its company is not there."""
    if row.get("account") and row["account"] not in companies:
        return True
    found = candidates(row, records)
    if len(found) > 1:
        return True
    if not found:
        return False
    (id_,) = found
    others = held(records[id_], "id")
    if row.get("id") and others and row["id"] not in others:
        return True
    bad = invalid(rows)
    return any(
        other is not row and position not in bad and id_ in candidates(other, records)
        for position, other in enumerate(rows)
    )


# --- what a run may not touch -------------------------------------------------------------------------------------


def _items(record: Row, name: str) -> list[str]:
    return sorted(repr(sorted(item.items())) for item in record.get(name) or [])


def _rest(record: Row, mapped: Iterable[str]) -> dict[str, Any]:
    rest = {name: value for name, value in record.items() if name not in SERVER_KEPT and name not in set(mapped)}
    rest["custom"] = {key: value for key, value in (record.get("custom") or {}).items() if key != "planStr"}
    return rest


def only_mapped_changed(before: Records, after: Records, ever: Sequence[Row], *, tags: Iterable[str] = ()) -> None:
    """A sync of customers: everything not mapped is as it was, and what is mapped was in the warehouse once.

    ever: every row that the warehouse ever had. tags: that others may have added or taken away meanwhile.
    """
    assert before.keys() <= after.keys(), "a run never deletes"
    mapped = {"externalId", "externalIds", "emails", "phones", "name", "company", "tags"}
    names, plans = ({row.get(column) for row in ever} | {None} for column in ("name", "plan"))
    for id_, old in before.items():
        new = after[id_]
        assert _rest(old, mapped) == _rest(new, mapped), id_
        assert set(old["tags"]) - set(tags) == set(new["tags"]) - set(tags), id_
        assert new.get("name") in names | {old.get("name")}, id_
        assert (new.get("custom") or {}).get("planStr") in plans | {(old.get("custom") or {}).get("planStr")}, id_
        assert old["company"] == new["company"] or any(row.get("account") for row in ever), id_
        for column, name in IDENTIFIERS.items():
            of_warehouse = {plain_email(row) if column == "email" else row.get(column) for row in ever}
            lost, gained = held(old, column) - held(new, column), held(new, column) - held(old, column)
            assert gained <= of_warehouse, (id_, column, gained)
            assert lost <= of_warehouse, (id_, column, lost)
            if not lost:
                assert set(_items(old, name)) <= set(_items(new, name)), (id_, name)


def only_the_tag_changed(before: Records, after: Records, tag: str | None, *, tags: Iterable[str] = ()) -> None:
    """An audience: everything is as it was but the one tag. tags: that agents may have added meanwhile."""
    assert before.keys() == after.keys()
    for id_, old in before.items():
        assert _rest(old, {"tags"}) == _rest(after[id_], {"tags"}), id_
        kept = [one for one in after[id_]["tags"] if one != tag]
        others = [one for one in old["tags"] if one != tag]
        assert others == [one for one in kept if one in others], id_
        assert set(kept) <= set(others) | set(tags), id_


# --- ways to die --------------------------------------------------------------------------------------------------


class Died(BaseException):
    """The process is gone: nobody catches this, and what was not committed is lost."""


def _die() -> None:
    raise Died


class Fuse(httpx.BaseTransport):
    """Blows at the n-th moment of a run: a statement, a commit, before a request and after its answer.

    `with Fuse(5).lit() as transport:` and give the transport to the client; None never blows, `moments` counts.
    """

    def __init__(self, blows_at: int | None = None, die: Callable[[], None] = _die) -> None:
        self.blows_at = blows_at
        self.die = die
        self.moments = 0
        self._http = httpx.HTTPTransport()

    def tick(self, *_: Any) -> None:
        """One more moment."""
        self.moments += 1
        if self.moments == self.blows_at:
            self.die()

    def _statement(self, *arguments: Any) -> None:
        self.tick()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.tick()
        response = self._http.handle_request(request)
        try:
            body = response.read()
        finally:
            response.close()
        self.tick()
        headers = [(name, value) for name, value in response.headers.raw if name.lower() != b"content-encoding"]
        return httpx.Response(response.status_code, headers=headers, content=body, request=request)

    def close(self) -> None:
        self._http.close()

    @contextmanager
    def lit(self) -> Iterator[Fuse]:
        """Every SQLAlchemy engine of this process is watched."""
        watched = [("before_cursor_execute", self._statement), ("commit", self.tick)]
        for name, listener in watched:
            sa.event.listen(sa.Engine, name, listener)
        try:
            yield self
        finally:
            for name, listener in watched:
                sa.event.remove(sa.Engine, name, listener)
