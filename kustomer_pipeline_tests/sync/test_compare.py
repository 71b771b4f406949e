"""Which rows need attention: by key and fingerprint, without looking at Kustomer."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from kustomer_pipeline.sync.compare import Comparison, compare, fingerprints
from kustomer_pipeline.sync.state import Snapshot

SORTED_INTO = ("invalid", "repeated", "unchanged", "known", "pending")


def frame(keys: list[str], names: list[str | None], invalid: list[str | None] | None = None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "_key": pd.Series(keys, dtype="string"),
            "name": pd.Series(names, dtype="string"),
            "_invalid": pd.Series(invalid or [None] * len(keys), dtype="string"),
        }
    )


def snapshot(*rows: tuple[str, int | None, str, str | None]) -> Snapshot:
    keys, prints, statuses, ids = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Snapshot(
        pa.array(keys, pa.string()),
        pa.array(prints, pa.int64()),
        pa.array(statuses, pa.string()),
        pa.array(ids, pa.string()),
        pa.array([False] * len(keys), pa.bool_()),
        pa.array([None] * len(keys), pa.timestamp("us", "UTC")),
    )


def accounts_for(compared: Comparison, rows: int) -> bool:
    """Every row is in exactly one of the five."""
    found = np.concatenate([getattr(compared, name) for name in SORTED_INTO])
    return sorted(found.tolist()) == list(range(rows))


def test_a_fingerprint_does_not_depend_on_the_rows_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    mapped = frame([str(n) for n in range(20)], [None if n % 3 else f"v{n % 4}" for n in range(20)])
    whole = fingerprints(mapped, "s").tolist()
    monkeypatch.setattr("kustomer_pipeline.sync.compare._HASHED_AT_ONCE", 7)
    assert fingerprints(mapped, "s").tolist() == whole


def test_a_fingerprint_changes_with_the_value_and_with_the_specification() -> None:
    prints = fingerprints(frame(["a", "b"], ["Ann", "Ann"]), "spec")
    assert prints[0] == prints[1]
    assert prints[0] != fingerprints(frame(["a"], ["Anna"]), "spec")[0]
    assert prints[0] != fingerprints(frame(["a"], [None]), "spec")[0]
    assert prints[0] != fingerprints(frame(["a"], ["Ann"]), "other")[0]


def test_the_reasons_of_a_row_are_no_part_of_its_fingerprint() -> None:
    mapped = frame(["a"], ["Ann"])
    assert fingerprints(mapped.assign(_invalid="no", _codes="x"), "spec") == fingerprints(mapped, "spec")


def test_rows_are_sorted_by_what_has_to_be_done() -> None:
    mapped = frame(
        ["same", "changed", "new", "bad", "exists", "missing", "refused"], ["x"] * 7, [None] * 3 + ["no"] + [None] * 3
    )
    prints = fingerprints(mapped, "s")
    known = snapshot(
        ("same", int(prints[0]), "accepted", "1"),
        ("changed", 1, "accepted", "2"),
        ("exists", int(prints[4]), "skipped", "5"),
        ("missing", int(prints[5]), "skipped", None),
        ("refused", None, "rejected", "7"),
    )
    compared = compare(mapped, prints, known)
    assert compared.unchanged.tolist() == [0]
    assert compared.invalid.tolist() == [3]
    assert compared.known.tolist() == [4]
    assert compared.pending.tolist() == [1, 2, 5, 6]
    assert compared.missing.tolist() == [5]
    assert compared.changed.tolist() == [1]
    assert compared.accepted == 2
    assert compared.ids.to_pylist() == ["1", "2", None, None, "5", None, "7"]
    assert accounts_for(compared, 7)
    remembered = compared.remembered(np.array([4, 2, 1]))
    assert remembered.statuses.to_pylist() == ["skipped", None, "accepted"]
    assert remembered.kustomer_ids.to_pylist() == ["5", None, "2"]
    assert remembered.owned.to_pylist() == [False, None, False]


def test_rows_that_were_refused_before_come_last() -> None:
    mapped = frame(["a", "b", "c"], ["x", "y", "z"])
    compared = compare(mapped, fingerprints(mapped, "s"), snapshot(("a", None, "rejected", None)))
    assert compared.pending.tolist() == [1, 2, 0]


def test_a_full_resync_looks_at_every_valid_row() -> None:
    mapped = frame(["same", "bad"], ["x", "y"], [None, "no"])
    prints = fingerprints(mapped, "s")
    compared = compare(mapped, prints, snapshot(("same", int(prints[0]), "accepted", "1")), full_resync=True)
    assert compared.pending.tolist() == [0]
    assert compared.changed.tolist() == []
    assert accounts_for(compared, 2)


def test_empty_frames_and_empty_states_are_fine() -> None:
    mapped = frame([], [])
    compared = compare(mapped, fingerprints(mapped, "s"), snapshot(("gone", 1, "accepted", "1")))
    assert compared.pending.tolist() == []
    assert compared.absent.tolist() == [0]
    mapped = frame(["a"], ["x"])
    assert compare(mapped, fingerprints(mapped, "s"), snapshot()).pending.tolist() == [0]


def test_the_same_member_again_is_told_apart_and_the_first_valid_one_counts() -> None:
    mapped = frame(["a", "a", "a", "b"], ["x", "y", "z", "x"], ["no", None, None, None])
    compared = compare(mapped, fingerprints(mapped, "s"), snapshot(), keep_first_of_repeated=True)
    assert compared.invalid.tolist() == [0]
    assert compared.pending.tolist() == [1, 3]
    assert compared.repeated.tolist() == [2]
    assert accounts_for(compared, 4)


def test_a_row_without_a_fingerprint_is_attempted_and_is_no_change_of_the_data() -> None:
    mapped = frame(["a"], ["x"])
    compared = compare(mapped, fingerprints(mapped, "s"), snapshot(("a", None, "accepted", "1")))
    assert compared.pending.tolist() == [0]
    assert compared.changed.tolist() == []


def test_another_definition_of_the_sync_changes_no_data() -> None:
    mapped = frame(["a", "b"], ["x", "y"])
    known = snapshot(("a", 1, "accepted", "1"), ("b", 2, "accepted", "2"))
    prints = fingerprints(mapped, "s")
    assert compare(mapped, prints, known, same_definition=True).changed.tolist() == [0, 1]
    assert compare(mapped, prints, known, same_definition=False).changed.tolist() == []
    assert compare(mapped, prints, known, same_definition=False).pending.tolist() == [0, 1]


def test_one_row_that_is_as_it_was_proves_the_definition() -> None:
    mapped = frame(["a", "b"], ["x", "y"])
    prints = fingerprints(mapped, "s")
    one_equal = snapshot(("a", int(prints[0]), "accepted", "1"), ("b", 2, "accepted", "2"))
    none_equal = snapshot(("a", 1, "accepted", "1"), ("b", 2, "accepted", "2"))
    assert compare(mapped, prints, one_equal, same_definition=None).changed.tolist() == [1]
    assert compare(mapped, prints, none_equal, same_definition=None).changed.tolist() == []


def test_an_invalid_row_is_news_until_it_is_remembered_as_such() -> None:
    mapped = frame(["a", "b", "c"], ["x", "y", "z"], ["no", "no", "no"])
    prints = fingerprints(mapped, "s")
    known = snapshot(("a", int(prints[0]), "invalid", None), ("b", int(prints[1]), "accepted", "2"))
    assert compare(mapped, prints, known).news.tolist() == [1, 2]
