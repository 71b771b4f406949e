"""The names of a sync's assets, and of the pool that they share."""

import dagster as dg

from .sync_component import Sync

# One at a time over all runs (the limit is in dagster.yaml): the request budget is the org's.
POOL = "kustomer_api"


def warehouse_key(sync: Sync) -> dg.AssetKey:
    """The rows as the query returns them."""
    return dg.AssetKey(["warehouse", sync.name])


def mapped_key(sync: Sync) -> dg.AssetKey:
    """The rows in Kustomer's fields."""
    return dg.AssetKey(["mapped", sync.name])


def kustomer_key(sync: Sync) -> dg.AssetKey:
    """What became of each row."""
    return dg.AssetKey(["kustomer", sync.name])


def plan_key(sync: Sync) -> dg.AssetKey:
    """What would become of each row."""
    return dg.AssetKey(["plan", sync.name])
