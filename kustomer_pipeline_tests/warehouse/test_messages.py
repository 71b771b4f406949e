"""What a database says about an error is repeated without the values that it quotes."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from kustomer_pipeline.warehouse import QueryError, read_frame
from kustomer_pipeline.warehouse.messages import message

from .conftest import Statements

JANE = "jane@example.com"


@pytest.mark.parametrize(
    "query, told, state",
    [
        ("select v::json from t", "invalid input syntax for type json", "22P02"),
        ("select v::jsonb from t", "invalid input syntax for type json", "22P02"),
        ("select v::int from t", "invalid input syntax for type integer", "22P02"),
        ("select v::timestamptz from t", "invalid input syntax for type timestamp with time zone", "22007"),
        ("select v::uuid from t", "invalid input syntax for type uuid", "22P02"),
        ("select v::int[] from t", "malformed array literal", "22P02"),
        ("select to_date(v, 'YYYY') from t", "invalid value", "22007"),
        ("select shout(v) from t", "an error of its own", "P0001"),
        ("select 1 / (length(v) - length(v)) from t", "division by zero", "22012"),
    ],
)
@pytest.mark.parametrize("value", [f'{{"email": "{JANE}", oops}}', f'say "{JANE}" twice "{JANE}', f"a\nDETAIL: {JANE}"])
def test_no_piece_of_a_value_is_in_an_error_of_postgresql(
    postgres: Statements, query: str, told: str, state: str, value: str
) -> None:
    engine = postgres(
        "create table t (v text)",
        f"insert into t values ($v${value}$v$)",
        "create function shout(v text) returns int language plpgsql as $f$ begin raise exception 'bad %', v; end $f$",
    )
    with pytest.raises(QueryError) as caught:
        read_frame(engine, query)
    text = str(caught.value)
    assert told in text
    assert f"(SQLSTATE {state})" in text
    for piece in re.findall(r"\w{3,}", value):
        assert not re.search(rf"\b{piece.lower()}\b", text.partition("could not run the query")[2].lower()), piece


def test_a_mistake_in_the_query_is_shown_with_its_hint(postgres: Statements) -> None:
    engine = postgres("create table t (email text)")
    with pytest.raises(QueryError, match=r'column "emial" does not exist(?s:.*)HINT: .*"t\.email"'):
        read_frame(engine, "select emial from t")


def test_a_row_that_breaks_a_constraint_is_not_shown(postgres: Statements, postgres_url: str) -> None:
    engine = postgres("create table t (email text unique)", f"insert into t values ('{JANE}')")
    again = sa.text("insert into t values (:email)")
    with (
        pytest.raises(exc.IntegrityError) as caught,
        sa.create_engine(postgres_url, poolclass=sa.NullPool).begin() as connection,
    ):
        connection.execute(again, {"email": JANE})
    assert message(engine, caught.value) == ('duplicate key value violates unique constraint "…" (SQLSTATE 23505)')


def test_sqlite_does_not_show_a_path_that_it_cannot_read(sqlite: Statements) -> None:
    engine = sqlite("create table t (v text)", f"insert into t values ('{JANE}')")
    with pytest.raises(QueryError) as caught:
        read_frame(engine, "select json_extract('{}', v) from t")
    assert "jane" not in str(caught.value)


class DriverError(Exception):
    """As other databases' drivers raise them."""


# What drivers say that are no dependency of this project; None: the whole text may be shown.
SAID: list[tuple[tuple[Any, ...], str | None]] = [
    ((1292, "Truncated incorrect DOUBLE value: 'jane'"), "Truncated incorrect DOUBLE value: '…' (1292)"),
    ((1062, "Duplicate entry 'jane' for key 't.email'"), "Duplicate entry '…' (1062)"),
    ((1054, "Unknown column 'emial' in 'field list'"), None),
    ((245, b"Conversion failed when converting the varchar value 'jane' to data type int."),
     "Conversion failed when converting the varchar value '…' to data type int. (245)"),
    (("22018", "[22018] Conversion failed when converting the nvarchar value 'it's jane' to data type int."),
     "[22018] Conversion failed when converting the nvarchar value '…' to data type int. (22018)"),
    (("Numeric value 'jane' is not recognized",), "Numeric value '…' is not recognized"),
    (("SQL compilation error: invalid identifier 'EMIAL'",), None),
    (("Conversion Error: Could not convert string 'jane' to INT32",),
     "Conversion Error: Could not convert string '…' to INT32"),
    (("Bad double value: jane",), "Bad double value: …"),
    (("Bad double value: no such column jane",), "Bad double value: …"),
    ((1366, "Incorrect string value: 'unknown jane' for column 'v'"), "Incorrect string value: '…' (1366)"),
    (("Cannot parse string 'jane' as Int32",), "Cannot parse string '…' as Int32"),
    # As ClickHouse names its errors: words alone ("syntax error") would take the first for one about the query.
    (("Cannot parse string 'jane' as Int32: syntax error at begin of string. (CANNOT_PARSE_TEXT)",),
     "CANNOT_PARSE_TEXT, an error about a value"),
    (("Cannot parse string 'jane': syntax error. (CANNOT_PARSE_TEXT) (version 26.9.1 (official build))",),
     "CANNOT_PARSE_TEXT, an error about a value"),
    (("Code: 376. DB::Exception: Cannot parse uuid 'jane' (CANNOT_PARSE_UUID) (version 26.9.1 (official build))",),
     "CANNOT_PARSE_UUID, an error about a value"),
    (("Code: 376. DB::Exception: Cannot parse uuid jane@acme.com: Cannot parse UUID from String (CANNOT_PARSE_UUID)",),
     "CANNOT_PARSE_UUID, an error about a value"),
    (("Code: 47. DB::Exception: Unknown expression identifier 'emial'. (UNKNOWN_IDENTIFIER)",), None),
    (("Code: 497. DB::Exception: reader: Not enough privileges: SELECT('id') ON crm.t. (ACCESS_DENIED)",), None),
    (("Table 'crm.customerz' not found",), None),
    (("Access denied for user 'reader'",), None),
]  # fmt: skip


@pytest.mark.parametrize("said, shown", SAID, ids=[str(number) for number in range(len(SAID))])
def test_other_drivers_are_quoted_without_the_values_that_they_quote(
    sqlite: Statements, said: tuple[Any, ...], shown: str | None
) -> None:
    text = message(sqlite(), exc.DBAPIError("select 1", None, DriverError(*said)))
    assert "jane" not in text
    assert text == (shown or (f"{said[1]} ({said[0]})" if len(said) == 2 else said[0]))


def test_what_a_driver_calls_an_error_of_data_shows_nothing_in_quotes(sqlite: Statements) -> None:
    error = exc.DataError("select 1", None, DriverError('do not like "jane"'))
    assert message(sqlite(), error) == 'do not like "…"'


def test_an_error_without_words_is_named_by_its_kind(sqlite: Statements) -> None:
    assert message(sqlite(), exc.DBAPIError("select 1", None, DriverError())) == "DriverError"
