"""Which rows are looked at: of those that are as they were accepted all, or some by chance, the same ones if a run is
repeated, in whatever order they come.

    a frame with every row         → sample_of
    rows that stay in the warehouse → keys_to_look_at: their rows leave it for this look, and no others
"""

from __future__ import annotations

from itertools import chain, islice

import numpy as np
import pandas as pd

from kustomer_pipeline.mapping import KEY, salted_hashes

from ..audience_tag import scope_of
from ..spec import SyncSpec
from ..state import StateStore

_AT_ONCE = 100_000  # keys whose hashes are in memory


def sample_of(mapped: pd.DataFrame, positions: np.ndarray, size: int | None, seed: str) -> np.ndarray:
    """At most `size` of the positions (None: all of them), ascending."""
    if size is None or len(positions) <= size:
        return positions
    hashed = salted_hashes(mapped[KEY].iloc[positions].tolist(), seed)
    return np.sort(positions[np.argpartition(hashed, size - 1)[:size]])


def keys_to_look_at(spec: SyncSpec, store: StateStore, org_id: str, size: int, seed: str) -> frozenset[str]:
    """The keys of at most `size` rows that are in the warehouse as they were accepted. Raises StateError.

    Of ten million keys a few are in memory at a time.
    """
    lines = store.of(org_id, spec.name, scope_of(spec, store.org(org_id))).lines
    kept, hashed = np.empty(0, dtype=object), np.empty(0, dtype=np.uint64)
    keys = chain.from_iterable(lines.filed())
    while some := list(islice(keys, _AT_ONCE)):
        kept = np.concatenate([kept, np.array(some, dtype=object)])
        hashed = np.concatenate([hashed, salted_hashes(some, seed)])
        if len(kept) > size:
            lowest = np.argpartition(hashed, size - 1)[:size]
            kept, hashed = kept[lowest], hashed[lowest]
    return frozenset(kept.tolist())
