"""A plan with what it is shown with."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from kustomer_pipeline.components.no_rows import no_rows_of
from kustomer_pipeline.components.sync_config import SyncConfig
from kustomer_pipeline.sync import Plan

RECORDS = 20  # of each kind of change, unless all are asked for


@dataclass(frozen=True)
class Planned:
    """The plan of a sync, or of a part of it (`title`), and the rows that would be refused: key, outcome, reason."""

    sync: SyncConfig
    title: str
    plan: Plan
    refused: pd.DataFrame

    @property
    def warns(self) -> bool:
        """Whether it has something to tell although it would change nothing."""
        return bool(self.plan.removals.waiting) or no_rows_of(self.sync, self.plan) is not None

    def first(self, action: str, every: bool) -> tuple[pd.DataFrame, int]:
        """(the lines of the first records of an action, how many more records there are)."""
        lines = self.plan.changes[self.plan.changes["action"] == action]
        keys = lines["key"].drop_duplicates()
        if not every and len(keys) > RECORDS:
            lines = lines[lines["key"].isin(keys.head(RECORDS))]
        records = max(len(keys), self.plan.counts.get(action, 0))
        return lines, records - (len(keys) if every else min(len(keys), RECORDS))
