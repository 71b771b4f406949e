"""The columns of the source are others than they were: nothing is as accepted."""

import pytest

from kustomer_pipeline.warehouse.comparison import Source

from .conftest import Sync, Warehouse, ids


def test_a_column_more_delivers_everything_once(customers: Sync) -> None:
    customers.source = Source("select * from customers", ("id", "email"), "id")
    customers.settle()
    customers.source = Source("select * from customers", ("id", "email", "phone"), "id")

    assert ids(customers.read()) == [1, 2, 3]
    customers.settle()
    assert ids(customers.read()) == []


def test_a_column_less_delivers_everything_once(customers: Sync) -> None:
    customers.settle()
    customers.source = Source("select * from customers", ("id", "email"), "id")

    assert ids(customers.read()) == [1, 2, 3]
    customers.settle()
    assert ids(customers.read()) == []


def test_the_order_of_the_columns_is_of_no_account(customers: Sync) -> None:
    customers.settle()
    customers.source = Source("select * from customers", ("phone", "id", "email"), "id")

    reading = customers.read()

    assert ids(reading) == []
    assert list(reading.rows.columns)[:3] == ["phone", "id", "email"]


@pytest.mark.parametrize("retyped", ["cast(phone as integer)", "cast(phone as numeric)"])
def test_a_column_of_another_type_delivers_everything(warehouse: Warehouse, customers: Sync, retyped: str) -> None:
    warehouse.run("update customers set phone = '1'")
    customers.settle()
    customers.source = Source(f"select id, email, {retyped} as phone from customers", ("id", "email", "phone"), "id")

    assert ids(customers.read()) == [1, 2, 3]


def test_a_reading_with_other_columns_cannot_be_accepted_any_more(customers: Sync) -> None:
    before = customers.read()
    customers.source = Source("select * from customers", ("id", "email"), "id")
    after = customers.read()

    assert not customers.accept(before)
    assert customers.accept(after)


def test_lines_that_somebody_dropped_are_made_anew(customers: Sync, warehouse: Warehouse) -> None:
    customers.settle()
    lines = next(name for name in warehouse.tables() if name.startswith("kustomer_lines_"))
    prefix = "kustomer_sync_" if warehouse.dialect == "sqlite" else "kustomer_sync."
    warehouse.run(f"drop table {prefix}{lines}")

    assert ids(customers.read()) == [1, 2, 3]
