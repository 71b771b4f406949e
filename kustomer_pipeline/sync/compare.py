"""What has changed since it was accepted: the mapped frame against what is remembered, column by column.

    mapped frame + Snapshot → Comparison

No Python object per cell: keys and fingerprints are compared as Arrow arrays (law 9: unchanged costs nothing).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kustomer_pipeline.mapping import CODES, INVALID, KEY, ROW

from .state import Snapshot

_HASHED_AT_ONCE = 50_000  # rows: of each text column as many Python objects are in memory


@dataclass(frozen=True)
class Comparison:
    """Positions of the rows of a frame, by what has to be done; every row is in exactly one of the first five.

    invalid: refused by mapping. repeated: the same member again (audiences). unchanged: accepted as it is. known:
    skipped last time, with its record, and still as it was; in an audience another row still is that member. pending:
    to be attempted, those that were refused before last. `missing` are those of the pending that are here only because
    Kustomer did not have them last time; `changed` those whose record was accepted before, with another content.
    `accepted`: how many records were, of the frame and beyond it. `news`: invalid rows that are not remembered as such.
    `absent`: places in the snapshot of keys not in the frame.
    Aligned with the frame are `keys`, `prints` and (null: nothing is remembered) `ids` and `places`: where in the
    `snapshot` the row is.
    """

    invalid: np.ndarray
    repeated: np.ndarray
    unchanged: np.ndarray
    known: np.ndarray
    pending: np.ndarray
    missing: np.ndarray
    changed: np.ndarray
    news: np.ndarray
    absent: np.ndarray
    accepted: int
    keys: pa.Array
    prints: np.ndarray
    ids: pa.Array
    places: pa.Array
    snapshot: Snapshot

    def has_record(self, kustomer_id: str) -> bool:
        """Whether a row of the frame is that record, as far as is remembered."""
        return bool(pc.any(pc.equal(self.ids, kustomer_id)).as_py())

    def remembered(self, positions: np.ndarray) -> Snapshot:
        """What is remembered of the rows at these positions, all of it null where nothing is.

        Taken when it is asked for: of a million rows of a frame it would be another 20 MB, of which a run needs little.
        """
        places = self.places.take(pa.array(positions))
        return Snapshot(*(getattr(self.snapshot, column.name).take(places) for column in fields(Snapshot)))


def fingerprints(mapped: pd.DataFrame, signature: str) -> np.ndarray:
    """int64 per row over every mapped column and the specification's signature. Vectorised."""
    content = mapped.drop(columns=[KEY, INVALID, CODES, ROW], errors="ignore")
    prints = np.zeros(len(content), dtype=np.int64)
    if content.shape[1] == 0:
        return prints
    salt = hashlib.blake2b(signature.encode(), digest_size=8).hexdigest()  # hash_key takes 16 characters
    for start in range(0, len(content), _HASHED_AT_ONCE):
        part = content.iloc[start : start + _HASHED_AT_ONCE]
        hashed = pd.util.hash_pandas_object(part, index=False, hash_key=salt)
        prints[start : start + _HASHED_AT_ONCE] = hashed.to_numpy().view(np.int64)
    return prints


def compare(
    mapped: pd.DataFrame,
    prints: np.ndarray,
    snapshot: Snapshot,
    *,
    full_resync: bool = False,
    again: Collection[str] = (),
    same_definition: bool | None = True,
    keep_first_of_repeated: bool = False,
    stayed: int = 0,
) -> Comparison:
    """Sort the rows of a mapped frame by what has to be done with them.

    full_resync: none of them is unchanged; again: none with one of these keys. same_definition: the fingerprints
    remembered were made by the same definition of the sync, so that a difference is a change of the data. None: nobody
    wrote it down; then one row that is as it was proves it. stayed: rows as they were accepted that the frame does not
    have.
    """
    keys = texts(mapped[KEY])
    found = pc.index_in(keys, value_set=snapshot.keys)
    in_frame = np.zeros(len(snapshot.keys), dtype=bool)
    in_frame[pc.drop_null(found).to_numpy(zero_copy_only=False)] = True
    statuses, remembered = snapshot.statuses.take(found), snapshot.fingerprints.take(found)
    has_print = _mask(pc.is_valid(remembered))
    as_it_was = has_print & (pc.fill_null(remembered, 0).to_numpy(zero_copy_only=False) == prints)
    ids = snapshot.kustomer_ids.take(found)
    with_id = _mask(pc.is_valid(ids))

    invalid = mapped[INVALID].notna().to_numpy()
    settled = np.full(len(mapped), not full_resync)
    if again:
        settled &= ~_mask(pc.is_in(keys, value_set=pa.array(sorted(again), pa.string())))
    repeated = np.zeros(len(mapped), dtype=bool)
    if keep_first_of_repeated:
        repeated[~invalid] = mapped.loc[~invalid, KEY].duplicated().to_numpy()
    valid = ~invalid & ~repeated
    was_accepted = _is(statuses, "accepted")
    unchanged = valid & as_it_was & was_accepted & settled
    skipped = valid & as_it_was & _is(statuses, "skipped") & settled
    known = skipped & with_id
    if keep_first_of_repeated and known.any():
        known &= _mask(pc.is_in(ids, value_set=ids.filter(pa.array(unchanged))))
    pending = valid & ~unchanged & ~known
    refused = _is(statuses, "rejected")
    if same_definition is None:
        same_definition = bool(np.any(as_it_was & was_accepted))
    changed = valid & was_accepted & has_print & ~as_it_was & same_definition
    pa.default_memory_pool().release_unused()  # the dictionary of all keys, 60 MB a million
    return Comparison(
        invalid=np.flatnonzero(invalid),
        repeated=np.flatnonzero(repeated),
        unchanged=np.flatnonzero(unchanged),
        known=np.flatnonzero(known),
        pending=np.concatenate([np.flatnonzero(pending & ~refused), np.flatnonzero(pending & refused)]),
        missing=np.flatnonzero(skipped & ~with_id),
        changed=np.flatnonzero(changed),
        news=np.flatnonzero(invalid & ~(as_it_was & _is(statuses, "invalid"))),
        absent=np.flatnonzero(~in_frame),
        accepted=int(np.count_nonzero(valid & was_accepted)) + stayed,
        keys=keys,
        prints=prints,
        ids=ids,
        places=found,
        snapshot=snapshot,
    )


def texts(column: pd.Series) -> pa.Array:
    """A column of text as one Arrow array."""
    array = pa.array(column, type=pa.string(), from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _is(statuses: pa.Array, status: str) -> np.ndarray:
    return _mask(pc.fill_null(pc.equal(statuses, status), False))


def _mask(array: pa.Array) -> np.ndarray:
    return np.asarray(array.to_numpy(zero_copy_only=False))
