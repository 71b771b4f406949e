"""Which rows need attention: by key and fingerprint, without looking at Kustomer."""

import pandas as pd
import pyarrow as pa

from kustomer_pipeline.sync.changes import absent_keys, fingerprints, select
from kustomer_pipeline.sync.remembered import Snapshot


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
    )


def test_a_fingerprint_changes_with_the_value_and_with_the_specification() -> None:
    prints = fingerprints(frame(["a", "b"], ["Ann", "Ann"]), "spec")
    assert prints[0] == prints[1]
    assert prints[0] != fingerprints(frame(["a"], ["Anna"]), "spec")[0]
    assert prints[0] != fingerprints(frame(["a"], [None]), "spec")[0]
    assert prints[0] != fingerprints(frame(["a"], ["Ann"]), "other")[0]


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
    chosen = select(mapped, prints, known)
    assert [0] == chosen.unchanged.tolist()
    assert [3] == chosen.invalid.tolist()
    assert [4] == chosen.settled.tolist()
    assert [1, 2, 5, 6] == chosen.pending.tolist()
    assert [5] == chosen.missing.tolist()
    assert ["1", "2", None, None, "5", None, "7"] == chosen.ids.to_pylist()


def test_a_full_resync_looks_at_every_valid_row() -> None:
    mapped = frame(["same", "bad"], ["x", "y"], [None, "no"])
    prints = fingerprints(mapped, "s")
    chosen = select(mapped, prints, snapshot(("same", int(prints[0]), "accepted", "1")), full_resync=True)
    assert [0] == chosen.pending.tolist()


def test_empty_frames_and_empty_states_are_fine() -> None:
    mapped = frame([], [])
    chosen = select(mapped, fingerprints(mapped, "s"), snapshot(("gone", 1, "accepted", "1")))
    assert [] == chosen.pending.tolist()
    assert [0] == absent_keys(mapped, snapshot(("gone", 1, "accepted", "1"))).tolist()
    mapped = frame(["a"], ["x"])
    assert [0] == select(mapped, fingerprints(mapped, "s"), snapshot()).pending.tolist()
