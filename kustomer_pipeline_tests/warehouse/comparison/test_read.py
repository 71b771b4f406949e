"""What a reading delivers: the rows that are not as they were accepted, and those that belong to them."""

import pandas as pd
import pytest

from kustomer_pipeline.warehouse import QueryError, read_frame
from kustomer_pipeline.warehouse.comparison import ROW, ComparisonError, Source, reading

from .conftest import Sync, Warehouse, comparison_in, ids


def test_nothing_accepted_everything_is_delivered(customers: Sync) -> None:
    reading = customers.read()

    assert ids(reading) == [1, 2, 3]
    assert (reading.kept.source_rows, reading.kept.stayed) == (3, 0)


def test_what_was_accepted_is_not_delivered_again(customers: Sync) -> None:
    customers.settle()

    reading = customers.read()

    assert ids(reading) == []
    assert (reading.kept.source_rows, reading.kept.stayed) == (3, 3)


def test_only_what_changed_is_delivered(customers: Sync, warehouse: Warehouse) -> None:
    customers.settle()
    warehouse.run("update customers set phone = '+2' where id = 2")

    reading = customers.read()

    assert reading.rows[["id", "phone"]].to_dict("records") == [{"id": 2, "phone": "+2"}]
    assert (reading.kept.source_rows, reading.kept.stayed) == (3, 2)


def test_a_row_that_was_not_accepted_is_delivered_each_time(customers: Sync) -> None:
    customers.accept(customers.read(), ids=[1, 3])

    assert ids(customers.read()) == [2]
    assert ids(customers.read()) == [2]


@pytest.mark.parametrize(("before", "after"), [("null", "'x'"), ("'x'", "null"), ("null", "''"), ("''", "null")])
def test_null_is_a_value_of_its_own(customers: Sync, warehouse: Warehouse, before: str, after: str) -> None:
    warehouse.run(f"update customers set phone = {before}")
    customers.settle()
    assert ids(customers.read()) == []
    warehouse.run(f"update customers set phone = {after} where id = 1")

    assert ids(customers.read()) == [1] if after == "null" else 1 in ids(customers.read())


def test_the_frame_is_what_the_query_itself_gives(warehouse: Warehouse) -> None:
    warehouse.run(
        "create table orders (id integer, amount numeric(10, 2), at timestamp, name text, vip boolean)",
        "insert into orders values (1, 1.50, '2026-01-01 12:00:00', 'Ünï', true), (2, 2, null, null, null)",
    )
    names = ("name", "id", "vip", "amount", "at")
    sync = Sync(comparison_in(warehouse), Source("select * from orders", names, "id"))

    rows = sync.read().rows

    expected = read_frame(warehouse.engine, "select name, id, vip, amount, at from orders order by id")
    pd.testing.assert_frame_equal(rows.sort_values("id", ignore_index=True).drop(columns=ROW), expected)
    assert list(rows.columns) == [*names, ROW]
    assert rows[ROW].dtype == "int64"


def test_an_empty_reading_keeps_its_columns(customers: Sync) -> None:
    customers.settle()

    rows = customers.read().rows

    assert list(rows.columns) == ["id", "email", "phone", ROW]
    assert rows[ROW].dtype == "int64"


def test_a_row_is_named_by_the_number_of_its_reading(customers: Sync) -> None:
    reading = customers.read()

    assert {row >> 32 for row in reading.rows[ROW]} == {reading.kept.number}
    assert reading.rows[ROW].is_unique


def test_a_row_that_occurs_once_more_than_it_was_accepted_comes_with_its_copies(
    customers: Sync, warehouse: Warehouse
) -> None:
    customers.settle()
    warehouse.run("insert into customers values (3, null, null), (3, null, null)")

    reading = customers.read()

    assert ids(reading) == [3, 3, 3]
    assert reading.rows[ROW].is_unique
    assert (reading.kept.source_rows, reading.kept.stayed) == (5, 2)


def test_a_copy_that_has_gone_leaves_the_row_that_stayed(customers: Sync, warehouse: Warehouse) -> None:
    customers.settle()
    warehouse.run("insert into customers values (3, null, null)")
    assert ids(customers.read()) == [3, 3]
    keep_one = "delete from customers where id = 3"
    warehouse.run(keep_one, "insert into customers values (3, null, null)")

    assert ids(customers.read()) == []


