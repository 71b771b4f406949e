"""What came of a run: a frozen `SyncReport`, also when the run was stopped half-way; and how far it is while it goes
on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import pandas as pd

from .ledger import REFUSED, Counts
from .masked_values import mask_columns
from .masking import mask_key
from .reasons import ReasonCode

READ_BACK_COLUMNS = ("key", "kustomer_id", "field", "sent", "found")
CHANGE_COLUMNS = ("key", "action", "kustomer_id", "field", "before", "after", "reason")
REMOVAL_COLUMNS = ("key", "kustomer_id", "reason")


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


def _empty(columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame(columns=list(columns), dtype="string")


def masked_table(
    rows: pd.DataFrame,
    limit: int,
    *,
    show_values: bool,
    values: tuple[str, ...] = (),
    shown: Collection[str] = (),
) -> pd.DataFrame:
    """The first rows as they may be shown: personal keys and the columns of `values` masked unless `show_values`.

    values: what stands in a row beside its `field`; two of them are told apart. shown: fields whose values are shown.
    """
    table = rows.head(limit).reset_index(drop=True)
    if show_values:
        return table
    table["key"] = table["key"].map(mask_key)
    return mask_columns(table, values, shown) if values else table


@dataclass(frozen=True)
class ReadBack:
    """What a sample of the written records looked like after the run.

    `checked` records were read, `drifted` of them differ. `rows`: DataFrame with one row per field that differs: key,
    kustomer_id, field, sent, found (strings). `error`: why the sample could not be read, None if it could. `shown`:
    fields whose values may be shown.
    """

    checked: int = 0
    drifted: int = 0
    rows: pd.DataFrame = field(default_factory=lambda: _empty(READ_BACK_COLUMNS))
    error: str | None = None
    shown: frozenset[str] = frozenset()

    def table(self, limit: int = 100, *, show_values: bool = False) -> pd.DataFrame:
        """The first differences as they may be shown: values and personal keys masked unless `show_values`."""
        return masked_table(self.rows, limit, show_values=show_values, values=("sent", "found"), shown=self.shown)


@dataclass(frozen=True)
class Removals:
    """What became of the members who left an audience.

    `members` is of how many they were judged. `removed` lost the tag. `held`: the guard keeps them until `plan_id` is
    approved. `waiting`: nobody is removed before every row of the audience is settled, unless `plan_id` is approved.
    `refused`: Kustomer did not take the tag away; `rows` (DataFrame: key, kustomer_id, reason) says why.
    """

    members: int = 0
    removed: int = 0
    held: int = 0
    plan_id: str | None = None
    waiting: int = 0
    refused: int = 0
    rows: pd.DataFrame = field(default_factory=lambda: _empty(REMOVAL_COLUMNS))


@dataclass(frozen=True)
class HeldChanges:
    """Changes that the guard keeps until `plan_id` is approved: so many of the `accepted` records.

    `examples`: the first of them, field by field, in the columns of a plan. `shown`: fields whose values may be shown.
    """

    held: int = 0
    accepted: int = 0
    plan_id: str | None = None
    examples: pd.DataFrame = field(default_factory=lambda: _empty(CHANGE_COLUMNS))
    shown: frozenset[str] = frozenset()

    def table(self, limit: int = 20, *, show_values: bool = False) -> pd.DataFrame:
        """The first examples as they may be shown: values and personal keys masked unless `show_values`."""
        values = ("before", "after")
        return masked_table(self.examples, limit, show_values=show_values, values=values, shown=self.shown)


class OfTheGuard:
    """What the guard says, of a plan or a report."""

    removals: Removals
    held_changes: HeldChanges

    @property
    def members(self) -> int:
        """Of how many members the removals were judged."""
        return self.removals.members

    @property
    def removals_held(self) -> int:
        """Removals that the guard holds."""
        return self.removals.held

    @property
    def removal_plan_id(self) -> str | None:
        """What to approve so that exactly these removals go."""
        return self.removals.plan_id

    @property
    def changes_held(self) -> int:
        """Changes that the guard holds."""
        return self.held_changes.held

    @property
    def change_plan_id(self) -> str | None:
        """What to approve so that exactly these changes go."""
        return self.held_changes.plan_id


@dataclass(frozen=True)
class SyncReport(OfTheGuard):
    """The result of one run of one sync.

    `rows`: DataFrame with one row per input row, in its order: key, outcome, kustomer_id, reason (strings).
    `by_code`: how many rows have a reason of each code. `requests` and `searches` are what the run spent of the org's
    API budget. `interrupted` is the error that stopped the run half-way, if one did. `read_back` is what a sample of
    the written records looked like afterwards. `notes`: what a person should know besides (a key that makes the sync
    dearer, a tag that was renamed, records that could be written only in part). `stayed`: rows that did not leave the
    warehouse; they count as unchanged, and are not in `rows`. `accepted_before`: records that were accepted in earlier
    runs. `news`: of the notes, those that say that something went as it was asked for. `members_now`: records that hold
    an audience's tag because of the sync, after the run. `jobs_left`: bulk jobs of a run that was stopped, which
    Kustomer may have carried out, or may yet: the next run collects what came of them. `asked_for`: the keys of
    `only_keys`; `looked_at`: with `limit`, how many rows were due within it.
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
    by_code: Mapping[ReasonCode, int] = field(default_factory=dict)
    removals: Removals = field(default_factory=Removals)
    held_changes: HeldChanges = field(default_factory=HeldChanges)
    interrupted: Exception | None = None
    read_back: ReadBack = field(default_factory=ReadBack)
    notes: tuple[str, ...] = ()
    stayed: int = 0
    accepted_before: int = 0
    members_now: int = 0
    news: tuple[str, ...] = ()
    jobs_left: int = 0
    asked_for: frozenset[str] | None = None
    looked_at: int | None = None

    @property
    def removed(self) -> int:
        """Members who lost the tag."""
        return self.removals.removed

    @property
    def absent(self) -> int:
        """Rows that were skipped because Kustomer does not have their record."""
        return self.by_code.get(ReasonCode.NOT_IN_KUSTOMER, 0)

    @property
    def adds_up(self) -> bool:
        """Law 1, for the counts and for the rows behind them."""
        return self.counts.add_up and len(self.rows) + self.stayed == self.counts.read and not self.unaccounted

    @property
    def unaccounted(self) -> list[str]:
        """Keys of rows without an outcome (always empty, or there is a mistake in the engine)."""
        missing = self.rows["outcome"].isna()
        return [mask_key(key) for key in self.rows.loc[missing, "key"].head(100)]

    @property
    def failures(self) -> tuple[int, int]:
        """(rows that were refused, here or by Kustomer; of how many): with `only_keys` of those asked for, and
        with `limit`, where each row that was looked at is refused, of these."""
        if self.asked_for is not None:
            asked = self.rows[self.rows["key"].isin(self.asked_for)]
            return int(asked["outcome"].isin([str(outcome) for outcome in REFUSED]).sum()), len(asked)
        if self.looked_at and self.counts.rejected >= self.looked_at:
            return self.counts.rejected, self.looked_at
        return self.counts.invalid + self.counts.rejected, self.counts.read

    @property
    def failure_share(self) -> float:
        """The share that `max_failure_share` is about."""
        refused, of = self.failures
        return refused / of if of else 0.0

    def refused(self, limit: int = 100, *, show_values: bool = False) -> pd.DataFrame:
        """The first refused rows (key, outcome, reason), their keys masked unless `show_values`."""
        table = self.rows[self.rows["outcome"].isin([str(outcome) for outcome in REFUSED])]
        return masked_table(table[["key", "outcome", "reason"]], limit, show_values=show_values)
