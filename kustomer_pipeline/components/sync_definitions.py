"""What one sync gives Dagster: four assets, their checks, a job, the triggers it asks for, the table it watches.

Where it looks for drift there are one asset, one job and one schedule more.

(warehouse/<table>_table, deps) → kustomer/<name>_rows → kustomer/<name>_mapped → kustomer/<name>
                                                                                ↘ kustomer/<name>_plan
                                                                                ↘ kustomer/<name>_drift
"""

from collections.abc import Sequence

import dagster as dg

from .assets import sync_assets
from .drift import drift_definitions
from .jobs import sync_job
from .sync_config import SyncConfig
from .triggers import changed_sensor, own_schedule


def sync_definitions(
    sync: SyncConfig, after: Sequence[dg.AssetKey], tables: Sequence[dg.AssetSpec] = ()
) -> dg.Definitions:
    """The definitions of `sync`; its sync asset waits for the assets in `after` when a run has them too.

    tables: the watched tables that come with this sync; a table that several syncs watch comes with one of them.
    """
    own = dg.Definitions(
        assets=[*tables, *sync_assets(sync, after)],
        jobs=[sync_job(sync)],
        schedules=[own_schedule(sync, sync.schedule)] if sync.schedule is not None else [],
        sensors=[changed_sensor(sync, sync.watch)] if sync.watch is not None else [],
    )
    return own if sync.drift is None else dg.Definitions.merge(own, drift_definitions(sync, sync.drift))
