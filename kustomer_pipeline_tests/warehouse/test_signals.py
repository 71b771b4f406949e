"""What a sensor remembers where it does not read the table: the answer to a query, or the warehouse's metadata."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from kustomer_pipeline.warehouse import QueryError, WarehouseUrlError, open_engine
from kustomer_pipeline.warehouse.signals import Signal, answer_to, last_change, without_metadata

from .conftest import Statements

LOADS = "create table loads (at text, by_whom text)"


@pytest.fixture(params=["sqlite", "postgres"])
def statements(request: pytest.FixtureRequest) -> Statements:
    run: Statements = request.getfixturevalue(request.param)
    return run


def test_the_same_answer_is_the_same_signal_and_another_is_another(statements: Statements) -> None:
    engine = statements(LOADS, "insert into loads values ('2024-05-01', 'jane')")
    query = "select max(at), count(*) from loads;"
    before = answer_to(engine, query)
    assert answer_to(engine, query) == before
    statements("insert into loads values ('2024-05-01', 'joe')")
    assert answer_to(engine, query) != before


def test_columns_that_change_places_are_another_answer(statements: Statements) -> None:
    engine = statements()
    assert answer_to(engine, "select 'a', 'b'") != answer_to(engine, "select 'b', 'a'")


def test_an_empty_table_has_an_answer(statements: Statements) -> None:
    engine = statements(LOADS)
    assert answer_to(engine, "select max(at) from loads") == answer_to(engine, "select max(at) from loads")


def test_an_answer_is_kept_as_a_checksum_only(statements: Statements) -> None:
    signal = answer_to(statements(), "select 'jane@example.com'")
    assert "jane" not in signal.as_json()


def test_a_percent_sign_and_a_colon_mean_what_they_mean_in_the_database(statements: Statements) -> None:
    engine = statements(LOADS, "insert into loads values ('50% :off', null)")
    assert answer_to(engine, "select at from loads where at like '50% :off'") == answer_to(engine, "select '50% :off'")


@pytest.mark.parametrize(
    "query, told",
    [
        ("select at from loads where at = 'z'", "gives no row; it has to give one"),
        ("select at from loads", "gives several rows; it has to give one"),
        ("insert into loads values ('c', null)", "could not run the query of watch"),
        ("select nosuch from loads", "could not run the query of watch: .*nosuch"),
        ("select 1; select 2", "several statements"),
        (" ", "empty"),
    ],
)
def test_what_is_no_one_row_is_an_error(statements: Statements, query: str, told: str) -> None:
    engine = statements(LOADS, "insert into loads values ('a', null), ('b', null)")
    with pytest.raises(QueryError, match=told):
        answer_to(engine, query)
    assert answer_to(engine, "select count(*) from loads") == answer_to(engine, "select 2")


def test_no_more_than_two_rows_are_fetched(postgres: Statements) -> None:
    """A mistake in the query must not bring a table into a sensor's tick."""
    engine = postgres()
    fetched = []

    @sa.event.listens_for(engine, "after_cursor_execute")
    def note(*arguments: object) -> None:
        cursor = arguments[1]
        fetched.append(getattr(cursor, "name", None))

    with pytest.raises(QueryError, match="several rows"):
        answer_to(engine, "select n from generate_series(1, 1000000) as n")
    assert fetched[-1] is not None  # a cursor on the server, from which two rows are taken


@pytest.mark.parametrize("signal", [Signal("query", "5f"), Signal("metadata", "41 2024-05-01")])
def test_a_signal_survives_a_cursor(signal: Signal) -> None:
    assert Signal.from_json(signal.as_json()) == signal


@pytest.mark.parametrize("text", ["", "yesterday", "{}", "[]", '{"kind": "guess", "value": "x"}', '{"kind": "query"}'])
def test_a_cursor_that_is_no_signal_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a signal; reset the sensor's cursor"):
        Signal.from_json(text)


def test_a_database_that_keeps_no_time_of_change_says_what_to_write_instead(statements: Statements) -> None:
    engine = statements(LOADS)
    with pytest.raises(QueryError, match=r"that do bigquery, databricks, snowflake. Write updated_at.*or a query"):
        last_change(engine, "loads")


@pytest.mark.parametrize(
    "url, dialect",
    [
        ("snowflake://jane@account/crm", None),
        ("bigquery://shop", None),
        ("databricks://token:x@host", None),
        ("postgresql+psycopg://host/db", "postgresql"),
        ("sqlite:////tmp/x.db", "sqlite"),
        ("", None),
        ("no url", None),
    ],
)
def test_a_url_tells_whether_its_tables_can_be_watched_by_metadata(url: str, dialect: str | None) -> None:
    assert without_metadata(url) == dialect


def test_a_database_that_cannot_be_opened_is_an_error_of_its_own() -> None:
    with pytest.raises(WarehouseUrlError):
        answer_to(open_engine("sqlite:////nowhere/at/all.db"), "select 1")
