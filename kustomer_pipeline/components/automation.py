"""What makes Dagster run a sync by itself when it says `automation`, and how old its last success may be.

    automation: eager | on_missing | {on_cron: …}  → an AutomationCondition for rows, mapped and the sync
    freshness: {fail_after, warn_after}             → a FreshnessPolicy for the sync

The plan has neither: somebody asks for it.
"""

from typing import Any

import dagster as dg

from .keys import table_key
from .sync_config import OnCron, SyncConfig


def condition(sync: SyncConfig) -> dg.AutomationCondition[Any] | None:
    """The condition of each asset on the way to Kustomer; None where a sensor, a schedule or a person runs the sync."""
    if sync.automation is None:
        return None
    if sync.automation == "eager":
        return dg.AutomationCondition.eager()
    if isinstance(sync.automation, OnCron):
        cron = dg.AutomationCondition.on_cron(sync.automation.on_cron, sync.automation.timezone)
        # A table that nobody reports on is never "updated since the tick": it must not hold the sync up for ever.
        silent = sync.watch is not None and not sync.watch.reports_only and sync.watch.asset is None
        return cron.ignore(dg.AssetSelection.assets(table_key(sync.watch))) if silent and sync.watch else cron
    return dg.AutomationCondition.on_missing()


def freshness(sync: SyncConfig) -> dg.FreshnessPolicy | None:
    """The policy of the sync asset."""
    if sync.freshness is None:
        return None
    return dg.FreshnessPolicy.time_window(sync.freshness.fail_after, sync.freshness.warn_after)
