"""The names of a sync's assets."""

import dagster as dg

from .sync_config import SyncConfig


def warehouse_key(sync: SyncConfig) -> dg.AssetKey:
    """The rows as the query returns them."""
    return dg.AssetKey(["warehouse", sync.name])


def mapped_key(sync: SyncConfig) -> dg.AssetKey:
    """The rows in Kustomer's fields."""
    return dg.AssetKey(["mapped", sync.name])


def kustomer_key(sync: SyncConfig) -> dg.AssetKey:
    """What became of each row."""
    return dg.AssetKey(["kustomer", sync.name])


def plan_key(sync: SyncConfig) -> dg.AssetKey:
    """What would become of each row."""
    return dg.AssetKey(["plan", sync.name])
