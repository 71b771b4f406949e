"""A run's turn to write to an org: alone; or, of a part of a sync in shards, beside the other parts.

    a sync                    → the org's lock
    a part of a sync          → the org's lock together with the other parts', the part's own, a share of the budget

Before it, what is remembered under other names of the sync (a former name, another number of parts) is brought to
those of today.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from kustomer_pipeline.kustomer import KustomerClient

from .apply import collect_left_behind
from .spec import SyncSpec
from .splitting import SplitUnderWayError, bring_together, is_split_otherwise, names_before
from .state import LEASE_SECONDS, BudgetLease, Lock, StateError, StateStore
from .undo import SYNC as UNDO

_log = logging.getLogger(__name__)
RENEW_SECONDS = 5.0
_JOIN_SECONDS = 1.0  # while others still have more than their part


@asynccontextmanager
async def turn_to_write(
    spec: SyncSpec, client: KustomerClient, store: StateStore, org_id: str, run_id: str
) -> AsyncIterator[Lock]:
    """Wait for the turn, hold it for the body. Raises StateError."""
    if spec.shard is None:
        with store.lock(org_id) as lock, client.asking_before_writes(lock.check):
            await collect_left_behind(client, store.of(org_id, UNDO), run_id)  # whose a tag is follows an undo
            await _names_of_today(spec, client, store, org_id, run_id)
            yield lock
        return
    while True:
        with store.lock_part(org_id, spec.name) as lock:
            if not is_split_otherwise(spec, store, org_id):
                with client.asking_before_writes(lock.check):
                    async with _share_of_budget(client, store.budget_lease(org_id, f"{spec.name} {run_id}")):
                        yield lock
                return
        with store.lock(org_id):  # only alone: the other parts' rows change their names too
            await _names_of_today(spec, client, store, org_id, run_id)


async def _names_of_today(spec: SyncSpec, client: KustomerClient, store: StateStore, org_id: str, run_id: str) -> None:
    if spec.tag is None and is_split_otherwise(spec, store, org_id):
        sources = names_before(spec, store, org_id)
        for source in sources:
            if await collect_left_behind(client, store.of(org_id, source), run_id):
                raise SplitUnderWayError(
                    f"The rows of {spec.name} were split otherwise until now ({source}), and bulk jobs of then are "
                    "still in Kustomer's queue. Run it again in some minutes; nothing is lost"
                )
        bring_together(spec, store, org_id, sources)
    elif spec.renamed_from:
        store.org(org_id).carry_over(spec.renamed_from, spec.name)


@asynccontextmanager
async def _share_of_budget(client: KustomerClient, lease: BudgetLease) -> AsyncIterator[None]:
    """For the body, only that share of the org's requests goes out which the lease allows."""
    pause = _renew(client, lease)
    renewing = asyncio.create_task(_keep_renewing(client, lease, pause))
    try:
        yield
    finally:
        renewing.cancel()
        with suppress(asyncio.CancelledError):
            await renewing
        client.give_back_share(lease.holder)
        with suppress(StateError):  # else it runs out
            lease.give_back()


async def _keep_renewing(client: KustomerClient, lease: BudgetLease, pause: float) -> None:
    while True:
        await client.clock.sleep(pause)
        try:
            pause = _renew(client, lease)
        except StateError as error:  # until the lease has run out, nothing has changed
            _log.warning("The share of the org's requests could not be renewed: %s", error)
            pause = RENEW_SECONDS


def _renew(client: KustomerClient, lease: BudgetLease) -> float:
    """Renew the share; in how many seconds again."""
    share, fair = lease.renew()
    client.hold_share(lease.holder, share, LEASE_SECONDS)
    return RENEW_SECONDS if share >= fair else _JOIN_SECONDS
