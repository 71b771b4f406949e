"""SQL in, DataFrame out.

    WAREHOUSE_URL → open_engine → read_frame(sql)              → pandas.DataFrame
                                → watermark(table, updated_at) → Watermark (what a sensor remembers)
    an upstream asset's frame   → frame_of                     → pandas.DataFrame, with the same dtypes
                  RunLog        → write_log(schema)            → sync_log, sync_runs, rejects
                                  purge_log, remove_from_log   ← what is old, and one person

Nothing is ever written but those three tables, and they only when a sync asks for it (`log_to`): all other
connections are read-only where the database has a word for it, and rolled back everywhere.
"""

from .engine import open_engine, table_uri
from .errors import LogTablesError, QueryError, WarehouseError, WarehouseUnavailableError, WarehouseUrlError
from .frames import frame_of
from .log_removal import purge_log, remove_from_log
from .log_tables import RUN_COLUMNS, RunLog, write_log
from .read import read_frame
from .shards import part_of_query
from .tables import table_columns
from .watermark import Watermark, watermark

__all__ = [
    "RUN_COLUMNS",
    "LogTablesError",
    "QueryError",
    "RunLog",
    "WarehouseError",
    "WarehouseUnavailableError",
    "WarehouseUrlError",
    "Watermark",
    "frame_of",
    "open_engine",
    "part_of_query",
    "purge_log",
    "read_frame",
    "remove_from_log",
    "table_columns",
    "table_uri",
    "watermark",
    "write_log",
]
