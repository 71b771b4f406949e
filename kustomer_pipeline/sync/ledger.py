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
import pyarrow.compute as pc

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
# Put off, although it is known what they are and what is to be done about them.
NOT_APPROVED = (ReasonCode.NOT_APPROVED, ReasonCode.CHANGED_SINCE_PLAN)
_TEXT = pa.large_string()  # what pandas keeps: of another type it would make a copy
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
        self._remembered: pa.Array | None = None  # an id for each row, which counts only for those in the mask
        self._as_remembered = np.zeros(len(keys), dtype=bool)

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
        """Many rows at once, without a Python object each.

        `kustomer_ids`: one for each row of the frame, so that nothing is copied; those at `positions` count. It is the
        same array in every call.
        """
        self._codes[positions] = OUTCOMES.index(outcome)
        if kustomer_ids is not None:
            self._remembered = kustomer_ids
            self._as_remembered[positions] = True
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
        """How many rows are invalid, deferred, or of nobody knows which record; not those that only lack approval."""
        counts, by_code = self.counts(), self.by_code()
        decided = sum(by_code.get(code, 0) for code in NOT_APPROVED)
        return counts.invalid + counts.deferred - decided + sum(by_code.get(code, 0) for code in _UNCERTAIN)

    def by_code(self) -> Mapping[ReasonCode, int]:
        """How many rows have a reason of each code."""
        return Counter(reason.code for reason in self._reasons.values())

    def count(self, code: ReasonCode, *outcomes: Outcome) -> int:
        """How many rows have one of these outcomes, with a reason of this code."""
        wanted = [OUTCOMES.index(outcome) for outcome in outcomes]
        return sum(reason.code is code and self._codes[place] in wanted for place, reason in self._reasons.items())

    def rows(self) -> pd.DataFrame:
        """The DataFrame of a `SyncReport`."""
        codes = pa.array(self._codes, mask=self._codes < 0)
        outcomes = pa.DictionaryArray.from_arrays(codes, pa.array([str(o) for o in OUTCOMES], _TEXT)).cast(_TEXT)
        texts = {position: reason.text for position, reason in self._reasons.items()}
        return pd.DataFrame(
            {
                "key": self.keys.reset_index(drop=True).astype("string"),
                "outcome": pd.Series(outcomes, dtype="string"),
                "kustomer_id": pd.Series(self._kustomer_ids(), dtype="string"),
                "reason": pd.Series(_with(pa.nulls(len(self), _TEXT), np.array(sorted(texts)), texts), dtype="string"),
            }
        )

    def _kustomer_ids(self) -> pa.Array:
        if self._remembered is None:
            return _with(pa.nulls(len(self), _TEXT), np.array(sorted(self._ids)), self._ids)
        others = ~self._as_remembered
        others[list(self._ids)] = True
        return _with(self._remembered.cast(_TEXT), np.flatnonzero(others), self._ids)


def _with(column: pa.Array, positions: np.ndarray, texts: Mapping[int, str]) -> pa.Array:
    """The column with other texts at these positions, null where there is none. Where there are no positions it is the
    column itself: of a million ids 30 MB that are not there twice."""
    if not len(positions):
        return column
    mask = np.zeros(len(column), dtype=bool)
    mask[positions] = True
    return pc.replace_with_mask(column, pa.array(mask), pa.array(map(texts.get, positions.tolist()), _TEXT))
