"""A state of the first release is brought to today's layout when it is opened, and nothing is sent again because of it.

first_release.sql is such a state, made by that release: runs of three syncs, and what killed runs leave behind.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sync import RemovalLimit
from kustomer_pipeline.sync.state import Job, JobItem, StateError, StateStore, SyncState
from kustomer_pipeline.sync.state.tables import SCHEMA_VERSION
from kustomer_pipeline_tests.dying import KilledError, killed_at
from kustomer_pipeline_tests.world import CUSTOMER_FIELDS, World, audience, companies, customers, members, people

HERE = Path(__file__).parent
FIRST_RELEASE = (HERE / "first_release.sql").read_text(encoding="utf-8")
THIRD_LAYOUT = (HERE / "third_layout.sql").read_text(encoding="utf-8")
TABLES_IN_POSTGRESQL = (HERE / "first_release_postgresql.sql").read_text(encoding="utf-8")
ORG = "5f0c0ffee5f0c0ffee5f0c0f"
VIP = "5f7a65f7a65f7a65f7a65f7a"
GOLD = "5f601d5f601d5f601d5f601d"
JOBS_AT = ("2026-11-24 10:43:27.122358", "2026-11-24 10:43:27.123951")
RUN_NUMBERS = ("read", "created", "updated", "unchanged", "skipped", "invalid", "rejected", "deferred", "removed")


@pytest.fixture(params=["sqlite", "postgresql"])
def old_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a state of the first release."""
    if request.param == "sqlite":
        return in_sqlite(tmp_path, FIRST_RELEASE)
    url: str = request.getfixturevalue("postgres_url")
    in_postgresql(url)
    return url


@pytest.fixture
def store(old_url: str) -> Iterator[StateStore]:
    with StateStore.open(old_url) as store:
        yield store


def in_sqlite(folder: Path, dump: str) -> str:
    path = folder / "state.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(dump)
    return f"sqlite:///{path}"


def in_postgresql(url: str) -> None:
    """The same rows in the tables that the first release made there."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with contextlib.closing(sqlite3.connect(":memory:")) as source, engine.begin() as connection:
        source.executescript(FIRST_RELEASE)
        source.row_factory = sqlite3.Row
        connection.exec_driver_sql(TABLES_IN_POSTGRESQL)
        metadata = sa.MetaData()
        metadata.reflect(connection)
        for table in metadata.tables.values():
            rows = [
                {column.name: as_column(row[column.name], column.type) for column in table.columns}
                for row in source.execute(f"select * from {table.name}")
            ]
            connection.execute(sa.insert(table), rows)


def as_column(value: Any, kind: sa.types.TypeEngine[Any]) -> Any:
    if isinstance(kind, sa.DateTime):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return bool(value) if isinstance(kind, sa.Boolean) else value


def contents(url: str) -> dict[str, tuple[list[str], list[tuple[Any, ...]]]]:
    """Every table as it is: columns and rows."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    metadata = sa.MetaData()
    with engine.connect() as connection:
        metadata.reflect(connection)
        return {
            name: (table.columns.keys(), sorted(map(tuple, connection.execute(sa.select(table))), key=repr))
            for name, table in metadata.tables.items()
        }


def remembered(state: SyncState) -> dict[str, list[Any]]:
    """Key → (status, fingerprint, Kustomer id, owned, lost at)."""
    found = state.rows.snapshot()
    columns = (found.keys, found.statuses, found.fingerprints, found.kustomer_ids, found.owned, found.lost_at)
    return {key: rest for key, *rest in zip(*(column.to_pylist() for column in columns), strict=True)}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# --- what is remembered ---------------------------------------------------------------------------------------


def test_rows_keep_their_status_their_fingerprint_and_their_record(store: StateStore) -> None:
    rows = remembered(store.of(ORG, "customers"))
    assert rows["C-0"] == ["accepted", 4166374602576531152, "713fb3076556f6c473050c0a", False, None]
    assert rows["C-6"] == ["invalid", -2741640658625071492, None, False, None]
    assert len(rows) == 7
    left = remembered(store.of(ORG, "people"))
    assert left["P-2"] == ["skipped", 2, None, False, None]
    assert left["P-3"] == ["rejected", None, "5f0000000000000000000003", False, None]
    assert store.of(ORG, "people").rows.sent_lists(["P-1", "P-2"]) == {"P-1": {"phones": ["0123"]}}


def test_what_is_remembered_of_an_audience_belongs_to_its_tag(store: StateStore) -> None:
    assert remembered(store.of(ORG, "vip")) == {}
    rows = remembered(store.of(ORG, "vip", VIP))
    assert rows["p0@example.com"] == ["accepted", -4596535427142792004, "713fb3076556f6c473050c0a", True, None]
    assert rows["stranger@example.com"] == ["skipped", 2299409661368026596, None, False, None]
    assert store.org(ORG).scopes("vip") == [(VIP, 3)]
    assert store.org(ORG).scopes("gold") == [(GOLD, 3)]
    assert store.of(ORG, "vip").facts.get("tag_id") is None


