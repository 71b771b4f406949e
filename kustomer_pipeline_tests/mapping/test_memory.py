"""A mapping of many rows holds its two frames and little besides: what is made on the way is made of some rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from kustomer_pipeline.mapping import FieldMapping, field_type, map_frame
from kustomer_pipeline.mapping.convert import Converted, convert
from kustomer_pipeline.mapping.keys import IdentifierColumn, duplicates_of, row_keys

ROWS = 100_000
POOLS: list[pa.MemoryPool] = []  # each has to outlive the arrays that were made in it

COLUMNS: dict[str, Callable[[int], Any]] = {
    "email": lambda n: f"  User{n}@Example.com",
    "signedUpAt": lambda n: f"2026-01-{n % 28 + 1:02}T03:04:05+02:00",
    "custom.scoreNum": lambda n: f"{n}.5",
}
NASTY = ["a@b.com", None, "A@B.com ", "no", "2024-02-30", "7", "x" * 300, "2024-02-29", " ", "c@d.com", "9" * 20, "+1"]


def peak_of(work: Callable[[], object]) -> tuple[int, Any]:
    """The most bytes that Arrow held at once for this work, and its result."""
    usual, pool = pa.default_memory_pool(), pa.proxy_memory_pool(pa.system_memory_pool())
    POOLS.append(pool)
    pa.set_memory_pool(pool)
    try:
        result = work()
    finally:
        pa.set_memory_pool(usual)
    return pool.max_memory() or 0, result


@pytest.mark.parametrize("field", COLUMNS)
def test_a_conversion_holds_its_column_twice_and_never_more(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once in parts, and once put together. At once it would be more than three times, or six for dates."""
    series = pd.Series([COLUMNS[field](n) for n in range(ROWS)], dtype="string")
    kind = field_type("customers", field)

    def peak() -> float:
        most, converted = peak_of(lambda: convert(series, kind))
        assert isinstance(converted, Converted)
        assert converted.values.null_count == 0
        return float(most / converted.values.nbytes)

    monkeypatch.setattr("kustomer_pipeline.mapping.convert._AT_ONCE", ROWS // 50)
    assert peak() < 2.2
    monkeypatch.setattr("kustomer_pipeline.mapping.convert._AT_ONCE", ROWS)
    assert peak() > 3


def test_duplicates_are_found_without_a_dictionary_of_all_identifiers() -> None:
    keys = pa.array([f"C{n:012}" for n in range(ROWS)] + ["C000000000007"], pa.large_string())
    named = row_keys([("externalId", [keys])], len(keys))
    most, refused = peak_of(lambda: duplicates_of(named, {"externalId": [IdentifierColumn("externalId", keys)]}))
    assert [reason.rows.tolist() for reason in refused] == [[7], [ROWS]]
    of_dictionary, _ = peak_of(keys.dictionary_encode)
    assert most < keys.nbytes / 4 < of_dictionary


def test_the_column_of_keys_is_that_of_its_field() -> None:
    """Where nothing had to be trimmed, it is not there a second time."""
    ids = pa.array([f"C{n}" for n in range(10)], pa.large_string())
    spaces = pa.array([" C1", *ids.to_pylist()[1:]], pa.large_string())
    assert row_keys([("externalId", [ids])], 10).values.buffers()[2].address == ids.buffers()[2].address
    assert row_keys([("externalId", [spaces])], 10).values.to_pylist() == ["C1", *ids.to_pylist()[1:]]


@pytest.mark.parametrize("cells", [1, 5, 12])
def test_in_parts_every_row_has_the_same_values_and_reasons(monkeypatch: pytest.MonkeyPatch, cells: int) -> None:
    names = ("externalId", "email", "phone", "signedUpAt", "custom.scoreNum", "custom.openBool", "name")
    fields = [FieldMapping(name, (name,)) for name in names]
    rolled = {name: NASTY[place:] + NASTY[:place] for place, name in enumerate(names)}
    frame = pd.DataFrame({name: pd.Series(cells, dtype="string") for name, cells in rolled.items()})

    def mapped() -> pd.DataFrame:
        return map_frame(frame, fields, object_name="customers", match_on=["externalId", "email"], default_region="DE")

    whole = mapped()
    assert whole["_invalid"].notna().sum() > len(NASTY) / 2
    monkeypatch.setattr("kustomer_pipeline.mapping.convert._AT_ONCE", cells)
    monkeypatch.setattr("kustomer_pipeline.mapping.keys._HASHED_AT_ONCE", cells)
    monkeypatch.setattr("kustomer_pipeline.mapping.phones._AT_ONCE", cells)
    pd.testing.assert_frame_equal(mapped(), whole)


def test_identifiers_that_share_a_hash_are_no_duplicates(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = pa.array(["a", "b", "c", "b", None], pa.large_string())
    named, columns = row_keys([("externalId", [keys])], 5), {"externalId": [IdentifierColumn("externalId", keys)]}
    found = [(reason.rows.tolist(), reason.text) for reason in duplicates_of(named, columns)]
    assert [rows for rows, _ in found] == [[1], [3]]
    monkeypatch.setattr("kustomer_pipeline.mapping.keys._hashes", lambda texts: np.zeros(len(texts), dtype=np.uint64))
    assert [(reason.rows.tolist(), reason.text) for reason in duplicates_of(named, columns)] == found
