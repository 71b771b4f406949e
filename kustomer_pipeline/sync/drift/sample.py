"""Which rows are looked at: of those that are as they were accepted all, or some by chance, the same ones if a run is
repeated, in whatever order the warehouse gives its rows. Pure."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd

from kustomer_pipeline.mapping import KEY


def sample_of(mapped: pd.DataFrame, positions: np.ndarray, size: int | None, seed: str) -> np.ndarray:
    """At most `size` of the positions (None: all of them), ascending."""
    if size is None or len(positions) <= size:
        return positions
    salt = hashlib.blake2b(seed.encode(), digest_size=8).hexdigest()  # hash_key takes 16 characters
    keys = mapped[KEY].iloc[positions].to_numpy(dtype=object)
    hashed = pd.util.hash_array(keys, hash_key=salt, categorize=False)
    return np.sort(positions[np.argpartition(hashed, size - 1)[:size]])
