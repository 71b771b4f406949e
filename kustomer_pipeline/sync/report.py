"""What came of a run: one outcome per row, one place that counts.

    read = created + updated + unchanged + skipped + invalid + rejected + deferred

`Ledger` is written while a run goes on (an int8 code per row, texts only where there is something to say) and
is turned into a frozen `SyncReport` at its end, also when the run was stopped half-way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from enum import StrEnum

import numpy as np
import pandas as pd
import pyarrow as pa

from .masking import mask, mask_key


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


@dataclass(frozen=True)
class Progress:
    """How far a run is. `str()` of it is a log line."""

    done: int
    total: int
    rows_per_second: float
    seconds_left: float | None
    budget_left: int | None

    def __str__(self) -> str:
        left = "" if self.seconds_left is None else f", about {self.seconds_left:.0f} s left"
        budget = "" if self.budget_left is None else f", API budget left this minute {self.budget_left}"
        return f"{self.done:,} of {self.total:,} records, {self.rows_per_second:,.0f} a second{left}{budget}"


OnProgress = Callable[[Progress], None]


READ_BACK_COLUMNS = ("key", "kustomer_id", "field", "sent", "found")


def _no_rows() -> pd.DataFrame:
    return pd.DataFrame(columns=list(READ_BACK_COLUMNS), dtype="string")


@dataclass(frozen=True)
class ReadBack:
    """What a sample of the written records looked like after the run.

    `checked` records were read, `drifted` of them differ. `rows`: DataFrame with one row per field that differs: key,
    kustomer_id, field, sent, found (strings). `error`: why the sample could not be read, None if it could.
    """

    checked: int = 0
    drifted: int = 0
    rows: pd.DataFrame = field(default_factory=_no_rows)
    error: str | None = None

    def table(self, limit: int = 100, *, show_values: bool = False) -> pd.DataFrame:
        """The first differences as they may be shown: values and personal keys masked unless `show_values`."""
        table = self.rows.head(limit).reset_index(drop=True)
        if not show_values:
            table["key"] = table["key"].map(mask_key)
            for column in ("sent", "found"):
                table[column] = table[column].map(mask, na_action="ignore")
        return table


@dataclass(frozen=True)
class SyncReport:
    """The result of one run of one sync.

    `rows`: DataFrame with one row per input row, in its order: key, outcome, kustomer_id, reason (strings).
    `requests` and `searches` are what the run spent of the org's API budget; `removed`, `removals_held` and
    `members` are an audience's; `interrupted` is the error that stopped the run half-way, if one did;
    `read_back` is what a sample of the written records looked like afterwards.
    """

    sync: str
    run_id: str
    org_id: str
    counts: Counts
    rows: pd.DataFrame
    requests: int
    searches: int
    budget_left: int | None
    seconds: float
    removed: int = 0
    removals_held: int = 0
    members: int = 0
    removal_plan_id: str | None = None
    interrupted: Exception | None = None
    read_back: ReadBack = field(default_factory=ReadBack)

    @property
    def adds_up(self) -> bool:
        """Law 1, for the counts and for the rows behind them."""
        return self.counts.add_up and len(self.rows) == self.counts.read and not self.unaccounted

    @property
    def unaccounted(self) -> list[str]:
        """Keys of rows without an outcome (always empty, or there is a mistake in the engine)."""
        missing = self.rows["outcome"].isna()
        return [mask_key(key) for key in self.rows.loc[missing, "key"].head(100)]

    @property
    def failure_share(self) -> float:
        """Share of the rows read that were refused, here (invalid) or by Kustomer (rejected)."""
        refused = self.counts.invalid + self.counts.rejected
        return refused / self.counts.read if self.counts.read else 0.0

    def refused(self, limit: int = 100, *, show_values: bool = False) -> pd.DataFrame:
        """The first refused rows (key, outcome, reason), their keys masked unless `show_values`."""
        table = self.rows[self.rows["outcome"].isin([str(outcome) for outcome in REFUSED])]
        table = table[["key", "outcome", "reason"]].head(limit).reset_index(drop=True)
        if not show_values:
            table["key"] = table["key"].map(mask_key)
        return table


class Ledger:
    """One outcome per row while a run goes on: a code per row, and texts where there is something to say."""

    def __init__(self, keys: pd.Series) -> None:
        self.keys = keys
        self._codes = np.full(len(keys), -1, dtype=np.int8)
        self._ids: dict[int, str] = {}
        self._reasons: dict[int, str] = {}
        self._bulk_ids: list[tuple[np.ndarray, pa.Array]] = []

    def __len__(self) -> int:
        return len(self._codes)

    @property
    def done(self) -> int:
        """How many rows have an outcome."""
        return int(np.count_nonzero(self._codes >= 0))

    def set(
        self, position: int, outcome: Outcome, *, kustomer_id: str | None = None, reason: str | None = None
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
        reason: str | None = None,
    ) -> None:
        """Many rows at once, without a Python object each; `kustomer_ids` is aligned with `positions`."""
        self._codes[positions] = OUTCOMES.index(outcome)
        if kustomer_ids is not None:
            self._bulk_ids.append((positions, kustomer_ids))
        if reason is not None:
            self._reasons.update(dict.fromkeys(positions.tolist(), reason))

    def pending(self) -> np.ndarray:
        """Positions of the rows that have no outcome yet."""
        return np.flatnonzero(self._codes < 0)

    def counts(self) -> Counts:
        """Rows by outcome."""
        found = np.bincount(self._codes[self._codes >= 0], minlength=len(OUTCOMES))
        by_name = {str(outcome): int(found[index]) for index, outcome in enumerate(OUTCOMES)}
        return Counts(read=len(self), **by_name)

    def rows(self) -> pd.DataFrame:
        """The DataFrame of a `SyncReport`."""
        codes = pa.array(self._codes, mask=self._codes < 0)
        outcomes = pa.DictionaryArray.from_arrays(codes, pa.array([str(o) for o in OUTCOMES])).cast(pa.string())
        ids = _scatter(len(self), [*self._bulk_ids, _sparse(self._ids)])
        reasons = _scatter(len(self), [_sparse(self._reasons)])
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
