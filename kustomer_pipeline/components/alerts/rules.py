"""Who wants to be told what of a sync: `alerts` of the sync, else of the project, one rule for each channel."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from ..sync_config import CONDITIONS, Alert, Condition, SyncConfig

NO_SUCCESS = timedelta(hours=26)  # a daily run, and some time for it


@dataclass(frozen=True)
class Rule:
    """What one channel is told of one sync. `channel`: the variable that holds its URL. Lengths of time in seconds."""

    channel: str
    when: frozenset[Condition] = frozenset(CONDITIONS)
    refused_share: float = 0.01
    no_success: float = NO_SUCCESS.total_seconds()
    waited: float = 1800.0
    drift_share: float = 0.01
    severity: Literal["error", "warn"] = "error"


def rules_of(sync: SyncConfig, of_project: Sequence[Alert]) -> tuple[Rule, ...]:
    """The rules of a sync. Its own `alerts` stand instead of the project's; an empty list tells nobody."""
    alerts = of_project if sync.alerts is None else sync.alerts
    usual = sync.freshness.fail_after if sync.freshness is not None else NO_SUCCESS
    return tuple(rule_of(alert, channel, usual) for alert in alerts for channel in alert.to)


def rule_of(alert: Alert, channel: str, usual: timedelta = NO_SUCCESS) -> Rule:
    """A line of `alerts` for one of its channels. usual: after how long without a success, if it does not say."""
    return Rule(
        channel=channel,
        when=frozenset(alert.when),
        refused_share=alert.refused_share,
        no_success=(alert.no_success or usual).total_seconds(),
        waited=alert.waited.total_seconds(),
        drift_share=alert.drift_share,
        severity=alert.severity,
    )
