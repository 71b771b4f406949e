"""What is remembered: exactly the rows that were accepted, in one transaction, however often it is said."""

from collections.abc import Callable, Iterator

import pytest

from kustomer_pipeline.warehouse.comparison import ROW, ComparisonError, Source, accepting

from .conftest import SCHEMA, Sync, Warehouse, comparison_in, ids


def all_of(warehouse: Warehouse, columns: str, table: str) -> list[tuple[str, ...]]:
    """These columns of every row of the table whose name begins so."""
    name = next(name for name in warehouse.tables() if name.startswith(table))
    prefix = f"{SCHEMA}_" if warehouse.dialect == "sqlite" else f"{SCHEMA}."
    return sorted(warehouse.ask(f"select {columns} from {prefix}{name}"))


def lines_of(warehouse: Warehouse) -> list[str]:
    """The key of every line."""
    return [row[0] for row in all_of(warehouse, "row_key", "kustomer_lines_")]


def hashes_of(warehouse: Warehouse) -> list[str]:
    """The hashes of all lines."""
    return [row[0] for row in all_of(warehouse, "hash", "kustomer_line_hashes_")]


def test_accepting_twice_leaves_the_same_lines(customers: Sync, warehouse: Warehouse) -> None:
    reading = customers.read()
    rows, keys = reading.rows[ROW].tolist(), [str(key) for key in reading.rows["id"]]
    for _ in range(2):
        assert customers.take(reading, rows, keys, customers.identifiers(reading.rows))

    assert lines_of(warehouse) == ["1", "2", "3"]
    assert hashes_of(warehouse) == [
        "email:ada@example.com",
        "email:bob@example.com",
        "id:1",
        "id:2",
        "id:3",
        "phone:+1",
    ]
    assert ids(customers.read()) == []


def test_a_changed_row_takes_the_place_of_its_line(customers: Sync, warehouse: Warehouse) -> None:
    customers.settle()
    warehouse.run("update customers set email = 'new@example.com' where id = 1")
    customers.settle()

    assert lines_of(warehouse) == ["1", "2", "3"]
    assert hashes_of(warehouse) == [
        "email:bob@example.com",
        "email:new@example.com",
        "id:1",
        "id:2",
        "id:3",
        "phone:+1",
    ]
    assert ids(customers.read()) == []
    warehouse.run("update customers set email = 'ada@example.com' where id = 1")
    assert ids(customers.read()) == [1]


def test_of_two_rows_with_one_key_the_last_one_is_the_line(warehouse: Warehouse) -> None:
    warehouse.run("create table t (id integer, email text)", "insert into t values (1, 'a'), (2, 'b')")
    sync = Sync(comparison_in(warehouse), Source("select * from t", ("id", "email"), "id"))
    reading = sync.read()
    by_id = dict(zip(reading.rows["id"], reading.rows[ROW], strict=True))

    sync.take(reading, [by_id[1], by_id[2]], ["k", "k"], [{"x"}, {"y"}])

    assert lines_of(warehouse) == ["k"]
    assert sync.comparison.holders(sync.read().kept.number, {"x", "y"}) == {"y": "k"}


def test_an_older_reading_that_is_accepted_last_wins(customers: Sync, warehouse: Warehouse) -> None:
    customers.settle()
    warehouse.run("update customers set email = 'old@example.com' where id = 1")
    before = customers.read()
    warehouse.run("update customers set email = 'new@example.com' where id = 1")
    customers.settle()
    assert customers.accept(before, ids=[1])

    assert ids(customers.read()) == [1]
    warehouse.run("update customers set email = 'old@example.com' where id = 1")
    assert ids(customers.read()) == []


def test_what_is_forgotten_is_new_again(customers: Sync, warehouse: Warehouse) -> None:
    customers.settle()
    reading = customers.read()
    assert customers.accept(reading, forget=["2", "no such key"])

    assert ids(customers.read()) == [2]


def test_a_reading_that_is_gone_changes_nothing(customers: Sync, warehouse: Warehouse) -> None:
    customers.settle()
    warehouse.run("delete from customers where id = 3", "update customers set email = 'x' where id = 1")
    old = customers.read()
    customers.read()
    customers.read()

    assert customers.accept(old, forget=["3"]) is False
    assert lines_of(warehouse) == ["1", "2", "3"]


