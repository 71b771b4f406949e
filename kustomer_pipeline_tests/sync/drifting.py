"""A look for drift in a World, as the tests need it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import sqlalchemy as sa

from kustomer_pipeline.kustomer import KustomerClient, ObjectName, Record
from kustomer_pipeline.sync import (
    AudienceSpec,
    DriftPolicy,
    DriftReport,
    ObjectSpec,
    RunOptions,
    StateStore,
    SyncReport,
    find_drift,
)
from kustomer_pipeline.sync.state import tables
from kustomer_pipeline_tests.world import World

ALL = DriftPolicy(sample=None)
RESTORE = DriftPolicy(sample=None, on_drift="restore")
ACCEPT = DriftPolicy(sample=None, on_drift="accept")
RECREATE = DriftPolicy(sample=None, on_deleted="recreate")
FORGET = DriftPolicy(sample=None, on_deleted="forget")

Rows = Sequence[Mapping[str, Any]]
Line = tuple[str | None, ...]


def look(
    world: World,
    spec: ObjectSpec | AudienceSpec,
    rows: Rows,
    policy: DriftPolicy = ALL,
    *,
    run_id: str = "look",
    before_reading: Callable[[], object] | None = None,
    after_reading: Callable[[], object] | None = None,
    **options: Any,
) -> DriftReport:
    """Look once. Its requests alone are in `sandbox.requests` afterwards, unless something happens meanwhile: right
    before, or after, the records are read for the first time."""
    world.sandbox.clear_requests()
    with world.client() as client, StateStore.open(world.state_url, clock=world.clock) as state:
        _at_the_first_reading(client, before_reading, after_reading)
        given = RunOptions(run_id, **options)
        return world.compared(
            spec,
            rows,
            state,
            lambda mapped, rest: find_drift(
                spec, mapped, client=client, state=state, policy=policy, options=given, rest=rest
            ),
        )


def _at_the_first_reading(
    client: KustomerClient, before: Callable[[], object] | None, after: Callable[[], object] | None
) -> None:
    read, times = client.get_many_with_deleted, 0

    async def reading(object_name: ObjectName, ids: Sequence[str]) -> dict[str, Record]:
        nonlocal times
        times += 1
        if before is not None and times == 1:
            _elsewhere(before)
        records = await read(object_name, ids)
        if after is not None and times == 1:
            _elsewhere(after)
        return records

    client.get_many_with_deleted = reading  # type: ignore[method-assign]


def _elsewhere(work: Callable[[], object]) -> None:
    """In a thread of its own, with a loop of its own; what it raises is raised."""
    with ThreadPoolExecutor(1) as elsewhere:
        elsewhere.submit(work).result()


def told(report: DriftReport, *columns: str) -> list[Line]:
    """Some columns of the report's lines; without any: row, what, field, ours, theirs."""
    names = [*(columns or ("key", "what", "field", "ours", "theirs"))]
    rows = report.rows[names].astype(object)
    return [tuple(line) for line in rows.where(rows.notna(), None).itertuples(index=False)]


def outcomes(report: SyncReport) -> dict[str, str]:
    """Key → outcome, of the rows that are not as they were."""
    changed = report.rows[report.rows["outcome"] != "unchanged"]
    return dict(zip(changed["key"].tolist(), changed["outcome"].tolist(), strict=True))


def remembered(world: World) -> list[tuple[Any, ...]]:
    """Everything in the state but for what a run notes of itself."""
    with StateStore.open(world.state_url, clock=world.clock) as state, state.engine.connect() as connection:
        return [tuple(row) for table in tables.metadata.sorted_tables for row in connection.execute(sa.select(table))]
