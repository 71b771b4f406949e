"""Which rows need attention: the frame against what the state remembers, column by column.

No Python object per cell: keys and fingerprints are compared as Arrow arrays (law 9: unchanged costs nothing).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from .remembered import Snapshot


@dataclass(frozen=True)
class Selection:
    """Positions of the rows of a frame, by what has to be done; every row is in exactly one of the five.

    invalid: refused by mapping. repeated: the same member again (audiences). unchanged: accepted as it is.
    settled: skipped last time, and still as it was. pending: to be attempted. `missing` are those of the pending that
    are only here because Kustomer did not know them last time.
    `ids`, `statuses`: what the state knows of every row of the frame (null where nothing).
    """

    invalid: np.ndarray
    repeated: np.ndarray
    unchanged: np.ndarray
    settled: np.ndarray
    pending: np.ndarray
    missing: np.ndarray
    ids: pa.Array
    statuses: pa.Array
    owned: pa.Array
    stale: np.ndarray


def fingerprints(mapped: pd.DataFrame, signature: str) -> np.ndarray:
    """int64 per row over every mapped column and the specification's signature. Vectorised."""
    content = mapped.drop(columns=["_key", "_invalid"])
    if content.shape[1] == 0 or len(content) == 0:
        return np.zeros(len(content), dtype=np.int64)
    salt = hashlib.blake2b(signature.encode(), digest_size=8).hexdigest()  # hash_key takes 16 characters
    hashed = pd.util.hash_pandas_object(content, index=False, hash_key=salt)
    return hashed.to_numpy().view(np.int64)


def select(
    mapped: pd.DataFrame,
    prints: np.ndarray,
    snapshot: Snapshot,
    *,
    full_resync: bool = False,
    keep_first_of_repeated: bool = False,
) -> Selection:
    """Sort the rows of a mapped frame by what has to be done with them."""
    keys = _texts(mapped["_key"])
    found = pc.index_in(keys, value_set=snapshot.keys)
    known = pc.is_valid(found).to_numpy(zero_copy_only=False)
    statuses = snapshot.statuses.take(found)
    ids = snapshot.kustomer_ids.take(found)
    remembered = pc.fill_null(snapshot.fingerprints.take(found), 0).to_numpy(zero_copy_only=False)
    has_print = pc.is_valid(snapshot.fingerprints.take(found)).to_numpy(zero_copy_only=False)
    as_it_was = known & has_print & (remembered == prints)

    invalid = mapped["_invalid"].notna().to_numpy()
    repeated = np.zeros(len(mapped), dtype=bool)
    if keep_first_of_repeated:
        repeated = mapped["_key"].duplicated().to_numpy() & ~invalid
    valid = ~invalid & ~repeated
    with_id = pc.is_valid(ids).to_numpy(zero_copy_only=False)
    unchanged = valid & as_it_was & _is(statuses, "accepted") & (not full_resync)
    skipped = valid & as_it_was & _is(statuses, "skipped") & (not full_resync)
    settled = skipped & with_id
    return Selection(
        invalid=np.flatnonzero(invalid),
        repeated=np.flatnonzero(repeated),
        unchanged=np.flatnonzero(unchanged),
        settled=np.flatnonzero(settled),
        pending=np.flatnonzero(valid & ~unchanged & ~settled),
        missing=np.flatnonzero(skipped & ~with_id),
        ids=ids,
        statuses=statuses,
        owned=snapshot.owned.take(found),
        stale=np.flatnonzero(invalid & ~(as_it_was & _is(statuses, "invalid"))),
    )


def absent_keys(mapped: pd.DataFrame, snapshot: Snapshot) -> np.ndarray:
    """Positions in the snapshot of the rows whose key is not in the frame."""
    there = pc.is_in(snapshot.keys, value_set=_texts(mapped["_key"]))
    return np.flatnonzero(~there.to_numpy(zero_copy_only=False))


def _is(statuses: pa.Array, status: str) -> np.ndarray:
    return np.asarray(pc.fill_null(pc.equal(statuses, status), False).to_numpy(zero_copy_only=False))


def _texts(column: pd.Series) -> pa.Array:
    array = pa.array(column, type=pa.string(), from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
