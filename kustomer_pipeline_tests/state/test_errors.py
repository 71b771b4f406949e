"""What goes wrong with the state database is said in words that hold nothing of a row (law 10), and that help."""

import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from kustomer_pipeline.sync.state import (
    ChangeLine,
    Job,
    JobItem,
    LogLine,
    RememberedRow,
    StateError,
    StateStore,
    SyncState,
    value_hash,
)

EMAIL = "ada.lovelace@example.com"
NAME = "Ada Lovelace"


def put(state: SyncState) -> None:
    with state.transaction() as tx:
        tx.rows.put([RememberedRow(EMAIL, "rejected", 1, NAME, reason=NAME)], NAME)


def log(state: SyncState) -> None:
    with state.transaction() as tx:
        tx.log.add([LogLine(EMAIL, "created", NAME, NAME)], "run")


def change(state: SyncState) -> None:
    with state.transaction() as tx:
        tx.changes.add([ChangeLine(EMAIL, "customers", "id", (("name", NAME, EMAIL),))], "run")


def intend(state: SyncState) -> None:
    with state.transaction() as tx:
        tx.journal.intend(
            Job("j", "create", "customers", (JobItem("j-0", EMAIL, changes=(("name", NAME, ""),)),)), "run"
        )


def forget(state: SyncState) -> None:
    with state.transaction() as tx:
        tx.rows.forget([EMAIL, NAME])


def learn(state: SyncState) -> None:
    with state.transaction() as tx:
        tx.identities.learn("customers", [("email", value_hash(EMAIL), NAME)])


def look(state: SyncState) -> None:
    state.rows.sent_lists([EMAIL, NAME])


def text_of(step: Callable[[SyncState], None], state: SyncState) -> str:
    """The whole traceback of the error that a step ends in."""
    with pytest.raises(StateError) as raised:
        step(state)
    return "".join(traceback.format_exception(raised.value))


def values_in(text: str) -> list[str]:
    return [value for value in ("ada.", "Lovelace", "example.com") if value in text]


@pytest.mark.parametrize("step", [put, log, change, intend, forget, learn, look])
def test_a_missing_table_is_told_without_a_value_of_a_row(store: StateStore, step: Callable[[SyncState], None]) -> None:
    with store.engine.begin() as connection:
        for table in ("sync_rows", "sync_log", "sync_changes", "bulk_jobs", "identities"):
            connection.exec_driver_sql(f"drop table {table}")
    text = text_of(step, store.of("org", "customers"))
    assert "A table or column is missing" in text
    assert store.engine.url.set(query={}).render_as_string() in text
    assert not values_in(text)


@pytest.mark.parametrize("step", [put, log, change, intend, learn])
def test_a_value_that_breaks_a_rule_of_the_database_is_not_quoted(
    postgres_url: str, step: Callable[[SyncState], None]
) -> None:
    """PostgreSQL's own words would quote the failing row."""
    with StateStore.open(postgres_url) as store:
        with store.engine.begin() as connection:
            for table in ("sync_rows", "sync_log", "sync_changes", "bulk_jobs", "identities"):
                connection.exec_driver_sql(f"alter table {table} add column more int not null check (more > 0)")
        text = text_of(step, store.of("org", "customers"))
    assert "NotNullViolation, 23502" in text
    assert not values_in(text)


@pytest.mark.parametrize("step", [put, log, change, intend, forget, learn])
def test_a_database_that_may_only_be_read_is_told(state_url: str, step: Callable[[SyncState], None]) -> None:
    read_only = {
        "sqlite": "pragma query_only = on",
        "postgresql": "set session characteristics as transaction read only",
    }
    with StateStore.open(state_url) as store:
        put(store.of("org", "customers"))
        store.engine.dispose()
        sa.event.listen(
            store.engine,
            "connect",
            lambda connection, _: (connection.execute(read_only[store.engine.dialect.name]), connection.commit()),
        )
        text = text_of(step, store.of("org", "customers"))
        look(store.of("org", "customers"))
    assert "It may not be written to" in text
    assert not values_in(text)


def test_a_full_disk_is_told_and_what_was_written_before_stands(tmp_path: Path) -> None:
    with StateStore.open(f"sqlite:///{tmp_path / 'state.db'}") as store:
        state = store.of("org", "customers")
        put(state)
        store.engine.dispose()
        sa.event.listen(store.engine, "connect", lambda connection, _: connection.execute("pragma max_page_count = 60"))

        def fill(state: SyncState) -> None:
            with state.transaction() as tx:
                tx.rows.put((RememberedRow(f"{n}-{EMAIL}", "accepted", n, NAME) for n in range(50_000)), "run")

        text = text_of(fill, state)
        assert state.rows.snapshot().keys.to_pylist() == [EMAIL]
    assert "SQLITE_FULL" in text
    assert "Its disk is full: free some space; then run again" in text
    assert not values_in(text)


def test_somebody_who_holds_the_database_is_told(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    with StateStore.open(url) as store, StateStore.open(url) as other:
        store.engine.dispose()
        sa.event.listen(store.engine, "connect", lambda connection, _: connection.execute("pragma busy_timeout = 1"))
        with other.of("org", "customers").transaction() as tx:
            tx.facts.set("a", "b")
            assert "Somebody else holds it" in text_of(put, store.of("org", "customers"))


def test_a_value_that_no_database_holds_is_told_without_it(store: StateStore) -> None:
    def half_a_character(state: SyncState) -> None:
        with state.transaction() as tx:
            tx.rows.put([RememberedRow(f"{EMAIL} \ud83d", "accepted")], "run")

    def too_large(state: SyncState) -> None:
        with state.transaction() as tx:
            tx.rows.put([RememberedRow(EMAIL, "accepted", 2**70)], "run")

    for step in (half_a_character, too_large):
        text = text_of(step, store.of("org", "customers"))
        assert not values_in(text)


def test_a_server_that_was_restarted_is_connected_to_anew(postgres_url: str) -> None:
    with StateStore.open(postgres_url) as store:
        put(store.of("org", "customers"))
        _end_connections(postgres_url)
        put(store.of("org", "customers"))
        look(store.of("org", "customers"))


def test_a_connection_that_is_cut_in_mid_transaction_is_told(postgres_url: str) -> None:
    def cut(state: SyncState) -> None:
        with state.transaction() as tx:
            tx.rows.put([RememberedRow(EMAIL, "accepted")], "run")
            _end_connections(postgres_url)
            tx.rows.put([RememberedRow(EMAIL, "accepted", 1)], "run")

    with StateStore.open(postgres_url) as store:
        text = text_of(cut, store.of("org", "customers"))
        assert "The database is not there, or not any more" in text
        assert not values_in(text)
        assert len(store.of("org", "customers").rows.snapshot().keys) == 0


def _end_connections(url: str) -> None:
    with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
        connection.exec_driver_sql(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )
