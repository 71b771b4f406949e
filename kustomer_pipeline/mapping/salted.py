"""64 bits of each text, which are others with another salt. The same in every process."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd


def salted_hashes(texts: Sequence[str], salt: str, secret: bytes = b"") -> np.ndarray[Any, np.dtype[np.uint64]]:
    """One hash for each text, in their order. secret: at most 64 bytes; without them nobody can make the same."""
    hash_key = hashlib.blake2b(salt.encode(), key=secret, digest_size=8).hexdigest()  # hash_array takes 16 characters
    values = np.array(texts, dtype=object)
    return np.asarray(pd.util.hash_array(values, hash_key=hash_key, categorize=False), dtype=np.uint64)