def test_a_row_that_shares_an_identifier_with_a_changed_one_comes_along(customers: Sync, warehouse: Warehouse) -> None:
    customers.settle()
    warehouse.run("update customers set email = 'ada@example.com' where id = 3")

    reading = customers.read()

    assert ids(reading) == [1, 3]
    assert (reading.kept.source_rows, reading.kept.stayed) == (3, 1)


def test_so_does_one_that_shares_an_identifier_with_that_one(warehouse: Warehouse) -> None:
    warehouse.run(
        "create table customers (id integer, email text, phone text)",
        "insert into customers values (1, 'a', '1'), (2, 'b', '1'), (3, 'b', '3'), (4, 'd', '4')",
    )
    sync = Sync(comparison_in(warehouse), Source("select * from customers", ("id", "email", "phone"), "id"))
    sync.settle()
    warehouse.run("insert into customers values (5, 'a', '5')")

    reading = sync.read()

    assert ids(reading) == [1, 2, 3, 5]
    assert reading.rows[ROW].is_unique
    assert (reading.kept.source_rows, reading.kept.stayed) == (5, 1)


def test_a_row_of_the_same_key_comes_along(customers: Sync, warehouse: Warehouse) -> None:
    customers.settle()
    warehouse.run("insert into customers values (2, 'new@example.com', '+9')")

    assert ids(customers.read()) == [2, 2]


def test_a_row_whose_line_changed_does_not_come_along_as_it_was(customers: Sync, warehouse: Warehouse) -> None:
    customers.settle()
    warehouse.run(
        "update customers set email = 'other@example.com' where id = 1",
        "update customers set email = 'ada@example.com' where id = 3",
    )

    assert sorted(customers.read().rows["email"]) == ["ada@example.com", "other@example.com"]


def test_a_row_of_which_nobody_knows_what_became_is_delivered(customers: Sync) -> None:
    customers.settle()

    reading = customers.read(again=["2", "no such key"])

    assert ids(reading) == [2]
    assert reading.kept.stayed == 2


def test_lines_whose_token_is_not_trusted_count_for_nothing(customers: Sync) -> None:
    customers.settle()
    customers.tokens = {"of another environment"}

    assert ids(customers.read()) == [1, 2, 3]


def test_without_a_trusted_token_nothing_counts(customers: Sync) -> None:
    customers.settle()
    customers.tokens = set()

    assert ids(customers.read()) == [1, 2, 3]


def test_a_full_resync_delivers_everything_and_can_be_accepted(customers: Sync) -> None:
    customers.settle()

    reading = customers.read(everything=True)

    assert ids(reading) == [1, 2, 3]
    assert (reading.kept.source_rows, reading.kept.stayed) == (3, 0)
    assert customers.accept(reading)
    assert ids(customers.read()) == []


def test_another_process_sees_the_same_reading(customers: Sync, warehouse: Warehouse) -> None:
    customers.settle()
    warehouse.run("update customers set email = 'ada@example.com' where id = 3")
    reading = customers.read()

    other = comparison_in(warehouse)

    assert other.reading(reading.kept.number, rows=2) == reading.kept
    assert other.reading(None, rows=2) == reading.kept
    with pytest.raises(ComparisonError, match=r"which has 2 and not 3: run the sync again from its first step"):
        other.reading(reading.kept.number, rows=3)


def test_the_two_newest_readings_are_kept(customers: Sync, warehouse: Warehouse) -> None:
    first, second, third = customers.read(), customers.read(), customers.read()

    assert customers.comparison.reading(second.kept.number, rows=3) == second.kept
    assert customers.comparison.reading(third.kept.number, rows=3) == third.kept
    with pytest.raises(ComparisonError, match="The rows of customers were read once more since"):
        customers.comparison.reading(first.kept.number, rows=3)
    with pytest.raises(ComparisonError, match="read once more"):
        customers.comparison.gone(first.kept.number)
    assert len([name for name in warehouse.tables() if name.startswith("kustomer_rows_")]) == 2


