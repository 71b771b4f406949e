"""Where the rows come from and where their columns go, for Dagster's graph.

watched table, deps, source ─→ rows ─→ mapped ─→ Kustomer      each Kustomer field knows its warehouse columns
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

from kustomer_pipeline.mapping import FieldMapping, field_type
from kustomer_pipeline.resources import warehouse_uri

from .keys import asset_key, mapped_key, rows_key, table_key
from .sync_config import SyncConfig, Watch

Metadata = dict[str, Any]


def upstream(sync: SyncConfig) -> list[dg.AssetKey]:
    """The assets that the rows are made from: `deps`, the table of `source`, the watched table."""
    keys = [asset_key(path) for path in sync.deps]
    if sync.source_asset is not None:
        keys.append(asset_key(sync.source_asset))
    if sync.watch is not None:
        keys.append(table_key(sync.watch))
    return list(dict.fromkeys(keys))


def table_assets(syncs: Sequence[SyncConfig], others: Iterable[SyncConfig] = ()) -> list[dg.AssetSpec]:
    """The watched tables of `syncs` as external assets, each once, without those that one of `others` brings."""
    taken = {table_key(sync.watch) for sync in others if sync.watch is not None}
    specs: dict[dg.AssetKey, dg.AssetSpec] = {}
    for sync in syncs:
        if sync.watch is not None and sync.watch.asset is None and table_key(sync.watch) not in taken:
            specs[table_key(sync.watch)] = _table(sync.watch)
    return list(specs.values())


def _table(watch: Watch) -> dg.AssetSpec:
    uri = warehouse_uri(watch.table)
    return dg.AssetSpec(
        table_key(watch),
        description=f"The table `{watch.table}` of the warehouse. A sensor looks at it every {watch.every} seconds.",
        group_name="warehouse",
        kinds={"table"},
        metadata={"dagster/table_name": watch.table} | ({"dagster/uri": uri} if uri is not None else {}),
    )


def mapped_lineage(sync: SyncConfig) -> Metadata:
    """Which columns of the query each field of the mapped rows comes from."""
    return _lineage({mapping.field: (rows_key(sync), mapping.columns) for mapping in sync.mappings})


def kustomer_lineage(sync: SyncConfig) -> Metadata:
    """The fields that the sync writes, with their types in Kustomer, and the mapped columns that they come from."""
    fields = {mapping.field: (mapped_key(sync), (mapping.field,)) for mapping in written(sync)}
    columns = [_column(sync, name) for name in fields]
    return {"dagster/column_schema": dg.TableSchema(columns=columns)} | _lineage(fields)


def written(sync: SyncConfig) -> tuple[FieldMapping, ...]:
    """The fields that reach Kustomer. Those of an audience only find its members."""
    return () if sync.is_audience else sync.mappings


def _column(sync: SyncConfig, field: str) -> dg.TableColumn:
    kind = field_type(sync.kind, field)
    return dg.TableColumn(field, type=str(kind.value), description=kind.description)


def _lineage(columns: Mapping[str, tuple[dg.AssetKey, tuple[str, ...]]]) -> Metadata:
    if not columns:
        return {}
    deps = {
        name: [dg.TableColumnDep(asset_key=key, column_name=column) for column in sources]
        for name, (key, sources) in columns.items()
    }
    return {"dagster/column_lineage": dg.TableColumnLineage(deps_by_column=deps)}
