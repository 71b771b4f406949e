"""What Kustomer must hold after a run, worked out from the warehouse rows and the sandbox alone.

Shares no code with the engine (no mapping, no identity ladder, no patch), so that a mistake there does not find
itself confirmed here. And ways to die: a fuse that blows at the n-th statement, commit or request of a run.

    warehouse rows ─┬─→ valid_rows ──→ candidates ──→ differences(row, record)     what should be there
    sandbox ────────┘   History: version by version                                what should not have been touched
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sandbox import Sandbox
from kustomer_pipeline.sync import StateStore
from kustomer_pipeline.sync.state import tables

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
    with sandbox.state.lock:
        sandbox.state.now()
        return any(not job.complete for job in sandbox.state.jobs.jobs.values())


def forgotten_writes(sandbox: Sandbox, state_url: str, syncs: Collection[str]) -> list[tuple[str, dict[str, Any]]]:
    """(kind, item) of the updates that Kustomer holds back and none of these syncs waits for any more: their run died
    before it knew the job's id, or gave the job up. When they are done after all, nobody can know.
    """
    jobs = tables.bulk_jobs.c
    with StateStore.open(state_url) as state, state.engine.connect() as connection:
        known = set(connection.execute(sa.select(jobs.bulk_id).where(jobs.sync.in_(syncs))).scalars())
    with sandbox.state.lock:
        held = [job for job in sandbox.state.jobs.jobs.values() if job.held and job.id not in known]
    return [(job.kind, item) for job in held for batch in job.batches for item in batch.items if "id" in item]


def stuck_updates(sandbox: Sandbox, since: float) -> set[str]:
    """Ids of the records whose update waits in a job that was handed in since then and is stuck."""
    with sandbox.state.lock:
        jobs = [job for job in sandbox.state.jobs.jobs.values() if job.stuck and job.submitted >= since]
    return {item["id"] for job in jobs for batch in job.batches for item in batch.items if "id" in item}


def rename_tag(sandbox: Sandbox, tag_id: str, name: str) -> None:
    """Somebody renames a tag in Kustomer's settings; nothing, if another one has that name."""
    book = sandbox.state.store.tags
    with sandbox.state.lock:
        tag = book.by_id[tag_id]
        if book.find(name) is None:
            del book._by_name[tag.name.casefold()]
            book.by_id[tag_id] = replace(tag, name=name)
            book._by_name[name.casefold()] = tag_id


def tag_named(sandbox: Sandbox, name: str) -> str | None:
    """The id of the live tag of that name."""
    return next((id_ for id_, tag in sandbox.tags.items() if tag["name"] == name and not tag["deleted"]), None)


def lose_lock(state_url: str) -> None:
    """The run that holds the org's lock loses it: its file is deleted, its connection to PostgreSQL is cut."""
    url = sa.make_url(state_url)
    if url.database is not None and url.drivername.startswith("sqlite"):
        for path in Path(url.database).parent.glob("*.lock"):
            path.unlink()
        return
    with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
        connection.exec_driver_sql(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() "
            "and pid in (select pid from pg_locks where locktype = 'advisory' and granted)"
        )


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
        lost = tables.sync_rows.c.lost_at.is_not(None)
        connection.execute(sa.update(tables.sync_rows).where(lost).values(lost_at=then))
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
    if not candidates({**row, "phone": None}, records):
        return True  # nobody is recognised by a phone number, and it may be nobody else's
    (id_,) = found
    others = held(records[id_], "id")
    if row.get("id") and others and row["id"] not in others:
        return True
    bad = invalid(rows)
    return any(
        other is not row and position not in bad and id_ in candidates(other, records)
        for position, other in enumerate(rows)
    )


# --- what nobody may have touched ---------------------------------------------------------------------------------


