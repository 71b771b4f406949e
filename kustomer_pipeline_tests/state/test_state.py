"""What is remembered of a sync, on SQLite and on a real PostgreSQL: what is put is what is found."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kustomer_pipeline.sync.state import (
    Job,
    JobItem,
    LogLine,
    OwnershipChange,
    RememberedRow,
    RunLine,
    StateError,
    StateStore,
    SyncState,
    value_hash,
)
from kustomer_pipeline.sync.state.tables import sync_log, sync_rows, sync_runs
from kustomer_pipeline_tests.simulated import SimulatedClock

LOST = datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC)


def put(state: SyncState, *rows: RememberedRow, run_id: str = "run") -> None:
    with state.transaction() as tx:
        tx.rows.put(rows, run_id)


def rows_of(state: SyncState) -> list[tuple[Any, ...]]:
    columns = vars(state.rows.snapshot()).values()
    return sorted(zip(*(column.to_pylist() for column in columns), strict=True))


def keys_of(state: SyncState) -> list[str]:
    return [row[0] for row in rows_of(state)]


def moment(clock: SimulatedClock) -> datetime:
    return datetime.fromtimestamp(clock.time(), UTC)


# --- rows


def test_rows_are_found_as_they_were_put_also_by_the_next_process(state_url: str) -> None:
    lists = {"phones": ["h1", "h2"]}
    with StateStore.open(state_url) as store:
        mine = store.of("org", "customers")
        put(mine, RememberedRow("a", "accepted", -5, "id-a", sent_lists=lists), RememberedRow("b", "skipped", 1))
        put(mine, RememberedRow("b", "accepted", 2**62, "id-b", owned=True), RememberedRow("c", "invalid"))
        put(mine, RememberedRow("d", "indeterminate", None, None, lost_at=LOST))
    with StateStore.open(state_url) as store:
        mine = store.of("org", "customers")
        assert rows_of(mine) == [
            ("a", -5, "accepted", "id-a", False, None),
            ("b", 2**62, "accepted", "id-b", True, None),
            ("c", None, "invalid", None, False, None),
            ("d", None, "indeterminate", None, False, LOST),
        ]
        assert mine.rows.sent_lists(["a", "b", "nobody"]) == {"a": lists}


def test_rows_belong_to_one_org_one_sync_and_one_scope(store: StateStore) -> None:
    places = [("org", "vip", "tag-1"), ("org", "vip", "tag-2"), ("org", "other", "tag-1"), ("other", "vip", "tag-1")]
    for place in places:
        put(
            store.of(*place),
            RememberedRow("a", "accepted", 1, "id", owned=True),
            RememberedRow("b", "accepted", 2, "id"),
        )
    with store.of(*places[0]).transaction() as tx:
        tx.rows.forget(["a", "nobody"])
        tx.rows.count_as_changed(["b", "nobody"])
    assert rows_of(store.of(*places[0])) == [("b", None, "accepted", "id", False, None)]
    for place in places[1:]:
        assert rows_of(store.of(*place)) == [
            ("a", 1, "accepted", "id", True, None),
            ("b", 2, "accepted", "id", False, None),
        ]


def test_records_become_ours_and_nobodys_by_their_id(store: StateStore) -> None:
    state = store.of("org", "vip", "tag")
    put(state, *(RememberedRow(key, "accepted", 1, f"id-{key}", owned=key == "a") for key in "abc"))
    with state.transaction() as tx:
        tx.rows.own(["id-b", "id-nobody"], True, "run 2")
        tx.rows.own(["id-a"], False, "run 2")
    assert [(row[0], row[4]) for row in rows_of(state)] == [("a", False), ("b", True), ("c", False)]


def test_rows_are_found_by_status_and_by_how_long_they_have_had_it(store: StateStore, clock: SimulatedClock) -> None:
    state = store.of("org", "customers")
    put(state, RememberedRow("old", "skipped"), RememberedRow("with id", "skipped", 1, "id"))
    clock.advance(3600.0)
    put(state, RememberedRow("new", "skipped"), RememberedRow("other", "rejected"))
    before = moment(clock) - timedelta(minutes=30)
    assert state.rows.keys_with_status("skipped") == {"old", "with id", "new"}
    assert state.rows.keys_with_status("skipped", without_id=True) == {"old", "new"}
    assert state.rows.keys_with_status("skipped", before=before) == {"old", "with id"}
    assert state.rows.keys_with_status("skipped", before=before, without_id=True) == {"old"}
    assert state.rows.keys_with_status("rejected", before=before) == set()


def test_more_rows_than_a_statement_takes_values(store: StateStore) -> None:
    state = store.of("org", "customers")
    put(state, *(RememberedRow(f"k{n}", "accepted", n, f"id{n}", sent_lists={"a": ["h"]}) for n in range(12_000)))
    keys = [f"k{n}" for n in range(12_000)]
    assert len(state.rows.sent_lists(keys)) == 12_000
    with state.transaction() as tx:
        tx.rows.count_as_changed(keys[1:])
        tx.rows.own([f"id{n}" for n in range(12_000)], True, "run")
    assert state.rows.snapshot().fingerprints.drop_null().to_pylist() == [0]
    assert state.rows.snapshot().owned.to_pylist().count(True) == 12_000
    with state.transaction() as tx:
        tx.rows.forget(keys[1:])
    assert keys_of(state) == ["k0"]


def test_of_two_rows_with_one_key_the_later_stands(store: StateStore) -> None:
    state = store.of("org", "customers")
    put(state, RememberedRow("a", "skipped"), RememberedRow("a", "accepted", 1, "id"))
    assert rows_of(state) == [("a", 1, "accepted", "id", False, None)]


def test_half_a_character_in_kustomers_words_stops_nobody(store: StateStore) -> None:
    state, reason = store.of("org", "customers"), "it said \ud83d and \x00"
    put(state, RememberedRow("a", "rejected", reason=reason, reason_code="refused"))
    with state.transaction() as tx:
        tx.log.add([LogLine("a", "rejected", reason=reason)], "run")
    with store.engine.connect() as connection:
        assert connection.execute(sa.select(sync_rows.c.reason, sync_rows.c.reason_code)).one() == (
            "it said  and ",
            "refused",
        )


def test_moments_are_the_clocks(store: StateStore, clock: SimulatedClock) -> None:
    put(store.of("org", "customers"), RememberedRow("a", "accepted"))
    with store.engine.connect() as connection:
        written = connection.execute(sa.select(sync_rows.c.updated_at)).scalar_one()
    assert (written if written.tzinfo else written.replace(tzinfo=UTC)) == moment(clock)


# --- the journal


def test_a_job_is_in_the_journal_from_its_intent_to_its_end(store: StateStore, clock: SimulatedClock) -> None:
    state = store.of("org", "vip", "tag")
    full = JobItem(
        ref="j-0",
        key="a",
        effect="undo",
        kustomer_id="id-a",
        fingerprint=-7,
        owned=True,
        sent_lists={"emails": ["h"]},
        displaced=("b", "c"),
        identities=(("email", "h1"), ("phone", "h2")),
        changes=(("name", None, "Ada"), ("tags", ["x"], ["x", "y"]), ("custom.nNum", 1, 2.5)),
        lost_at=LOST,
        ownership=(OwnershipChange("vip", "tag", "a", "id-a", True),),
    )
    job = Job("j", "update", "companies", (full, JobItem("j-1", "b")))
    with state.transaction() as tx:
        tx.journal.intend(job, "run")
    (left,) = state.journal.jobs()
    assert left == replace(job, created_at=moment(clock), scope="tag", run_id="run")
    with state.transaction() as tx:
        tx.journal.submitted("j", "bulk-1")
    assert [one.bulk_id for one in state.journal.jobs()] == ["bulk-1"]
    with state.transaction() as tx:
        tx.journal.end("j")
    assert state.journal.jobs() == []


def test_the_jobs_of_a_sync_are_those_of_all_its_scopes_oldest_first(store: StateStore, clock: SimulatedClock) -> None:
    for name, place in [("new tag", ("vip", "2")), ("old tag", ("vip", "1")), ("other", ("other", "1"))]:
        with store.of("org", *place).transaction() as tx:
            created_at = moment(clock) - timedelta(hours=1) if name == "old tag" else None
            tx.journal.intend(Job(name, "create", "customers", (), created_at=created_at), "run")
    jobs = store.of("org", "vip", "3").journal.jobs()
    assert [(job.job_id, job.scope) for job in jobs] == [("old tag", "1"), ("new tag", "2")]
    assert store.of("other org", "vip").journal.jobs() == []


# --- identities, facts, approvals


def test_hints_are_found_by_value_and_hold_none(store: StateStore) -> None:
    state = store.of("org", "customers")
    values = [f"v{n}@example.com" for n in range(12_000)]
    with state.transaction() as tx:
        tx.identities.learn("customers", (("email", value_hash(value), f"id-{value}") for value in values))
        tx.identities.learn("customers", [("email", value_hash(values[1]), "elsewhere")])
    assert len(state.identities.find("customers", "email", values)) == 12_000
    found = state.identities.find("customers", "email", [*values[1:3], "nobody"])
    assert found == {values[1]: "elsewhere", values[2]: f"id-{values[2]}"}
    assert state.identities.find("customers", "phone", values[:1]) == {}
    assert state.identities.find("companies", "email", values[:1]) == {}
    assert store.of("other", "customers").identities.find("customers", "email", values[:1]) == {}
    assert store.of("org", "another sync").identities.find("customers", "email", values[2:3]) != {}
    with state.transaction() as tx:
        tx.identities.unlearn("customers", [("email", value_hash(value)) for value in values[1:]])
    assert state.identities.find("customers", "email", values) == {values[0]: f"id-{values[0]}"}


def test_facts_belong_to_a_sync(store: StateStore) -> None:
    state = store.of("org", "customers")
    assert state.facts.get("signature") is None
    for value in ("first", "second"):
        with state.transaction() as tx:
            tx.facts.set("signature", value)
    assert state.facts.get("signature") == "second"
    assert store.of("org", "customers", "any scope").facts.get("signature") == "second"
    assert store.of("org", "other").facts.get("signature") is None


def test_approvals_are_counted_once_each(store: StateStore) -> None:
    state = store.of("org", "vip", "tag")
    assert state.approvals.used() == 0
    for plan_id in ("p1", "p2", "p1"):
        with state.transaction() as tx:
            tx.approvals.use(plan_id, "run")
    assert state.approvals.used() == 2
    assert store.of("org", "other", "tag").approvals.used() == 0


# --- transactions


class Stopped(Exception):
    pass


def test_a_transaction_is_all_or_nothing(store: StateStore) -> None:
    state = store.of("org", "customers")

    def everything() -> None:
        with state.transaction() as tx:
            tx.rows.put([RememberedRow("a", "accepted", 1, "id")], "run")
            tx.journal.intend(Job("j", "create", "customers", (JobItem("j-0", "a"),)), "run")
            tx.identities.learn("customers", [("email", value_hash("a@b.c"), "id")])
            tx.log.add([LogLine("a", "created", "id")], "run")
            tx.facts.set("signature", "s")
            tx.approvals.use("p", "run")
            tx.of("other", "tag").rows.put([RememberedRow("b", "accepted")], "run")
            raise Stopped

    with pytest.raises(Stopped):
        everything()
    assert keys_of(state) + keys_of(store.of("org", "other", "tag")) == []
    assert state.journal.jobs() == []
    assert state.identities.find("customers", "email", ["a@b.c"]) == {}
    assert (state.facts.get("signature"), state.approvals.used()) == (None, 0)
    with store.engine.connect() as connection:
        assert connection.execute(sa.select(sync_log)).all() == []


def test_a_writer_waits_for_another_and_overwrites_nothing_of_it(state_url: str) -> None:
    """SQLite would refuse to let it write if it had read before, and had not said beforehand that it writes."""
    with StateStore.open(state_url) as first, StateStore.open(state_url) as second:
        begun, states = threading.Event(), [store.of("org", "customers") for store in (first, second)]

        def write() -> None:
            begun.set()
            with states[1].transaction() as tx:
                tx.facts.set("b", "2")

        with states[0].transaction() as tx:
            tx.rows.forget(["nobody"])
            thread = threading.Thread(target=write)
            thread.start()
            begun.wait()
            tx.facts.set("a", "1")
        thread.join()
        assert (states[0].facts.get("a"), states[0].facts.get("b")) == ("1", "2")


# --- the log


def test_a_run_has_a_line_with_all_its_counts(store: StateStore) -> None:
    counts = {"read": 9, "created": 1, "removals_refused": 2, "removals_waiting": 3, "changes_held": 4, "requests": 5}
    with store.of("org", "customers").transaction() as tx:
        tx.runs.add(RunLine("run", LOST, LOST + timedelta(seconds=8), counts, 7.5, "ConnectionError"))
    with store.engine.connect() as connection:
        line = connection.execute(sa.select(sync_runs)).mappings().one()
    assert {name: line[name] for name in counts} == counts
    assert (line["unchanged"], line["seconds"], line["interrupted"]) == (0, 7.5, "ConnectionError")


# --- opening


@pytest.mark.parametrize(
    "url, said",
    [
        ("nonsense", "is not a database URL"),
        ("postgresql://u:hunter2@host:hunter2/x", "is not a database URL"),
        ("mysql://x", "kept in SQLite or PostgreSQL, not in mysql"),
        ("sqlite:////proc/nowhere/state.db", "cannot be opened: "),
        ("postgresql+psycopg://u:hunter2@127.0.0.1:1/x", "cannot be opened: .*refused"),
        ("postgresql+psycopg://127.0.0.1:1/x?user=u&password=hunter2", "cannot be opened: .*refused"),
        ("postgresql+nodriver://u:hunter2@127.0.0.1:1/x", "cannot be opened: .*nodriver"),
    ],
)
def test_a_state_that_cannot_be_used_says_so(url: str, said: str) -> None:
    with pytest.raises(StateError, match=said) as raised:
        StateStore.open(url)
    assert "hunter2" not in str(raised.value)


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_text("these are my notes, " * 500)
    with pytest.raises(StateError, match="cannot be opened: file is not a database"):
        StateStore.open(f"sqlite:///{tmp_path / 'state.db'}")


def test_tables_of_somebody_else_are_left_alone(state_url: str) -> None:
    engine = sa.create_engine(state_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("create table sync_log (what text)")
        connection.exec_driver_sql("insert into sync_log values ('mine')")
    with pytest.raises(StateError, match="a table sync_log that is not the state's"):
        StateStore.open(state_url)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("select * from sync_log").all() == [("mine",)]
        assert sa.inspect(connection).get_table_names() == ["sync_log"]


def test_what_a_process_left_that_was_killed_while_it_made_the_tables_is_made_anew(state_url: str) -> None:
    """The first release made them one by one on SQLite: some there, empty, and no version."""
    engine = sa.create_engine(state_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("create table schema_version (version integer not null)")
        connection.exec_driver_sql("create table sync_rows (org_id text, sync text, key text)")
    with StateStore.open(state_url) as store:
        put(store.of("org", "customers", "scope"), RememberedRow("a", "accepted"))
        assert keys_of(store.of("org", "customers", "scope")) == ["a"]


def test_the_password_is_not_shown(postgres_url: str) -> None:
    url = sa.make_url(postgres_url).set(username="postgres", password="hunter2")
    with StateStore.open(url.render_as_string(hide_password=False)) as store:
        with store.engine.begin() as connection:
            connection.exec_driver_sql("drop table sync_rows")
        with pytest.raises(StateError, match=r"Reading the state database postgresql") as raised:
            store.of("org", "customers").rows.snapshot()
    assert "hunter2" not in str(raised.value)


def test_a_state_in_memory_is_the_same_for_all_threads() -> None:
    with StateStore.open("sqlite://") as store, ThreadPoolExecutor(1) as pool:
        put(store.of("org", "customers"), RememberedRow("a", "accepted"))
        assert pool.submit(keys_of, store.of("org", "customers")).result() == ["a"]