def test_a_write_that_was_under_way_is_indeterminate_since_it_was_sent(store: StateStore) -> None:
    create = remembered(store.of(ORG, "people"))["P-5"]
    assert create == ["indeterminate", None, None, False, moment("2026-11-24 10:43:27.120842")]
    tagging = remembered(store.of(ORG, "gold", GOLD))["g3@example.com"]
    assert tagging == ["indeterminate", None, "5f0000000000000000000013", True, moment("2026-11-24 10:43:27.126341")]


def test_hints_stay_but_those_of_phone_numbers(store: StateStore) -> None:
    """Numbers are compared by their digits now, and were not."""
    found = store.of(ORG, "customers").identities
    assert found.find("customers", "externalId", ["C-0"]) == {"C-0": "713fb3076556f6c473050c0a"}
    assert found.find("customers", "email", ["p5@example.com"]) == {"p5@example.com": "713fb3076556f6c473050c0f"}
    assert found.find("companies", "externalId", ["A-10"]) == {"A-10": "5f00000000000000000000a1"}
    assert found.find("customers", "phone", ["+442071838750", "442071838750"]) == {}
    with store.engine.connect() as connection:
        assert connection.execute(sa.text("select count(*) from identities where field = 'phone'")).scalar() == 0


# --- jobs in flight -------------------------------------------------------------------------------------------


def test_jobs_in_flight_are_still_known(store: StateStore) -> None:
    job, lost = store.of(ORG, "people").journal.jobs()
    assert (job.bulk_id, job.operation, job.object_name, job.scope) == ("bulk-of-people", "update", "customers", "")
    assert job.items == (
        JobItem(
            "22222222222222222222222222222222-0",
            "P-1",
            kustomer_id="5f0000000000000000000001",
            fingerprint=6,
            sent_lists={"phones": ["0123", "4567"]},
            changes=(("name", "Before", "After"), ("phones", ["+1"], ["+1", "+2"])),
        ),
    )
    assert lost.bulk_id is None
    assert (job.created_at, lost.created_at) == (moment(JOBS_AT[0]), moment(JOBS_AT[1]))


def test_a_row_whose_earlier_write_may_still_be_done_is_not_settled_by_its_job(store: StateStore) -> None:
    job = store.of(ORG, "people").journal.jobs()[1]
    assert job.items[0].lost_at == job.created_at
    assert job.items[0].fingerprint is None


def test_jobs_of_an_audience_keep_their_effects_and_get_its_tag(store: StateStore) -> None:
    (job,) = store.of(ORG, "gold").journal.jobs()
    assert job.scope == GOLD
    assert [(item.key, item.effect, item.owned) for item in job.items] == [
        ("g2@example.com", "untag", True),
        ("g3@example.com", "accept", True),
    ]


def test_jobs_of_an_undo_keep_their_effect(store: StateStore) -> None:
    (job,) = store.of(ORG, "undo_run").journal.jobs()
    assert [(item.effect, item.changes) for item in job.items] == [("undo", (("name", "After", "Before"),))]


def test_a_job_says_what_it_writes_as_far_as_that_was_ever_learned(store: StateStore) -> None:
    """The first release did not write it down: its sync's records tell."""
    jobs: list[Job] = store.of(ORG, "load of companies").journal.jobs()
    assert [(job.operation, job.object_name) for job in jobs] == [("create", "companies")]


# --- what runs did --------------------------------------------------------------------------------------------


def test_what_runs_overwrote_can_still_be_undone(store: StateStore) -> None:
    org = store.org(ORG)
    (line,) = org.changes_of("run-4")
    assert (line.sync, line.scope, line.effect, line.object_name) == ("customers", "", "accept", "customers")
    assert line.changes == (("name", "Person 0", "Person Nought"), ("custom.planStr", "free", "pro"))
    assert {(line.scope, line.effect) for line in org.changes_of("run-6")} == {(VIP, "tag")}
    assert [line.key for line in org.changes_of("run-6")] == [f"p{n}@example.com" for n in range(4)]
    assert [(line.key, line.scope, line.effect) for line in org.changes_of("run-7")] == [
        ("p3@example.com", VIP, "untag")
    ]
    assert org.created_by("run-1")[0] == ("companies", "A-0", "713fb3026556f6c473050c03")
    assert org.knows_run("run-5")


