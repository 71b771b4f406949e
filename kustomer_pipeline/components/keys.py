"""The keys of the assets of a sync: `kustomer/customers_rows` → `_mapped` → `kustomer/customers`, `_plan`, `_drift`.

The last part of a key is what the graph shows at its smallest zoom; so it says which of them it is.
"""

import dagster as dg

from .sync_config import SyncConfig, Watch, sync_asset_names


def rows_key(sync: SyncConfig) -> dg.AssetKey:
    """The rows as the query returns them."""
    return _key(sync, 0)


def mapped_key(sync: SyncConfig) -> dg.AssetKey:
    """The rows in Kustomer's fields."""
    return _key(sync, 1)


def kustomer_key(sync: SyncConfig) -> dg.AssetKey:
    """What became of each row."""
    return _key(sync, 2)


def plan_key(sync: SyncConfig) -> dg.AssetKey:
    """What would become of each row."""
    return _key(sync, 3)


def drift_key(sync: SyncConfig) -> dg.AssetKey:
    """What has become of the records since; of a sync that looks for it."""
    return _key(sync, 4)


def drift_job_name(sync: SyncConfig) -> str:
    """The job that looks for drift."""
    return f"drift_{sync.name}"


def plan_of(key: dg.AssetKey) -> dg.AssetKey:
    """The plan of a sync, by the key of the sync."""
    return dg.AssetKey([*key.path[:-1], f"{key.path[-1]}_plan"])


def table_key(watch: Watch) -> dg.AssetKey:
    """The watched table: the project's own asset for it, else an external one, `warehouse/crm/customers_table`."""
    if watch.asset is not None:
        return asset_key(watch.asset)
    *schema, table = watch.table.replace('"', "").replace("`", "").split(".")
    return dg.AssetKey(["warehouse", *schema, f"{table}_table"])


def asset_key(path: str) -> dg.AssetKey:
    """`analytics/customers` as Dagster's key."""
    return dg.AssetKey(path.split("/"))


def op_name(key: dg.AssetKey) -> str:
    """What the asset is called in run config: `kustomer__customers`."""
    return key.to_python_identifier()


def _key(sync: SyncConfig, which: int) -> dg.AssetKey:
    return dg.AssetKey([*sync.key_prefix.split("/"), sync_asset_names(sync)[which]])
