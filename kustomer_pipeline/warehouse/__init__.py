"""SQL in, DataFrame out.

    WAREHOUSE_URL → open_engine → read_frame(sql)              → pandas.DataFrame
                                → watermark(table, updated_at) → Watermark (what a sensor remembers)

Nothing is ever written: connections are read-only where the database has a word for it, and rolled back
everywhere.
"""

from .engine import open_engine
from .errors import QueryError, WarehouseError, WarehouseUnavailableError, WarehouseUrlError
from .read import read_frame
from .watermark import Watermark, watermark

__all__ = [
    "QueryError",
    "WarehouseError",
    "WarehouseUnavailableError",
    "WarehouseUrlError",
    "Watermark",
    "open_engine",
    "read_frame",
    "watermark",
]
