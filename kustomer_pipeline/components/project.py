"""All syncs together: the jobs and the schedule over all, the resources; and the ways to have them.

a clone of this project     → load_definitions(defs folder)
syncs written in Python     → build_definitions([ObjectSync(…), …])
another project of Dagster  → the component KustomerProject beside its syncs, in a folder of its own
"""

from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any, Self

import dagster as dg
from pydantic import BaseModel

from kustomer_pipeline.resources import executor_from_environment, resources_from_environment

from . import sharding
from .alerts import alerts_sensor, try_job, watched
from .applying import apply_job
from .code_location import note
from .component import SyncComponent, syncs_beside, syncs_of
from .defs_folder import load_tree
from .jobs import plan_all, sync_all
from .lineage import table_assets
from .order import after
from .sync_config import BrokenSync, Problem, ProjectAttributes, Schedule, SyncConfig, SyncConfigError, conflicts
from .sync_definitions import sync_definitions
from .undo import undo_job
from .written import as_written, load_written, spec_of


class KustomerProject(dg.Component, dg.Resolvable, ProjectAttributes):
    """What comes once for all syncs: the jobs `sync_all`, `plan_all` and `undo_run`, the schedule, the resources.

    In a project of your own, put it in a folder beside the syncs, once. The resources are read from the environment:
    `warehouse`, `kustomer`, `state`, and `kustomer_frames`, where the DataFrames wait between two steps.
    """

    @classmethod
    def model(cls) -> type[BaseModel]:
        """Dagster's hook for the schema. Lets every value pass: `load` judges, with all mistakes at once."""
        return as_written(ProjectAttributes)

    @classmethod
    def get_spec(cls) -> dg.ComponentTypeSpec:
        """What Dagster's tools and its UI show of the component."""
        return spec_of(cls)

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Self:
        """Build the project that a `defs.yaml` describes."""
        return load_written(context, attributes, ProjectAttributes, lambda values: cls(**values))

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Everything over the syncs of the defs folder."""
        beside = syncs_beside(context)
        return over_all(beside.working, self, beside.broken)


def load_definitions(defs_module: ModuleType) -> dg.Definitions:
    """Everything in a defs folder, and what comes with it. The syncs are read from its `defs.yaml` files.

    One that has mistakes does not keep the others from loading: it is in Dagster as assets and a job that fail with
    them. With KUSTOMER_STRICT it raises SyncConfigError, as mistakes outside of a sync always do.
    """
    return dg.Definitions.merge(load_with_project(defs_module)[1], dg.Definitions(executor=executor_from_environment()))


def load_with_project(defs_module: ModuleType) -> tuple[dg.ComponentTree, dg.Definitions]:
    """The components of a defs folder, and everything but the executor; a KustomerProject if there is none."""
    tree, defs = load_tree(defs_module)
    if not tree.get_all_components(of_type=KustomerProject):
        syncs = syncs_of(tree)
        defs = dg.Definitions.merge(defs, over_all(syncs.working, KustomerProject(), syncs.broken))
    return tree, defs


def build_definitions(syncs: Sequence[SyncComponent], project: KustomerProject | None = None) -> dg.Definitions:
    """The same from syncs written in Python: assets, checks, jobs, sensors, the daily schedule, resources.

    Resources are read from the environment. Raises SyncConfigError when syncs do not go together: two of one name, a
    mirror that shares its tag.
    """
    if found := list(conflicts(syncs)):
        problems = [Problem((), one.what) for one in found]
        raise SyncConfigError("The definitions cannot be built:", problems)
    note(syncs)
    each = [sync_definitions(sync, after(sync, syncs)) for sync in syncs]
    tables = dg.Definitions(assets=table_assets(syncs))
    executor = dg.Definitions(executor=executor_from_environment())
    return dg.Definitions.merge(*each, tables, over_all(syncs, project or KustomerProject()), executor)


def over_all(
    syncs: Sequence[SyncConfig], project: KustomerProject, broken: Sequence[BrokenSync] = ()
) -> dg.Definitions:
    """Jobs over all syncs, the daily schedule and the alerts (as far as there are syncs), resources.

    broken: syncs that do not load; they fail in the jobs over all.
    """
    orgs: Sequence[str | None] = project.orgs or [None]
    in_one_run = [sync for sync in syncs if sync.parts is None]
    jobs: list[Any] = []
    if in_one_run or broken:
        jobs = [sync_all(in_one_run, broken), plan_all(in_one_run, broken)]
    if syncs:
        jobs += [undo_job(org) for org in orgs]
        jobs += [apply_job([sync for sync in syncs if org is None or _is_of(sync, org)], org) for org in orgs]
    told = watched(syncs, project.alerts, broken)
    return dg.Definitions(
        jobs=[*jobs, *([try_job(told)] if told else [])],
        sensors=[alerts_sensor(told)] if told else [],
        schedules=list(_daily(syncs, project.daily, broken)) if project.daily is not None else [],
        resources=resources_from_environment(project.orgs) if project.resources else {},
    )


def _is_of(sync: SyncConfig, org: str) -> bool:
    return sync.resource_keys.kustomer == f"kustomer_{org}"


def _daily(
    syncs: Sequence[SyncConfig], daily: Schedule, broken: Sequence[BrokenSync]
) -> Iterator[dg.ScheduleDefinition]:
    """One over `sync_all`, and one for each sync in shards, which is as many runs."""
    if broken or any(sync.parts is None for sync in syncs):
        yield _daily_sync(daily)
    for sync in syncs:
        if sync.parts is not None:
            text = f"Runs every part of sync_{sync.name}: {daily.cron}, {daily.timezone}. Off until you switch it on."
            yield sharding.schedule(sync, f"daily_sync_{sync.name}", daily, text)


def _daily_sync(daily: Schedule) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name="daily_sync",
        job_name="sync_all",
        cron_schedule=daily.cron,
        execution_timezone=daily.timezone,
        description=f"Runs every sync: {daily.cron}, {daily.timezone}. Off until you switch it on: it writes to a live "
        "CRM.",
    )
