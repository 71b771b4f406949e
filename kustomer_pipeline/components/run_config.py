"""What one run of a sync, or one plan of it, may be told: in the launchpad or in run config."""

from dataclasses import replace
from enum import Enum

import dagster as dg
from pydantic import Field

from kustomer_pipeline.sync import RunOptions


class Only(Enum):
    """Which rows a run attempts, if not all that need it."""

    rejected = "rejected"


class PlanRunConfig(dg.Config):
    """Options of one plan: what a run with the same options would do."""

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
    only_keys: list[str] | None = Field(
        default=None,
        min_length=1,
        description="Attempt only the rows with these keys, as plans and reports name them; look at them also if they "
        "have not changed. The others wait for the next run, and nobody leaves an audience.",
    )
    clean_up: bool = Field(
        default=False,
        description="Audiences only, after their tag was changed: untag whom this sync tagged with a tag that it no "
        "longer has.",
    )

    adopt: bool = Field(
        default=False,
        description="Audiences only: members who hold the tag already, because another tool gave it to them or the "
        "state was lost, are this sync's from now on, and lose the tag when they leave. Looks at every row; plan it "
        "first.",
    )

    def options(self, run_id: str) -> RunOptions:
        """The engine's form of them."""
        return RunOptions(
            run_id=run_id,
            full_resync=self.full_resync,
            limit=self.limit,
            only="rejected" if self.only is Only.rejected else None,
            only_keys=frozenset(self.only_keys) if self.only_keys is not None else None,
            clean_up=self.clean_up,
            adopt=self.adopt,
        )


class SyncRunConfig(PlanRunConfig):
    """Options of one run; the defaults are right for every ordinary run."""

    approve_removals: str | None = Field(
        default=None,
        description="Audiences only: the removal plan id that a held run or the plan asset shows. Lets "
        "exactly those removals through, once.",
    )
    approve_changes: str | None = Field(
        default=None,
        description="Customers and companies only: the change plan id that a held run or the plan asset shows. Lets "
        "exactly those changes through, once.",
    )

    approve: str | None = Field(
        default=None,
        description="The id of a plan, as it shows it: the run does exactly what is in it, once. Rows of which "
        "something else came out since are left for another plan. With `approval: required` nothing else is written.",
    )
    approved_by: str | None = Field(
        default=None, description="Who approved the plan, for the log; else the user that Dagster names, if it does."
    )

    def options(self, run_id: str) -> RunOptions:
        """The engine's form of them."""
        return replace(
            super().options(run_id),
            approve_removals=self.approve_removals,
            approve_changes=self.approve_changes,
            approve=self.approve.strip() if self.approve else None,
            approved_by=self.approved_by,
        )
