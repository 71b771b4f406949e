"""What one sync gives Dagster: four assets, their checks, a job, and the triggers it asks for.

warehouse/<name> → mapped/<name> → kustomer/<name>
                                 ↘ plan/<name>
"""

from collections.abc import Sequence

import dagster as dg

from .assets import sync_assets
from .jobs import sync_job
from .sync_config import SyncConfig
from .triggers import changed_sensor, own_schedule


def sync_definitions(sync: SyncConfig, after: Sequence[dg.AssetKey]) -> dg.Definitions:
    """The definitions of `sync`; its sync asset waits for the assets in `after` when a run has them too."""
    return dg.Definitions(
        assets=sync_assets(sync, after),
        jobs=[sync_job(sync)],
        schedules=[own_schedule(sync, sync.schedule)] if sync.schedule is not None else [],
        sensors=[changed_sensor(sync, sync.watch)] if sync.watch is not None else [],
    )
