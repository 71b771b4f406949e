"""One person's lines are removed, with whatever was read; a later reading is emptied of them in place."""

import pytest

from kustomer_pipeline.warehouse.comparison import ROW, ComparisonError

from .conftest import SCHEMA, Sync, Warehouse, comparison_in, ids
from .test_accept import hashes_of, lines_of


def cells(warehouse: Warehouse) -> str:
    """Every cell of every table of ours."""
    prefix = f"{SCHEMA}_" if warehouse.dialect == "sqlite" else f"{SCHEMA}."
    return repr([warehouse.ask(f"select * from {prefix}{name}") for name in sorted(warehouse.tables())])


def test_lines_go_by_key_and_by_hash(customers: Sync, warehouse: Warehouse) -> None:
    customers.settle()
    assert "bob@example.com" in cells(warehouse)
    assert customers.comparison.forget(["1", "no such key"], ["email:bob@example.com", "email:nobody"]) == 2
    assert lines_of(warehouse) == ["3"]
    assert hashes_of(warehouse) == ["id:3"]
    assert not any(text in cells(warehouse) for text in ("ada@example.com", "bob@example.com", "+1"))
    assert customers.comparison.forget(["1"], ["email:bob@example.com"]) == 0


def test_the_other_lines_count_as_before_and_the_forgotten_are_new(customers: Sync) -> None:
    customers.settle()
    customers.comparison.forget(["1"], [])
    assert ids(customers.read()) == [1]


def test_what_was_read_before_is_gone_and_says_so(customers: Sync) -> None:
    reading = customers.read()
    customers.comparison.forget(["1"], [])
    with pytest.raises(ComparisonError, match="run the sync again from its first step"):
        customers.comparison.reading(reading.kept.number, rows=3)
    assert not customers.accept(reading)
    assert ids(customers.read()) == [1, 2, 3]


def test_other_comparisons_are_not_touched(customers: Sync, warehouse: Warehouse) -> None:
    customers.settle()
    for other in (comparison_in(warehouse, org="another"), comparison_in(warehouse, sync="another")):
        assert other.forget(["1"], ["id:1"]) == 0
        assert other.keys_with(["id:1"]) == set()
    assert lines_of(warehouse) == ["1", "2", "3"]


def test_where_nothing_was_ever_compared_there_is_nothing_to_do(warehouse: Warehouse) -> None:
    nothing = comparison_in(warehouse)
    assert nothing.forget(["1"], ["id:1"]) == 0
    assert nothing.keys_with(["id:1"]) == set()
    nothing.withhold([1 << 32 | 1])
    assert warehouse.tables() == set()


def test_keys_are_told_by_hash(customers: Sync) -> None:
    customers.settle()
    assert customers.comparison.keys_with(["email:ada@example.com", "phone:+1", "id:9"]) == {"1", "2"}
    assert customers.comparison.keys_with([]) == set()


def test_rows_of_a_reading_are_emptied_and_the_reading_stays_what_it_is(customers: Sync, warehouse: Warehouse) -> None:
    reading = customers.read()
    by_id = dict(zip(reading.rows["id"], reading.rows[ROW], strict=True))
    customers.comparison.withhold([by_id[2]])
    assert not any(text in cells(warehouse) for text in ("bob@example.com", "+1"))
    assert "ada@example.com" in cells(warehouse)
    assert customers.comparison.reading(reading.kept.number, rows=3) == reading.kept
    assert customers.accept(reading, [1, 3])
    assert lines_of(warehouse) == ["1", "3"]
    assert ids(customers.read()) == [2]
