"""Keys of lines whose row the source has no more; and which identifiers belong to a row that stayed."""

from typing import Any

from .conftest import Sync, Warehouse


def gone(sync: Sync, **options: Any) -> list[str]:
    return sorted(sync.comparison.gone(sync.read(**options).kept.number))


def test_a_row_that_left_the_source_is_gone(customers: Sync, warehouse: Warehouse) -> None:
    customers.settle()
    warehouse.run("delete from customers where id = 2")

    reading = customers.read()

    assert list(customers.comparison.gone(reading.kept.number)) == ["2"]
    assert (len(reading.rows), reading.kept.source_rows, reading.kept.stayed) == (0, 2, 2)


def test_a_row_that_changed_is_gone_as_it_was(customers: Sync, warehouse: Warehouse) -> None:
    customers.settle()
    warehouse.run("update customers set email = 'x' where id = 2")

    assert gone(customers) == ["2"]


def test_what_was_never_accepted_is_not_gone(customers: Sync, warehouse: Warehouse) -> None:
    customers.accept(customers.read(), ids=[1])
    warehouse.run("delete from customers")

    assert gone(customers) == ["1"]


def test_a_line_of_which_nobody_knows_what_became_is_gone_without_an_equal_row(
    customers: Sync, warehouse: Warehouse
) -> None:
    customers.settle()
    warehouse.run("delete from customers where id = 2")

    assert gone(customers, again=["1", "2"]) == ["2"]


def test_a_line_whose_token_is_not_trusted_is_not_gone(customers: Sync, warehouse: Warehouse) -> None:
    customers.settle()
    customers.tokens = {"another"}
    warehouse.run("delete from customers")

    assert gone(customers) == []


def test_of_a_whole_reading_nothing_is_gone_for_everything_is_here(customers: Sync, warehouse: Warehouse) -> None:
    customers.settle()
    warehouse.run("delete from customers where id = 2")

    assert gone(customers, everything=True) == []


def test_a_row_that_came_along_is_not_gone(customers: Sync, warehouse: Warehouse) -> None:
    customers.settle()
    warehouse.run("update customers set email = 'ada@example.com' where id = 3")

    assert gone(customers) == ["3"]


def test_accepting_does_not_change_what_was_gone(customers: Sync, warehouse: Warehouse) -> None:
    customers.settle()
    warehouse.run("delete from customers where id = 2")
    reading = customers.read()
    customers.accept(reading, forget=["2"])

    assert list(customers.comparison.gone(reading.kept.number)) == ["2"]


def test_identifiers_of_a_row_that_is_as_accepted_are_found(customers: Sync, warehouse: Warehouse) -> None:
    customers.settle()
    warehouse.run("update customers set phone = '+2' where id = 2", "delete from customers where id = 3")

    asked = {"id:1", "email:ada@example.com", "id:2", "id:3", "no such hash"}

    found = customers.comparison.holders(customers.read().kept.number, asked)
    assert found == {"id:1": "1", "email:ada@example.com": "1"}
    assert customers.comparison.holders(customers.read(everything=True).kept.number, asked) == {}
