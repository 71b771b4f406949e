"""A sync's rows read, a run and a plan of them: what the assets, the job `apply_plan` and the command line all do.

rows_of → spec.map → run_rows | plan_rows
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

import pandas as pd

from kustomer_pipeline.sync import (
    AudienceSpec,
    ObjectSpec,
    Plan,
    RunOptions,
    SyncReport,
    keep_plan,
    plan_sync,
    run_sync,
)
from kustomer_pipeline.sync.report import OnProgress

from .comparing import Drawn, compared, in_warehouse, not_filed, read_changes
from .left_out import listed, without_forgotten
from .metadata import query_metadata
from .resources_of import Resources
from .sharding import key_columns
from .sync_config import SyncConfig
from .tables import Metadata

Spec = ObjectSpec | AudienceSpec


@dataclass(frozen=True)
class Ran:
    """A run that is over. missing_roles: what a larger key would make cheaper. waited: seconds for the org's budget.
    problems: what went wrong beside the run."""

    report: SyncReport
    missing_roles: tuple[str, ...]
    waited: float
    problems: tuple[str, ...]


def rows_of(
    sync: SyncConfig,
    uses: Resources,
    *,
    number: int | None = None,
    everything: bool = False,
    drawn: Drawn | None = None,
    again: Collection[str] = (),
) -> tuple[pd.DataFrame, Metadata]:
    """The rows of the query, and what is told of them. Of a sync in shards, the part of that number.

    everything: where the warehouse compares, all rows too; drawn: so many that have not changed; again: those with
    these keys. Raises WarehouseError, KustomerError, StateError.
    """
    if in_warehouse(sync):
        return read_changes(sync, uses, everything=everything, drawn=drawn, again=again)
    if number is None or sync.parts is None:
        frame = uses.warehouse.read(sync.sql)
    else:
        frame = uses.warehouse.read_part(sync.sql, key_columns(sync), number, sync.parts)
    return without_forgotten(sync, uses, frame), query_metadata(sync.sql)


def run_rows(
    sync: SyncConfig, spec: Spec, uses: Resources, mapped: pd.DataFrame, options: RunOptions, told: OnProgress
) -> Ran:
    """Send them. Raises KustomerError, StateError, WarehouseError."""
    own_list = listed(sync, uses)
    options = replace(
        options,
        read_back=sync.read_back,
        undo_days=uses.state.days_to_undo(),
        keep_days=uses.state.days_to_keep(),
        suppressed=own_list.values,
    )
    with uses.kustomer.client() as client, uses.state.store() as store:
        report, rest = compared(
            sync,
            uses,
            mapped,
            client,
            store,
            lambda rows, rest: run_sync(
                spec, rows, client=client, state=store, options=options, on_progress=told, rest=rest
            ),
        )
        missing_roles = tuple(client.abilities.lines())
        waited = min(client.usage.waited_seconds, report.seconds)  # several requests wait at once
    not_written = not_filed(rest.problem) if rest is not None and rest.problem is not None else None
    return Ran(report, missing_roles, waited, tuple(filter(None, (own_list.problem, not_written))))


def plan_rows(sync: SyncConfig, spec: Spec, uses: Resources, mapped: pd.DataFrame, options: RunOptions) -> Plan:
    """Say what a run would do, and keep the plan so that it can be approved. Raises as run_rows does."""
    options = replace(options, suppressed=listed(sync, uses).values)
    with uses.kustomer.client() as client, uses.state.store() as store:
        expected = store.plans(client.run(client.token()).org_id).created_in(options.run_id)
        plan, _ = compared(
            sync,
            uses,
            mapped,
            client,
            store,
            lambda rows, rest: plan_sync(
                spec, rows, client=client, state=store, options=options, rest=rest, expected=expected
            ),
        )
        keep_plan(plan, store, options.run_id)
    return replace(plan, made_in=options.run_id)
