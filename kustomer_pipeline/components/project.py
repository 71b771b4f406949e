"""All syncs together: the jobs and the schedule over all, resources, the executor."""

import os
from collections import Counter
from collections.abc import Sequence
from types import ModuleType

import dagster as dg

from kustomer_pipeline.resources import resources_from_environment

from .defs_folder import load_tree
from .jobs import plan_all, sync_all
from .order import after
from .problems import Problem, SyncConfigError
from .sync_component import Sync
from .sync_definitions import sync_definitions
from .undo import undo_job

EXECUTORS = {"in_process": dg.in_process_executor, "multiprocess": dg.multiprocess_executor}


def load_definitions(defs_module: ModuleType) -> dg.Definitions:
    """Everything in a defs folder, and what comes with it. The syncs are read from its `defs.yaml` files."""
    syncs, defs = load_tree(defs_module)
    return dg.Definitions.merge(defs, _over_all(syncs))


def build_definitions(syncs: Sequence[Sync]) -> dg.Definitions:
    """The same from syncs written in Python: assets, checks, jobs, sensors, the daily schedule, resources.

    Resources are read from the environment. Raises SyncConfigError when two syncs have the same name.
    """
    counts = Counter(sync.name for sync in syncs)
    if repeated := [name for name, count in counts.items() if count > 1]:
        raise SyncConfigError(
            "The definitions cannot be built:",
            [Problem((), f"{counts[name]} syncs are named {name!r}; each needs its own") for name in repeated],
        )
    each = [sync_definitions(sync, after(sync, syncs)) for sync in syncs]
    return dg.Definitions.merge(*each, _over_all(syncs))


def _over_all(syncs: Sequence[Sync]) -> dg.Definitions:
    """Jobs over all syncs and the daily schedule (as far as there are syncs), resources, the executor."""
    return dg.Definitions(
        jobs=[sync_all(syncs), plan_all(syncs), undo_job()] if syncs else [],
        schedules=[_daily_sync()] if syncs else [],
        resources=resources_from_environment(),
        executor=_executor(),
    )


def _daily_sync() -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name="daily_sync",
        job_name="sync_all",
        cron_schedule="0 6 * * *",
        execution_timezone="UTC",
        description="Runs every sync at 06:00 UTC. Off until you switch it on: it writes to a live CRM.",
    )


def _executor() -> dg.ExecutorDefinition:
    name = os.environ.get("KUSTOMER_EXECUTOR", "in_process")
    if name not in EXECUTORS:
        raise dg.DagsterInvalidDefinitionError(
            f"KUSTOMER_EXECUTOR is {name!r}; use in_process (the default) or multiprocess"
        )
    return EXECUTORS[name]
