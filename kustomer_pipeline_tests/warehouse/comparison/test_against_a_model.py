"""Any tables, edits and acceptances, read by the warehouse and by a model in Python of twenty lines."""

from collections import Counter

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kustomer_pipeline.warehouse.comparison import ROW, Source

from .conftest import Statements, Sync, Warehouse, comparison_in

Row = tuple[int | None, str | None]

rows = st.tuples(st.one_of(st.none(), st.integers(1, 4)), st.one_of(st.none(), st.sampled_from(["a", "A", "a ", "b"])))
tables = st.lists(rows, max_size=7)


def literal(value: object) -> str:
    return "null" if value is None else repr(value)


def key_of(row: Row) -> str:
    """Rows of one content have one key, as in a sync; so have those of one id."""
    return f"id {row[0]}" if row[0] is not None else f"email {row[1]}"


def hashes_of(row: Row) -> set[str]:
    return {f"{name} {value}" for name, value in zip(("id", "email"), row, strict=True) if value is not None}


def model(source: list[Row], lines: dict[str, Row], again: set[str]) -> tuple[Counter[Row], set[str]]:
    """Rows to deliver, keys that are gone."""
    wanted, known = Counter(source), Counter(row for key, row in lines.items() if key not in again)
    chosen = {row for row in wanted if wanted[row] != known[row]}
    while True:
        hashes = set().union(*(hashes_of(row) for row in chosen))
        more = {row for row in wanted if hashes_of(row) & hashes} - chosen
        if not more:
            break
        chosen |= more
    return Counter({row: wanted[row] for row in chosen}), {key for key, row in lines.items() if row not in wanted}


@pytest.mark.parametrize("pair", ["id", None])
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_reading_is_what_the_model_says(kind: str, pair: str | None, request: pytest.FixtureRequest) -> None:
    run: Statements = request.getfixturevalue(kind)
    warehouse = Warehouse(run, run("create table t (id integer, email text)"))

    @given(steps=st.lists(st.tuples(tables, st.data()), min_size=1, max_size=3))
    @settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
    def check(steps: list[tuple[list[Row], st.DataObject]]) -> None:
        sync = Sync(comparison_in(warehouse), Source("select * from t", ("id", "email"), pair))
        sync.comparison.drop()
        sync.identifiers = lambda frame: [hashes_of(row) for row in plain(frame)]  # type: ignore[method-assign]
        lines: dict[str, Row] = {}
        for number, (table, data) in enumerate(steps):
            values = ", ".join(f"({literal(first)}, {literal(second)})" for first, second in table)
            run("delete from t", *([f"insert into t values {values}"] if table else []))
            again = set(data.draw(st.lists(st.sampled_from(sorted(lines)), max_size=2))) if lines else set()

            reading = sync.read(again=again)

            delivered = plain(reading.rows)
            expected, gone = model(table, lines, again) if number else (Counter(table), set())
            assert Counter(delivered) == expected
            assert set(sync.comparison.gone(reading.kept.number)) == gone
            assert reading.kept.source_rows == len(table) == len(delivered) + reading.kept.stayed
            accepted = data.draw(st.sets(st.sampled_from(range(len(delivered))))) if delivered else set()
            places = sorted(accepted)
            sync.accepted = number
            assert sync.take(
                reading,
                [int(reading.rows[ROW].iloc[place]) for place in places],
                [key_of(delivered[place]) for place in places],
                [hashes_of(delivered[place]) for place in places],
            )
            lines |= {key_of(delivered[place]): delivered[place] for place in places}

    check()


def plain(frame: pd.DataFrame) -> list[Row]:
    """The rows of a frame as they were inserted."""
    return [
        (None if pd.isna(number) else int(number), None if pd.isna(email) else str(email))
        for number, email in zip(frame["id"], frame["email"], strict=True)
    ]
