"""One outcome per row of the frame: the one place that counts.

    read = created + updated + unchanged + skipped + invalid + rejected + deferred

`Ledger` is written while a run goes on (an int8 code per row, texts only where there is something to say).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum

import numpy as np
import pandas as pd
import pyarrow as pa

from .reasons import Reason, ReasonCode


class Outcome(StrEnum):
    """What became of a row. Order matters: the ledger stores the position."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    INVALID = "invalid"
    REJECTED = "rejected"
    DEFERRED = "deferred"


OUTCOMES = tuple(Outcome)
REFUSED = (Outcome.INVALID, Outcome.REJECTED)
# Whose record it is, if anybody's, is not certain: such a row could be a member who seems to have left.
_UNCERTAIN = (
    ReasonCode.AMBIGUOUS,
    ReasonCode.CROSSED,
    ReasonCode.OTHER_EXTERNAL_ID,
    ReasonCode.NOT_AN_IDENTIFIER,
)


@dataclass(frozen=True)
class Counts:
    """Rows by outcome; `read` is how many came in."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    invalid: int = 0
    rejected: int = 0
    deferred: int = 0

    @property
    def add_up(self) -> bool:
        """Law 1: every row that was read has exactly one outcome."""
        outcomes = sum(int(getattr(self, one.name)) for one in fields(self)) - self.read
        return outcomes == self.read

    def with_stayed(self, stayed: int) -> Counts:
        """Besides, rows that did not leave the warehouse: they are as they were."""
        return replace(self, read=self.read + stayed, unchanged=self.unchanged + stayed)


class Ledger:
    """One outcome per row while a run goes on: a code per row, and texts where there is something to say."""

    def __init__(self, keys: pd.Series) -> None:
        self.keys = keys
        self._codes = np.full(len(keys), -1, dtype=np.int8)
        self._ids: dict[int, str] = {}
        self._reasons: dict[int, Reason] = {}
        self._bulk_ids: list[tuple[np.ndarray, pa.Array]] = []

    def __len__(self) -> int:
        return len(self._codes)

    def set(
        self, position: int, outcome: Outcome, *, kustomer_id: str | None = None, reason: Reason | None = None
    ) -> None:
        """One row's outcome. The last word counts: a deferred row may still be settled."""
        self._codes[position] = OUTCOMES.index(outcome)
        if kustomer_id is not None:
            self._ids[position] = kustomer_id
        if reason is not None:
            self._reasons[position] = reason
        else:
            self._reasons.pop(position, None)

    def set_many(
        self,
        positions: np.ndarray,
        outcome: Outcome,
        *,
        kustomer_ids: pa.Array | None = None,
        reason: Reason | None = None,
    ) -> None:
        """Many rows at once, without a Python object each; `kustomer_ids` is aligned with `positions`."""
        self._codes[positions] = OUTCOMES.index(outcome)
        if kustomer_ids is not None:
            self._bulk_ids.append((positions, kustomer_ids))
        if reason is not None:
            self._reasons.update(dict.fromkeys(positions.tolist(), reason))

    def take_over(self, other: Ledger, outcome: Outcome) -> None:
        """The rows that have this outcome in another ledger of the same frame have it here too."""
        positions = np.flatnonzero(other._codes == OUTCOMES.index(outcome))
        self._codes[positions] = OUTCOMES.index(outcome)
        self._ids.update({position: other._ids[position] for position in positions.tolist() if position in other._ids})

    def pending(self) -> np.ndarray:
        """Positions of the rows that have no outcome yet."""
        return np.flatnonzero(self._codes < 0)

    def counts(self) -> Counts:
        """Rows by outcome."""
        found = np.bincount(self._codes[self._codes >= 0], minlength=len(OUTCOMES))
        by_name = {str(outcome): int(found[index]) for index, outcome in enumerate(OUTCOMES)}
        return Counts(read=len(self), **by_name)

    def unsettled(self) -> int:
        """How many rows are invalid, deferred, or of nobody knows which record."""
        counts, by_code = self.counts(), self.by_code()
        return counts.invalid + counts.deferred + sum(by_code.get(code, 0) for code in _UNCERTAIN)

    def by_code(self) -> Mapping[ReasonCode, int]:
        """How many rows have a reason of each code."""
        return Counter(reason.code for reason in self._reasons.values())

    def rows(self) -> pd.DataFrame:
        """The DataFrame of a `SyncReport`."""
        codes = pa.array(self._codes, mask=self._codes < 0)
        outcomes = pa.DictionaryArray.from_arrays(codes, pa.array([str(o) for o in OUTCOMES])).cast(pa.string())
        ids = _scatter(len(self), [*self._bulk_ids, _sparse(self._ids)])
        reasons = _scatter(len(self), [_sparse({row: reason.text for row, reason in self._reasons.items()})])
        return pd.DataFrame(
            {
                "key": self.keys.reset_index(drop=True).astype("string"),
                "outcome": pd.Series(outcomes, dtype="string"),
                "kustomer_id": pd.Series(ids, dtype="string"),
                "reason": pd.Series(reasons, dtype="string"),
            }
        )


def _sparse(texts: dict[int, str]) -> tuple[np.ndarray, pa.Array]:
    return np.fromiter(texts.keys(), dtype=np.int64, count=len(texts)), pa.array(list(texts.values()), pa.string())


def _scatter(length: int, parts: list[tuple[np.ndarray, pa.Array]]) -> pa.Array:
    """An array of `length` texts, null but for the positions the parts name; later parts win."""
    source = np.full(length, -1, dtype=np.int64)
    offset = 0
    for positions, values in parts:
        source[positions] = np.arange(offset, offset + len(values))
        offset += len(values)
    pool = pa.concat_arrays([_one_chunk(values) for _, values in parts]) if parts else pa.array([], pa.string())
    return pool.take(pa.array(source, mask=source < 0))


def _one_chunk(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.chunks else pa.array([], pa.string())
    return array.cast(pa.string())
