"""Where the frames wait between two assets: one Parquet file per asset, under Dagster's storage folder.

Parquet keeps every dtype as it is (nullable ints, booleans, text, time zones), is read without running code
as a pickle would be, and opens in any tool.
"""

import os
import uuid
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa
from pydantic import Field
from upath import UPath


class ParquetIOManager(dg.UPathIOManager):
    """Keeps the DataFrame of an asset in `<folder>/<asset key>.parquet`; a new run replaces it at once."""

    extension = ".parquet"

    def dump_to_path(self, context: dg.OutputContext, obj: Any, path: UPath) -> None:
        """Write beside the file, then rename: a reader never sees half a file.

        Raises:
            TypeError: not a DataFrame, or one with a column that Parquet cannot hold.
        """
        if not isinstance(obj, pd.DataFrame):
            raise TypeError(f"Only a DataFrame can be kept as Parquet, not a {type(obj).__name__}")
        target = Path(str(path))
        temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
        try:
            try:
                obj.to_parquet(temporary, engine="pyarrow")
            except (pa.ArrowException, ValueError) as error:
                # Without pyarrow's own words: they may quote a value of a row.
                columns = ", ".join(_mixed_columns(obj)) or "unknown"
                raise TypeError(
                    f"The rows cannot be kept as Parquet ({type(error).__name__}): a column holds values of several "
                    f"types (columns in question: {columns}); cast it in the query"
                ) from None
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)

    def load_from_path(self, context: dg.InputContext, path: UPath) -> pd.DataFrame:
        """Read what `dump_to_path` wrote.

        Raises:
            FileNotFoundError: the asset has not been materialized with this storage.
        """
        try:
            return pd.read_parquet(Path(str(path)), engine="pyarrow")
        except FileNotFoundError:
            asset = context.asset_key.to_user_string()
            raise FileNotFoundError(f"The asset {asset} holds no rows yet: materialize it first") from None


def _mixed_columns(frame: pd.DataFrame) -> list[str]:
    return [str(name) for name, dtype in frame.dtypes.items() if pd.api.types.is_object_dtype(dtype)]


class ParquetStorage(dg.ConfigurableIOManagerFactory[ParquetIOManager]):
    """Keeps the frames between two assets as Parquet files, one per asset."""

    base_dir: str = Field(
        default="",
        description="A folder on this machine. Empty: the storage folder of the Dagster instance "
        "(DAGSTER_HOME/storage).",
    )

    def create_io_manager(self, context: dg.InitResourceContext) -> ParquetIOManager:
        """The IO manager on that folder."""
        folder = self.base_dir.strip()
        if not folder:
            if context.instance is None:
                raise dg.DagsterInvariantViolationError("base_dir is needed without a Dagster instance")
            folder = context.instance.storage_directory()
        return ParquetIOManager(base_path=UPath(folder))
