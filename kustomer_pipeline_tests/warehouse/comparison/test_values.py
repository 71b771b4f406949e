"""Which values are one and which are two, for every type: case, spaces, zones, scales, what has no equality."""

import pytest

from kustomer_pipeline.warehouse.comparison import ROW, Source

from .conftest import Statements, Sync, Warehouse, comparison_in, ids

# type, value as accepted, value now
DIFFERENT = {
    "postgres": [
        ("text", "'a'", "'A'"),
        ("text", "'a'", "'a '"),
        ("text", "'é'", "U&'e\\0301'"),
        ("text", "'1'", "'01'"),
        ("varchar(10)", "'a'", "'a '"),
        ("char(5)", "'a'", "'b'"),
        ("bpchar", "'a'", "'a '::bpchar"),
        ("name", "'a'", "'A'"),
        ("integer", "1", "2"),
        ("bigint", "9007199254740992", "9007199254740993"),
        ("numeric", "0.1", "0.10000000000000000000000000001"),
        ("numeric", "'NaN'", "0"),
        ("double precision", "0.1", "0.10000000000000002"),
        ("double precision", "'infinity'", "'-infinity'"),
        ("double precision", "'NaN'", "null"),
        ("boolean", "true", "false"),
        ("boolean", "false", "null"),
        ("date", "'2026-01-01'", "'2026-01-02'"),
        ("date", "'infinity'", "'2026-01-02'"),
        ("timestamp", "'2026-01-01 00:00:00'", "'2026-01-01 00:00:00.000001'"),
        ("timestamptz", "'2026-01-01 00:00:00+00'", "'2026-01-01 00:00:00+01'"),
        ("time", "'12:00'", "'12:01'"),
        ("timetz", "'12:00+00'", "'13:00+01'"),
        ("interval", "'30 days'", "'1 month'"),
        ("uuid", "'00000000-0000-0000-0000-000000000000'", "'00000000-0000-0000-0000-000000000001'"),
        ("json", """'{"a": 1}'""", """'{"a": "1"}'"""),
        ("jsonb", """'{"a": 1}'""", """'{"a": 2}'"""),
        ("text[]", "'{a,b}'", """'{"a,b"}'"""),
        ("text[]", "'{null}'", """'{"null"}'"""),
        ("integer[]", "'{1,2}'", "'{2,1}'"),
        ("mood", "'sad'", "'ok'"),
        ("point", "'(1,2)'", "'(2,1)'"),
    ],
    "sqlite": [
        ("text", "'a'", "'A'"),
        ("text", "'a'", "'a '"),
        ("text collate nocase", "'a'", "'A'"),
        ("text collate rtrim", "'a'", "'a '"),
        ("", "1", "'1'"),
        ("", "1.5", "'1.5'"),
        ("integer", "1", "2"),
        ("integer", "9007199254740992", "9007199254740993"),
        ("real", "0.1", "0.10000000000000002"),
        ("real", "9e999", "-9e999"),
        ("numeric", "1", "'one'"),
        ("boolean", "true", "false"),
        ("boolean", "false", "null"),
        ("timestamp", "'2026-01-01 00:00:00'", "'2026-01-01 00:00:00.000001'"),
    ],
}
# type, value as accepted, the same value in other words
EQUAL = {
    "postgres": [
        ("numeric", "1.0", "1.00"),
        ("numeric", "'NaN'", "'NaN'"),
        ("double precision", "0", "'-0'"),
        ("double precision", "'NaN'", "'NaN'"),
        ("timestamptz", "'2026-01-01 00:00:00+00'", "'2026-01-01 01:00:00+01'"),
        ("json", """'{"a": [1, 2]}'""", """'{"a": [1, 2]}'"""),
        ("text[]", "'{a,null}'", "array['a', null]"),
    ],
    "sqlite": [("real", "0.0", "-0.0"), ("numeric", "1.0", "1"), ("", "1.0", "1")],
}


def one_column_a_case(run: Statements, kind: str, cases: list[tuple[str, str, str]]) -> Sync:
    """Row n has a value in column n, whose type is that of case n, and null elsewhere."""
    if kind == "postgres":
        run("create type mood as enum ('sad', 'ok')")
    columns = [f"v{place}" for place in range(len(cases))]
    typed = ", ".join(f"{name} {case[0]}" for name, case in zip(columns, cases, strict=True))
    rows = [f"insert into t (id, v{place}) values ({place}, {case[1]})" for place, case in enumerate(cases)]
    engine = run(f"create table t (id integer, {typed})", *rows)
    return Sync(comparison_in(Warehouse(run, engine)), Source("select * from t", ("id", *columns), "id"))


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_every_difference_is_seen(kind: str, request: pytest.FixtureRequest) -> None:
    run, cases = request.getfixturevalue(kind), DIFFERENT[kind]
    sync = one_column_a_case(run, kind, cases)
    sync.settle()
    assert ids(sync.read()) == []
    run(*(f"update t set v{place} = {case[2]} where id = {place}" for place, case in enumerate(cases)))

    seen = ids(sync.read())

    assert [case for place, case in enumerate(cases) if place not in seen] == []


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_value_in_other_words_is_the_same(kind: str, request: pytest.FixtureRequest) -> None:
    run, cases = request.getfixturevalue(kind), EQUAL[kind]
    sync = one_column_a_case(run, kind, cases)
    sync.settle()
    run(*(f"update t set v{place} = {case[2]} where id = {place}" for place, case in enumerate(cases)))

    seen = ids(sync.read())

    assert [case for place, case in enumerate(cases) if place in seen] == []


def test_a_query_without_a_column_that_tells_rows_apart(warehouse: Warehouse) -> None:
    warehouse.run("create table t (id integer, email text)", "insert into t values (1, null), (1, 'a'), (null, null)")
    sync = Sync(comparison_in(warehouse), Source("select * from t", ("id", "email")))
    reading = sync.read()
    kept = reading.rows.loc[(reading.rows["email"] == "a").fillna(False), ROW].tolist()
    assert sync.take(reading, kept, ["1"], [{"id:1"}])

    rows = sync.read().rows

    # The accepted one shares its id with one that was not.
    assert len(rows) == 3
