"""Who is told when a sync needs somebody: `alerts`, of a sync or of the project.

alerts:
  - to: ALERTS_SLACK                  a variable of the environment that holds an apprise URL: the URL is a secret
    when: [run_failed, no_success]    everything unless it is written
    no_success: 26h
"""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from .in_dagster import Duration
from .parts import Attributes, Share

Condition = Literal[
    "does_not_load", "run_failed", "check_failed", "held", "refused_share", "no_success", "budget_starved", "drift"
]
CONDITIONS: tuple[Condition, ...] = get_args(Condition)

# A threshold, and the condition that it belongs to.
_THRESHOLDS = {
    "refused_share": "refused_share",
    "no_success": "no_success",
    "waited": "budget_starved",
    "drift_share": "drift",
    "severity": "check_failed",
}


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _valid_variable(name: str) -> str:
    # Not a word of what was written: it may be the secret itself.
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError(
            "has to be the name of an environment variable, such as ALERTS_SLACK; the variable holds the URL, which is "
            "a secret and stays out of this file"
        )
    return name


Variables = Annotated[
    list[Annotated[str, AfterValidator(_valid_variable)]],
    BeforeValidator(_several),
    Field(min_length=1),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


class Alert(Attributes):
    """One line of `alerts`: where to, and when."""

    to: Variables = Field(
        description="The name of the environment variable that holds the apprise URL of a channel, or several names."
    )
    when: list[Condition] = Field(
        list(CONDITIONS),
        min_length=1,
        description="does_not_load, run_failed, check_failed, held (changes or removals that a guard holds, removals "
        "that wait for refused rows), refused_share, no_success, budget_starved, drift (of syncs that look for it). "
        "Default: all of them.",
    )
    refused_share: Share = Field(0.01, description="refused_share: more than this share of the rows, 0 to 1.")
    no_success: Duration | None = Field(
        None,
        description="no_success: no run has succeeded for so long, such as 26h. Default: fail_after of the sync's "
        "freshness, else 26h.",
    )
    waited: Duration = Field(
        timedelta(minutes=30),
        description="budget_starved: a run that waited for the org's request budget for longer than this.",
    )
    drift_share: Share = Field(
        0.01,
        description="drift: more than this share of the records looked at is not as it was accepted, 0 to 1.",
    )
    severity: Literal["error", "warn"] = Field(
        "error", description="check_failed. error: only checks that fail as errors. warn: those that warn, too."
    )

    @model_validator(mode="after")
    def _thresholds_are_used(self) -> "Alert":
        for threshold, condition in _THRESHOLDS.items():
            if threshold in self.model_fields_set and condition not in self.when:
                raise ValueError(f"{threshold} is of {condition}, which `when` does not list: add it, or remove this")
        return self


def _each_channel_once(alerts: Sequence[Alert]) -> Sequence[Alert]:
    names = [name for alert in alerts for name in alert.to]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name} is there twice: say in one place what is told there")
    return alerts


Alerts = Annotated[list[Alert], AfterValidator(_each_channel_once)]
