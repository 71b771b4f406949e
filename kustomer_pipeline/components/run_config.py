"""What one run of a sync may be told, in the launchpad or in run config."""

import dagster as dg
from pydantic import Field

from kustomer_pipeline.sync import RunOptions


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
    approve_removals: str | None = Field(
        default=None,
        description="Audiences only: the removal plan id that a held run or the plan asset shows. Lets "
        "exactly those removals through, once.",
    )

    def options(self, run_id: str) -> RunOptions:
        """The engine's form."""
        return RunOptions(
            run_id=run_id,
            full_resync=self.full_resync,
            limit=self.limit,
            approve_removals=self.approve_removals,
        )
