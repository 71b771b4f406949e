"""What may be said of all syncs together."""

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from .alerts import Alerts
from .common import name_problems
from .parts import Attributes, Schedule


def _valid_org(name: str) -> str:
    if problem := next(name_problems(name), None):
        raise ValueError(problem.what)
    return name


class ProjectAttributes(Attributes):
    """The attributes of kustomer_pipeline.KustomerProject."""

    # Where a variable is asked for, somebody may write the secret itself: pydantic's own error would show it.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    orgs: list[Annotated[str, AfterValidator(_valid_org)]] = Field(
        [],
        description="For several orgs, a name for each: [us, eu]. Gives the resources kustomer_us and kustomer_eu, of "
        "which a sync names its own in resource_keys, read from KUSTOMER_US_API_KEY, KUSTOMER_US_ORG and so on, and "
        "the jobs undo_run_us and undo_run_eu. Empty: one org, the resource kustomer, read from KUSTOMER_API_KEY, "
        "KUSTOMER_ORG and so on.",
        examples=[["us", "eu"]],
    )
    daily: Schedule | None = Field(
        Schedule(cron="0 6 * * *", timezone="UTC"),
        description="When the schedule daily_sync runs all syncs, once it is switched on. null: no such schedule.",
        examples=[{"cron": "0 6 * * *", "timezone": "UTC"}],
    )
    resources: bool = Field(
        True, description="false: the project brings the resources itself, under these or other names (resource_keys)."
    )
    alerts: Alerts = Field(
        [],
        description="Who is told when a sync needs somebody, unless the sync has alerts of its own: [{to, when, …}], "
        "where `to` names the environment variable that holds the apprise URL of a channel.",
        examples=[[{"to": "ALERTS_SLACK"}]],
    )
