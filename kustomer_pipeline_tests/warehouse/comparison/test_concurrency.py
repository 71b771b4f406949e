"""Two readings of one sync at once do not mix, and each is of one moment."""

import pandas as pd
import pytest

from kustomer_pipeline.warehouse.comparison import Reading

from .conftest import Sync, Warehouse, comparison_in, ids


def test_a_reading_within_a_reading_has_a_number_and_rows_of_its_own(customers: Sync, warehouse: Warehouse) -> None:
    if warehouse.dialect == "sqlite":
        pytest.skip("SQLite has one writer at a time: the second reading waits for the first")
    customers.settle()
    warehouse.run("update customers set email = 'x' where id = 1")
    other = Sync(comparison_in(warehouse), customers.source, tokens=customers.tokens)
    inner: list[Reading] = []

    def meanwhile(frame: pd.DataFrame) -> list[set[str]]:
        if not inner:
            warehouse.run("update customers set email = 'y' where id = 2")
            inner.append(other.read())
        return [set() for _ in range(len(frame))]

    customers.identifiers = meanwhile  # type: ignore[method-assign]
    outer = customers.read()

    assert outer.kept.number < inner[0].kept.number
    assert ids(outer) == [1]
    assert (outer.kept.source_rows, outer.kept.stayed) == (3, 2)
    assert ids(inner[0]) == [1, 2]
    assert customers.comparison.reading(outer.kept.number, rows=1) == outer.kept