def test_a_reading_that_was_killed_leaves_no_table_behind(customers: Sync, warehouse: Warehouse) -> None:
    def killed(frame: pd.DataFrame) -> list[set[str]]:
        raise KeyboardInterrupt

    customers.settle()
    warehouse.run("update customers set email = 'x' where id = 3")
    customers.identifiers, identifiers = killed, customers.identifiers  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        customers.read()
    customers.identifiers = identifiers  # type: ignore[method-assign]

    assert ids(customers.read()) == [3]
    assert ids(customers.read()) == [3]
    tables = warehouse.tables()
    assert len([name for name in tables if name.startswith("kustomer_rows_")]) == 2
    assert not [name for name in tables if name.startswith("kustomer_work_")]


def test_a_query_means_what_it_means_in_the_database(warehouse: Warehouse) -> None:
    sql = """select 1 as id, '100 %s ; :name \\:x' as email, '12:30' as phone; -- it's the end; """
    sync = Sync(comparison_in(warehouse), Source(sql, ("id", "email", "phone"), "id"))

    reading = sync.read()

    assert reading.rows["email"].tolist() == ["100 %s ; :name \\:x"]
    assert reading.rows["phone"].tolist() == ["12:30"]
    assert sync.accept(reading)
    assert ids(sync.read()) == []


def test_a_query_may_begin_with_its_own_tables(warehouse: Warehouse) -> None:
    sql = "with chosen as (select 1 as id, 'a' as email) select * from chosen"
    sync = Sync(comparison_in(warehouse), Source(sql, ("id", "email")))

    assert ids(sync.read()) == [1]


def test_a_name_needs_no_care(warehouse: Warehouse) -> None:
    names = ("id", "Full Name", "select", "c1", "a.b", "line_id")
    columns = ", ".join(f'{place} as "{name}"' for place, name in enumerate(names))
    sync = Sync(comparison_in(warehouse), Source(f"select {columns}", names, "id"))

    reading = sync.read()

    assert reading.rows[list(names)].to_dict("records") == [{name: place for place, name in enumerate(names)}]
    assert sync.accept(reading)
    assert ids(sync.read()) == []


@pytest.mark.parametrize("sql", ["select * from no_such_table", "selec 1", "select 1; select 2", ""])
def test_what_is_wrong_with_the_query_is_the_querys_error(customers: Sync, sql: str) -> None:
    customers.source = Source(sql, ("id",))

    with pytest.raises(QueryError):
        customers.read()


def test_a_column_that_the_query_has_not_is_the_querys_error(customers: Sync) -> None:
    customers.source = Source("select * from customers", ("id", "Full Name"))

    with pytest.raises(QueryError, match="Full Name"):
        customers.read()


def test_a_column_of_the_name_that_the_comparison_needs_is_refused(customers: Sync) -> None:
    customers.source = Source("select 1 as _row", (ROW,))

    with pytest.raises(ComparisonError, match="give it another name"):
        customers.read()


def test_the_message_of_a_failed_query_holds_no_value(warehouse: Warehouse) -> None:
    if warehouse.dialect == "sqlite":
        pytest.skip("SQLite casts what it cannot cast")
    sql = "select cast(v as integer) as id from (values ('secret@example.com')) x (v)"
    sync = Sync(comparison_in(warehouse), Source(sql, ("id",)))

    with pytest.raises(QueryError) as caught:
        sync.read()

    assert "secret" not in str(caught.value)


def test_a_value_that_the_driver_cannot_convert_is_the_querys_error(
    customers: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object) -> None:
        raise ValueError("secret@example.com")

    monkeypatch.setattr(reading, "read_columns", read)

    with pytest.raises(QueryError, match="cannot convert a value") as caught:
        customers.read()

    assert "secret" not in str(caught.value)


def test_bytes_are_the_querys_error(warehouse: Warehouse) -> None:
    raw = "x'00'" if warehouse.dialect == "sqlite" else "'\\x00'::bytea"
    sync = Sync(comparison_in(warehouse), Source(f"select 1 as id, {raw} as email", ("id", "email"), "id"))

    with pytest.raises(QueryError, match="holds bytes"):
        sync.read()


def test_what_tells_rows_apart_is_one_of_the_columns() -> None:
    with pytest.raises(ValueError, match="none of the columns"):
        Source("select 1 as id", ("id",), "email")
