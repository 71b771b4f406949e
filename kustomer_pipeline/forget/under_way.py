"""Runs that began before somebody was forgotten, and may still have rows in hand: they are waited for.

A run that begins later empties those rows before it keeps them; one of before may write a frame after frames were
searched.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence

import dagster as dg

from kustomer_pipeline.components.keys import asset_key, op_name
from kustomer_pipeline.components.sync_config import SyncConfig, sync_asset_names

_POLL_SECONDS = 2.0
_OVER_ALL = ("undo", "apply")
_UNDER_WAY = (dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING)


def wait_for_runs(
    instance: dg.DagsterInstance,
    syncs: Sequence[SyncConfig],
    say: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Until every run of these syncs has ended that is under way now."""
    left = runs_under_way(instance, syncs)
    if left:
        say(f"Waiting for runs that began before: {', '.join(sorted(left))}")
    while left:
        sleep(_POLL_SECONDS)
        left &= runs_under_way(instance, syncs)


def runs_under_way(instance: dg.DagsterInstance, syncs: Sequence[SyncConfig]) -> set[str]:
    """The ids of runs that have a step of one of these syncs, or one over all of them: undo, apply (undo_eu, …)."""
    orgs = {sync.resource_keys.kustomer.removeprefix("kustomer") for sync in syncs}
    steps = {f"{op}{org}" for op in _OVER_ALL for org in orgs}
    steps |= {op_name(asset_key(f"{sync.key_prefix}/{name}")) for sync in syncs for name in sync_asset_names(sync)}
    runs = instance.get_runs(dg.RunsFilter(statuses=list(_UNDER_WAY)))
    return {run.run_id for run in runs if _has_step(instance, run, steps)}


def _has_step(instance: dg.DagsterInstance, run: dg.DagsterRun, steps: Collection[str]) -> bool:
    """What it executes is written down before it begins; where it is not, it may be anything."""
    snapshot_id = run.execution_plan_snapshot_id
    if snapshot_id is None:
        return True
    plan = instance.get_execution_plan_snapshot(snapshot_id)
    return any(key.partition("[")[0] in steps for key in plan.step_keys_to_execute)