def test_a_reading_whose_rows_the_server_lost_is_gone(customers: Sync, warehouse: Warehouse) -> None:
    """PostgreSQL empties tables of which it writes no log when it crashes."""
    reading = customers.read()
    table = next(name for name in warehouse.tables() if name.startswith("kustomer_rows_"))
    prefix = f"{SCHEMA}_" if warehouse.dialect == "sqlite" else f"{SCHEMA}."
    warehouse.run(f"delete from {prefix}{table}")

    assert customers.accept(reading) is False
    with pytest.raises(ComparisonError, match="read once more since, or somebody removed"):
        customers.comparison.reading(reading.kept.number, rows=3)


def test_nothing_was_ever_read_nothing_can_be_accepted(warehouse: Warehouse) -> None:
    comparison = comparison_in(warehouse)

    assert comparison.accept(1, [1], ["k"], [{"h"}], (), "token", trusted=()) is False
    with pytest.raises(ComparisonError, match="read once more"):
        comparison.reading(None, rows=0)
    comparison.drop()
    assert warehouse.tables() == set()


def test_a_row_of_no_reading_is_an_error_and_changes_nothing(customers: Sync, warehouse: Warehouse) -> None:
    customers.settle()
    reading = customers.read(everything=True)

    with pytest.raises(ComparisonError, match="not of reading"):
        customers.take(reading, [7], ["1"], [set()])

    assert lines_of(warehouse) == ["1", "2", "3"]


def test_an_accept_that_is_killed_leaves_the_lines_as_they_were(
    customers: Sync, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    customers.settle()
    warehouse.run("update customers set email = 'new@example.com' where id = 1")
    reading = customers.read()

    def killed(*_: object) -> Iterator[tuple[str, int]]:
        yield "a hash", 1
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(accepting, "_hashes", killed)
        with pytest.raises(KeyboardInterrupt):
            customers.accept(reading, forget=["2"])

    assert lines_of(warehouse) == ["1", "2", "3"]
    assert ids(customers.read()) == [1]
    assert not [name for name in warehouse.tables() if name.startswith("kustomer_work_")]


@pytest.mark.parametrize("change", ["org", "sync"])
def test_comparisons_do_not_mix(customers: Sync, warehouse: Warehouse, change: str) -> None:
    customers.settle()
    other = Sync(comparison_in(warehouse, **{change: "other"}), customers.source, tokens=set(customers.tokens))

    assert ids(other.read()) == [1, 2, 3]
    other.comparison.drop()
    assert ids(customers.read()) == []


def test_a_comparison_that_is_dropped_leaves_nothing(customers: Sync, warehouse: Warehouse) -> None:
    customers.settle()
    customers.comparison.drop()

    assert warehouse.tables() == {"kustomer_comparisons", "kustomer_readings", "kustomer_types"}
    assert ids(customers.read()) == [1, 2, 3]


def test_what_was_read_before_a_drop_is_not_taken_for_what_is_read_after_it(customers: Sync) -> None:
    before = customers.read()
    customers.comparison.drop()
    customers.read()

    assert customers.accept(before) is False


def test_keys_and_hashes_are_told_apart_by_case_and_spaces(customers: Sync, warehouse: Warehouse) -> None:
    reading = customers.read()
    keys: Callable[[int], str] = ["k", "K", "k "].__getitem__

    customers.take(reading, reading.rows[ROW].tolist(), [keys(n) for n in range(3)], [{"h"}, {"H"}, {"h "}])

    assert set(lines_of(warehouse)) == {"k", "K", "k "}
    assert set(customers.comparison.holders(customers.read().kept.number, {"h", "H"})) == {"h", "H"}


def test_a_long_key_is_a_key(customers: Sync, warehouse: Warehouse) -> None:
    reading = customers.read()
    key = "".join(map(chr, range(200, 6200)))

    customers.take(reading, reading.rows[ROW].tolist()[:1], [key], [{"h"}])

    assert lines_of(warehouse) == [key]


def test_of_a_whole_reading_what_was_accepted_before_goes(customers: Sync, warehouse: Warehouse) -> None:
    customers.settle()
    assert customers.accept(customers.read(everything=True), ids=[2])

    assert lines_of(warehouse) == ["2"]
    assert hashes_of(warehouse) == ["email:bob@example.com", "id:2", "phone:+1"]


def test_lines_that_are_not_trusted_any_more_are_not_added_to(customers: Sync, warehouse: Warehouse) -> None:
    """Between reading and accepting, somebody else's state took the place of ours."""
    customers.settle()
    warehouse.run("update customers set email = 'x' where id = 1")
    ours = customers.read()
    theirs = Sync(comparison_in(warehouse), customers.source, accepted=7)
    theirs.settle()

    assert customers.accept(ours) is False
    assert ids(theirs.read()) == []
    assert ids(customers.read()) == [1, 2, 3]