def test_the_lines_of_log_and_runs_stay_and_missing_numbers_are_zero(old_url: str) -> None:
    before = contents(old_url)
    with StateStore.open(old_url):
        after = contents(old_url)
    for name, kept in (
        ("sync_log", ("sync", "run_id", "key", "outcome", "kustomer_id", "reason", "at")),
        ("sync_runs", ("sync", "run_id", "started_at", "finished_at", *RUN_NUMBERS, "removals_held", "requests")),
    ):
        assert picked(after[name], kept) == picked(before[name], kept)
    new = ("removals_refused", "removals_waiting", "changes_held")
    assert set(picked(after["sync_runs"], new)) == {(0, 0, 0)}
    assert not [name for name in after if name.startswith("first_")]


def picked(table: tuple[list[str], list[tuple[Any, ...]]], names: tuple[str, ...]) -> list[tuple[Any, ...]]:
    columns, rows = table
    return sorted((tuple(row[columns.index(name)] for name in names) for row in rows), key=repr)


# --- all or nothing -------------------------------------------------------------------------------------------


def test_a_migration_that_is_interrupted_anywhere_leaves_the_first_layout_whole(old_url: str) -> None:
    """Once it has happened, an interruption (while the locks are given back) leaves today's layout whole."""
    before = found = contents(old_url)
    number = 0
    while found == before:
        number += 1 if old_url.startswith("sqlite") else 6  # each takes a while on a server
        with killed_at(number), contextlib.suppress(KilledError):
            StateStore.open(old_url).close()
        found = contents(old_url)
        assert found == before or found["schema_version"][1] == [(SCHEMA_VERSION,)], (
            f"interrupted at statement {number}"
        )
    assert number > 20
    with StateStore.open(old_url) as store:
        assert store.org(ORG).scopes("vip") == [(VIP, 3)]
        assert len(remembered(store.of(ORG, "people"))) == 5
    assert contents(old_url) == found


def test_it_is_migrated_once(old_url: str) -> None:
    with StateStore.open(old_url) as store, store.of(ORG, "customers").transaction() as tx:
        tx.rows.forget(["C-0"])
    after = contents(old_url)
    with StateStore.open(old_url):
        assert contents(old_url) == after
    assert after["schema_version"] == (["version"], [(SCHEMA_VERSION,)])


def test_a_state_of_a_newer_version_is_left_alone_and_says_so(old_url: str) -> None:
    with StateStore.open(old_url) as store, store.engine.begin() as connection:
        connection.execute(sa.text(f"update schema_version set version = {SCHEMA_VERSION + 1}"))
    before = contents(old_url)
    with pytest.raises(StateError, match=f"knows {SCHEMA_VERSION} at most"):
        StateStore.open(old_url)
    assert contents(old_url) == before


# --- the second layout, which knew no lines in the warehouse --------------------------------------------------


def to_second_layout(store: StateStore) -> None:
    with store.engine.begin() as connection:
        for index in ("sync_rows_not_filed", "sync_rows_filed", "sync_rows_theirs"):
            connection.execute(sa.text(f"drop index {index}"))
        for column in ("filed", "theirs"):
            connection.execute(sa.text(f"alter table sync_rows drop column {column}"))
        connection.execute(sa.text("alter table sync_changes drop column undoes"))
        connection.execute(sa.text("drop table stale_lines"))
        connection.execute(sa.text("update schema_version set version = 2"))


def layout_of(url: str) -> dict[str, Any]:
    inspector = sa.inspect(sa.create_engine(url, poolclass=sa.NullPool))
    return {
        name: (
            {(column["name"], str(column["type"]), column["nullable"]) for column in inspector.get_columns(name)},
            {index["name"] for index in inspector.get_indexes(name)},
        )
        for name in inspector.get_table_names()
    }


def test_the_second_layout_becomes_todays_and_keeps_its_rows(old_url: str) -> None:
    with StateStore.open(old_url) as store:
        todays, before = layout_of(old_url), remembered(store.of(ORG, "people"))
        to_second_layout(store)
    assert layout_of(old_url) != todays
    with StateStore.open(old_url) as store:
        assert layout_of(old_url) == todays
        assert remembered(store.of(ORG, "people")) == before
        assert store.of(ORG, "people").lines.trusted() is None


def test_the_second_layout_stays_whole_where_its_migration_is_interrupted(old_url: str) -> None:
    with StateStore.open(old_url) as store:
        todays = layout_of(old_url)
        to_second_layout(store)
    before = found = layout_of(old_url)
    number = 0
    while found == before:
        number += 1
        with killed_at(number), contextlib.suppress(KilledError):
            StateStore.open(old_url).close()
        found = layout_of(old_url)
        assert found in (before, todays), f"interrupted at statement {number}"


# --- the third layout, which forgot nobody --------------------------------------------------------------------


