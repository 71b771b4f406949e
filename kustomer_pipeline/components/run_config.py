"""What one run of a sync may be told, in the launchpad or in run config."""

from enum import Enum

import dagster as dg
from pydantic import Field

from kustomer_pipeline.sync import RunOptions


class Only(Enum):
    """Which rows a run attempts, if not all that need it."""

    rejected = "rejected"


class SyncRunConfig(dg.Config):
    """Options of one run; the defaults are right for every ordinary run."""

    full_resync: bool = Field(
        default=False,
        description="Look at every row again, also at those that have not changed since they were last sent. "
        "Use it after somebody has changed or deleted records in Kustomer.",
    )
    limit: int | None = Field(
        default=None,
        ge=1,
        description="Send at most so many rows; the others wait for the next run. For a careful first run.",
    )
    only: Only | None = Field(
        default=None,
        description="rejected: attempt only the rows that were refused last time (invalid or rejected); the others "
        "wait for the next run.",
    )
    approve_removals: str | None = Field(
        default=None,
        description="Audiences only: the removal plan id that a held run or the plan asset shows. Lets "
        "exactly those removals through, once.",
    )

    def options(self, run_id: str, *, read_back: int, undo_days: int) -> RunOptions:
        """The engine's form, together with what the sync and the environment say."""
        return RunOptions(
            run_id=run_id,
            full_resync=self.full_resync,
            limit=self.limit,
            approve_removals=self.approve_removals,
            only="rejected" if self.only is Only.rejected else None,
            read_back=read_back,
            undo_days=undo_days,
        )