class History:
    """Every version of every customer of a sandbox. Each write by the API key is compared with the one before it.

    This sees what snapshots do not: an edit of an agent that came between the engine's reading and its writing.
    `overwritten`: ids of records that a job of an earlier run wrote to without a revision (companies' bulk updates have
    none, and some orgs take none) after they had changed: nobody can protect them (docs/guarantees.md).
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.wrote: list[tuple[Any, Any]] = []
        self.overwritten: set[str] = set()
        self._run_began = math.inf
        self._sent_at: dict[str, dict[str, int]] = {}
        self._unprotected: str | None = None
        store, board = sandbox.state.store, sandbox.state.jobs
        put, submit, write = store._put, board.submit, board._write

        def remember(before: Any, record: Any, **options: Any) -> None:
            put(before, record, **options)
            by_key = record.modified_by == sandbox.state.key.user_id
            if record.kind == "customer" and before is not None and by_key and record.id != self._unprotected:
                self.wrote.append((before, record))

        def note(kind: str, operation: Any, items: list[Any], **more: Any) -> Any:
            job = submit(kind, operation, items, **more)
            found = {item["id"]: store.find(kind, item["id"]) for item in items if "id" in item}
            self._sent_at[job.id] = {id_: record.rev for id_, record in found.items() if record is not None}
            return job

        def do(job: Any, item: Any, now: float) -> str:
            self._unprotected = self._nobody_looks(job, item)
            try:
                id_ = write(job, item, now)
                if self._unprotected is not None:
                    self.overwritten.add(self._unprotected)
                return id_
            finally:
                self._unprotected = None

        for owner, name, function in ((store, "_put", remember), (board, "submit", note), (board, "_write", do)):
            setattr(owner, name, function)  # mypy rightly refuses to assign to a method

    @contextmanager
    def of_run(self) -> Iterator[None]:
        """A run goes on: what is sent is its own, until it ends."""
        self._run_began = self.sandbox.state.clock()
        try:
            yield
        finally:
            self._run_began = math.inf

    def _nobody_looks(self, job: Any, item: Any) -> str | None:
        protected = "rev" in item and not job.options.ignore_rev
        if job.operation != "update" or job.submitted >= self._run_began or protected:
            return None
        record = self.sandbox.state.store.find(job.kind, item["id"])
        changed = record is not None and record.rev != self._sent_at[job.id].get(item["id"])
        return str(item["id"]) if changed else None

    def only_mapped_changed(self, ever: Sequence[Row], tags: Collection[str], *, clear: bool = False) -> None:
        """Since the last call. ever: every row the warehouse ever had; tags: ids of the tags the audience ever had;
        clear: whether nulls may take values away.
        """
        wrote, self.wrote = self.wrote, []
        accounts = companies_by_external_id(self.sandbox)
        links = {accounts.get(row.get("account") or "") for row in ever} | ({None} if clear else set())
        for before, after in wrote:
            old, new = before.attributes, after.attributes
            assert not after.deleted, after.id
            changed = {name for name in {*old, *new} if old.get(name) != new.get(name)} - SERVER_KEPT
            if "tags" in changed:
                assert changed == {"tags"}, (after.id, changed)
                assert before.company == after.company, after.id
                assert _without(old, tags) == _without(new, tags), (after.id, old.get("tags"), new.get("tags"))
                continue
            assert changed <= {"name", "externalId", "externalIds", "emails", "phones", "custom"}, (after.id, changed)
            assert after.company == before.company or after.company in links, after.id
            for key in {*old.get("custom", {}), *new.get("custom", {})} - {"planStr"}:
                assert old.get("custom", {}).get(key) == new.get("custom", {}).get(key), (after.id, key)
            for column, name in IDENTIFIERS.items():
                of_warehouse = {plain_email(row) if column == "email" else row.get(column) for row in ever}
                lost, gained = held(old, column) - held(new, column), held(new, column) - held(old, column)
                assert gained <= of_warehouse, (after.id, column, gained)
                assert lost <= (of_warehouse if clear else set()), (after.id, column, lost)
                assert lost or all(item in new.get(name, ()) for item in old.get(name, ())), (after.id, name)


def _without(attributes: Row, tags: Collection[str]) -> list[str]:
    return [one for one in attributes.get("tags") or () if one not in tags]


# --- ways to die --------------------------------------------------------------------------------------------------


class Died(BaseException):
    """The process is gone: nobody catches this, and what was not committed is lost."""


def _die() -> None:
    raise Died


class Fuse(httpx.AsyncBaseTransport):
    """Blows at the n-th moment of a run: a statement, a commit, before a request and after its answer.

    Give it to the client as its transport, and run inside `with fuse.lit():`. None never blows, `moments` counts;
    below zero it blows when Kustomer has taken the n-th bulk job, and nobody has been told.
    """

    def __init__(
        self,
        blows_at: int | None = None,
        die: Callable[[], None] = _die,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.blows_at = blows_at
        self.writes = 0
        self.die = die
        self.moments = 0
        self._http = transport or httpx.AsyncHTTPTransport()

    def tick(self, *_: Any) -> None:
        """One more moment."""
        self.moments += 1
        if self.moments == self.blows_at:
            self.die()

    def _statement(self, _: sa.Connection, cursor: Any, *arguments: Any) -> None:
        try:
            self.tick()
        except BaseException:
            cursor.close()  # a process that ends leaves none; in one that goes on the driver would warn of it
            raise

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.tick()
        response = await self._http.handle_async_request(request)
        try:
            body = await response.aread()
        finally:
            await response.aclose()
        self.writes += request.method in ("POST", "PUT") and request.url.path.endswith("/bulk")
        if self.blows_at is not None and self.writes == -self.blows_at:
            self.die()
        self.tick()
        headers = [(name, value) for name, value in response.headers.raw if name.lower() != b"content-encoding"]
        return httpx.Response(response.status_code, headers=headers, content=body, request=request)

    async def aclose(self) -> None:
        await self._http.aclose()

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