def test_the_third_layout_becomes_todays_in_place_and_keeps_every_line(tmp_path: Path) -> None:
    url = in_sqlite(tmp_path, THIRD_LAYOUT)
    before = contents(url)
    with StateStore.open(f"sqlite:///{tmp_path / 'new.db'}"):
        todays = layout_of(f"sqlite:///{tmp_path / 'new.db'}")
    with StateStore.open(url) as store:
        assert layout_of(url) == todays
        assert store.suppressed(ORG).read() is None
        assert store.receipts(ORG).all() == []
    after = contents(url)
    assert after.pop("schema_version") == (["version"], [(SCHEMA_VERSION,)])
    for name, (columns, _) in before.items():
        if name != "schema_version":
            assert picked(after[name], tuple(columns)) == picked(before[name], tuple(columns)), name
    assert {"suppressed", "receipts", "budget_leases"} <= after.keys() - before.keys()


def test_the_third_layout_stays_whole_where_its_migration_is_interrupted(tmp_path: Path) -> None:
    url = in_sqlite(tmp_path, THIRD_LAYOUT)
    before = found = contents(url)
    number = 0
    while found == before:
        number += 1
        with killed_at(number), contextlib.suppress(KilledError):
            StateStore.open(url).close()
        found = contents(url)
        assert found == before or found["schema_version"][1] == [(SCHEMA_VERSION,)], f"interrupted at {number}"
    assert number > 5


# --- the fourth layout, which did not say what an undo took back ------------------------------------------------


def test_the_fourth_layout_becomes_todays_and_keeps_what_can_be_undone(old_url: str) -> None:
    with StateStore.open(old_url) as store:
        todays, lines = layout_of(old_url), store.org(ORG).changes_of("run-6")
        with store.engine.begin() as connection:
            connection.execute(sa.text("alter table sync_changes drop column undoes"))
            connection.execute(sa.text("update schema_version set version = 4"))
    assert layout_of(old_url) != todays
    with StateStore.open(old_url) as store:
        assert layout_of(old_url) == todays
        assert store.org(ORG).changes_of("run-6") == lines != []


# --- nothing is sent again ------------------------------------------------------------------------------------


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The org that the first release left, and its state."""
    with World(f"sqlite:///{tmp_path / 'state.db'}", job_seconds=2.0) as world:
        yield world


def test_nothing_is_sent_again_because_of_the_upgrade(world: World, tmp_path: Path) -> None:
    in_sqlite(tmp_path, FIRST_RELEASE.replace(ORG, world.sandbox.org_id))
    firms = [{"id": f"A-{n}", "name": f"Company {n}"} for n in range(2)]
    assert world.run(companies(), [*firms, {"id": "A-2", "name": "Company 2 Ltd"}]).counts.unchanged == 3
    assert len(world.sandbox.requests) == 1
    rows = [{**row, "phone": f"+44207183875{number}"} for number, row in enumerate(people(6))]
    rows[0].update(plan="pro", name="Person Nought")
    spec = customers(fields=(*CUSTOMER_FIELDS, FieldMapping("phone", ("phone",))))
    assert world.run(spec, rows).counts.unchanged == 6
    assert len(world.sandbox.requests) == 1


def test_an_audience_goes_on_with_the_members_that_the_first_release_tagged(world: World, tmp_path: Path) -> None:
    dump = FIRST_RELEASE.replace(ORG, world.sandbox.org_id)
    for number in range(4):
        id_ = world.sandbox.seed_customer(externalId=f"C-{number}", emails=[{"email": f"p{number}@example.com"}])
        dump = dump.replace(f"713fb3076556f6c473050c0{'abcd'[number]}", id_)
    with world.client() as client:
        tag = client.run(client.create_tag("vip"))
    for number in range(3):
        world.sandbox.agent_edit(world.id_of(f"p{number}@example.com"), tags=[tag.id])
    in_sqlite(tmp_path, dump.replace(VIP, tag.id))
    spec = audience(max_removals=RemovalLimit(share=1.0))
    unchanged = world.run(spec, members(3))
    assert (unchanged.counts.unchanged, unchanged.removed) == (3, 0)
    assert not [one for one in world.sandbox.requests if one.method in ("PUT", "POST") and "bulk" in one.path]
    report = world.run(spec, members(2))
    assert (report.counts.unchanged, report.removed) == (2, 1)
    assert world.sandbox.tag_names(world.id_of("p2@example.com")) == []


def test_nothing_is_sent_again_because_of_the_fourth_layout(world: World, tmp_path: Path) -> None:
    in_sqlite(tmp_path, THIRD_LAYOUT.replace(ORG, world.sandbox.org_id))
    rows = people(3, plan="pro")
    rows[2]["email"] = "no address"
    counts = world.run(customers(), rows).counts
    assert (counts.unchanged, counts.invalid) == (2, 1)
    assert len(world.sandbox.requests) == 1
