"""All syncs together: the jobs and the schedule over all, resources, the executor."""

from collections.abc import Sequence
from types import ModuleType

import dagster as dg

from kustomer_pipeline.resources import executor_from_environment, resources_from_environment

from .component import SyncComponent
from .defs_folder import load_tree
from .jobs import plan_all, sync_all
from .order import after
from .sync_config import Problem, SyncConfig, SyncConfigError, conflicts
from .sync_definitions import sync_definitions
from .undo import undo_job


def load_definitions(defs_module: ModuleType) -> dg.Definitions:
    """Everything in a defs folder, and what comes with it. The syncs are read from its `defs.yaml` files."""
    syncs, defs = load_tree(defs_module)
    return dg.Definitions.merge(defs, _over_all(syncs))


def build_definitions(syncs: Sequence[SyncComponent]) -> dg.Definitions:
    """The same from syncs written in Python: assets, checks, jobs, sensors, the daily schedule, resources.

    Resources are read from the environment. Raises SyncConfigError when syncs do not go together: two of one name, a
    mirror that shares its tag.
    """
    if found := list(conflicts(syncs)):
        problems = [Problem((), one.what) for one in found]
        raise SyncConfigError("The definitions cannot be built:", problems)
    each = [sync_definitions(sync, after(sync, syncs)) for sync in syncs]
    return dg.Definitions.merge(*each, _over_all(syncs))


def _over_all(syncs: Sequence[SyncConfig]) -> dg.Definitions:
    """Jobs over all syncs and the daily schedule (as far as there are syncs), resources, the executor."""
    return dg.Definitions(
        jobs=[sync_all(syncs), plan_all(syncs), undo_job()] if syncs else [],
        schedules=[_daily_sync()] if syncs else [],
        resources=resources_from_environment(),
        executor=executor_from_environment(),
    )


def _daily_sync() -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name="daily_sync",
        job_name="sync_all",
        cron_schedule="0 6 * * *",
        execution_timezone="UTC",
        description="Runs every sync at 06:00 UTC. Off until you switch it on: it writes to a live CRM.",
    )
