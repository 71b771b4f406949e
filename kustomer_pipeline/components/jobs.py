"""The jobs: one per sync, and two over all of them."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from .keys import kustomer_key, mapped_key, plan_key, plan_of, rows_key
from .run_tags import MAX_RETRIES_TAG, SYNC_TAG
from .sync_config import BrokenSync, SyncConfig

Job = Any  # Dagster does not export the type that define_asset_job returns


def sync_job(sync: SyncConfig) -> Job:
    """`sync_<name>`: query, map, send."""
    return dg.define_asset_job(
        f"sync_{sync.name}",
        selection=dg.AssetSelection.assets(rows_key(sync), mapped_key(sync), kustomer_key(sync)),
        description="Reads the warehouse, maps the rows and sends what has changed to Kustomer. "
        f"To see first what would be sent, materialize {plan_key(sync).to_user_string()}.",
        tags={SYNC_TAG: sync.name},
    )


def broken_job(sync: BrokenSync) -> Job:
    """`sync_<name>` of a sync that does not load: fails with what is wrong with it."""
    return dg.define_asset_job(
        f"sync_{sync.name}",
        selection=dg.AssetSelection.assets(broken_key(sync)),
        description=f"This sync does not load: {broken_key(sync).to_user_string()} says why.",
        tags={SYNC_TAG: sync.name, MAX_RETRIES_TAG: "0"},
    )


def broken_key(sync: BrokenSync) -> dg.AssetKey:
    """The key of the sync's asset."""
    return dg.AssetKey(sync.path)


def broken_plan_key(sync: BrokenSync) -> dg.AssetKey:
    """The key of the sync's plan."""
    return plan_of(broken_key(sync))


def sync_all(syncs: Sequence[SyncConfig], broken: Sequence[BrokenSync] = ()) -> Job:
    """`sync_all`: every sync, in order; those that do not load fail in it."""
    keys = [key(sync) for sync in syncs for key in (rows_key, mapped_key, kustomer_key)]
    keys += [broken_key(sync) for sync in broken]
    return dg.define_asset_job(
        "sync_all",
        selection=dg.AssetSelection.assets(*keys),
        description="Every sync: companies, then customers, then audiences. When one fails, those after it do not run. "
        "Syncs in shards are runs of their own.",
        tags={SYNC_TAG: "all"},
    )


def plan_all(syncs: Sequence[SyncConfig], broken: Sequence[BrokenSync] = ()) -> Job:
    """`plan_all`: every plan, nothing sent."""
    keys = [key(sync) for sync in syncs for key in (rows_key, mapped_key, plan_key)]
    keys += [broken_plan_key(sync) for sync in broken]
    return dg.define_asset_job(
        "plan_all",
        selection=dg.AssetSelection.assets(*keys),
        description="What every sync would change in Kustomer, field by field. Sends nothing.",
        tags={SYNC_TAG: "all"},
    )
