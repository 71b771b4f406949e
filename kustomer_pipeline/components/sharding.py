"""Syncs in shards: N partitions of Dagster's, each a run that reads, compares and sends a part of the rows.

    shards: 16 → partitions 00-of-16 … 15-of-16 of the sync's assets → one run each, on as many machines as there are

The keys say how many there are: after another number, the old partitions are no longer the sync's.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from kustomer_pipeline.sync import AudienceSpec, ObjectSpec, in_shard

from .sync_config import Schedule, SyncConfig


def partitions_def(sync: SyncConfig) -> dg.StaticPartitionsDefinition | None:
    """The partitions of the sync's assets; None where it is not split."""
    return dg.StaticPartitionsDefinition(partition_keys(sync)) if sync.parts is not None else None


def partition_keys(sync: SyncConfig) -> list[str]:
    """The keys of its partitions, in order; none where it is not split."""
    of = sync.parts or 0
    return [f"{number:0{len(str(of))}}-of-{of}" for number in range(of)]


def shard_of(sync: SyncConfig, context: dg.AssetExecutionContext) -> int | None:
    """The number of the part that this run is of."""
    return None if sync.parts is None else partition_keys(sync).index(context.partition_key)


def spec_of(sync: SyncConfig, context: dg.AssetExecutionContext) -> ObjectSpec | AudienceSpec:
    """What the engine is told: of the whole sync, or of the part that this run is of."""
    return spec_of_part(sync, shard_of(sync, context))


def spec_of_part(sync: SyncConfig, number: int | None) -> ObjectSpec | AudienceSpec:
    """The same by the part's number; None: of the whole."""
    spec = sync.spec
    if number is None or sync.parts is None or not isinstance(spec, ObjectSpec):
        return spec
    return in_shard(spec, number, sync.parts)


def key_columns(sync: SyncConfig) -> Sequence[str]:
    """The columns that a row's key comes from: those of the first identifier."""
    first = sync.spec.match_on[0]
    return [column for mapping in sync.mappings if mapping.field == first for column in mapping.columns]


def run_requests(sync: SyncConfig, run_key: str | None = None, **settings: Any) -> Iterator[dg.RunRequest]:
    """What has to be run so that the whole sync is: one run, or one for each part."""
    keys: list[str | None] = [*partition_keys(sync)] or [None]
    for key in keys:
        own_key = f"{run_key}:{key}" if run_key is not None and key is not None else run_key
        yield dg.RunRequest(run_key=own_key, partition_key=key, **settings)


def schedule(sync: SyncConfig, name: str, when: Schedule, description: str) -> dg.ScheduleDefinition:
    """A schedule on the sync's job, which runs all of it."""
    settings: dict[str, Any] = {
        "name": name,
        "job_name": f"sync_{sync.name}",
        "cron_schedule": when.cron,
        "execution_timezone": when.timezone,
        "description": description,
    }
    if sync.parts is None:
        return dg.ScheduleDefinition(**settings)

    @dg.schedule(**settings)
    def each_part(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest]:
        return list(run_requests(sync, context.scheduled_execution_time.isoformat()))

    return each_part
