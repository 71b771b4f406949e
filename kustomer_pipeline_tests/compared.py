"""A warehouse of the tests whose rows are compared where they are, as with `compare: in_warehouse`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa

from kustomer_pipeline.components.comparing import InWarehouse, read
from kustomer_pipeline.sync import AudienceSpec, ObjectSpec, StateStore, terms_of
from kustomer_pipeline.warehouse import open_engine
from kustomer_pipeline.warehouse.comparison import Comparison

# With TEST_COMPARE=in_warehouse every World compares in a warehouse: the same suites, over both comparisons.
EVERYWHERE = os.environ.get("TEST_COMPARE") == "in_warehouse"
SCHEMA = "kustomer_state"
_PLAIN = (str, int, float, bool)


class Warehouse:
    """One database, with a table for each sync."""

    def __init__(self, url: str) -> None:
        self.engine = open_engine(url)
        self._writing = sa.create_engine(self.engine.url, poolclass=sa.NullPool)

    @classmethod
    def in_sqlite(cls, path: Path) -> Warehouse:
        """In a file, made when it is missing."""
        path.touch()
        return cls(f"sqlite:///{path}")

    def holds(self, frame: pd.DataFrame) -> bool:
        """Whether a table can hold such rows: no lists, no moments."""
        return bool(frame.columns.is_unique) and all(
            value is None or value is pd.NA or isinstance(value, _PLAIN)
            for name in frame
            for value in frame[name].astype(object).tolist()
        )

    def write(self, spec: ObjectSpec | AudienceSpec, frame: pd.DataFrame) -> None:
        """The rows of a sync's table from now on."""
        columns = [sa.Column(str(name), _type_of(frame[name])) for name in frame]
        table = sa.Table(f"rows_of_{spec.name}", sa.MetaData(), *columns)
        rows = [
            {str(name): None if value is pd.NA else value for name, value in row.items()}
            for row in frame.astype(object).to_dict("records")
        ]
        with self._writing.begin() as connection:
            table.drop(connection, checkfirst=True)
            table.create(connection)
            if rows:
                connection.execute(sa.insert(table), rows)

    def read(
        self, spec: ObjectSpec | AudienceSpec, store: StateStore, org_id: str, *, everything: bool = False
    ) -> tuple[pd.DataFrame, InWarehouse]:
        """As the rows asset reads them, and what answers for the rest."""
        sql = f'select * from "rows_of_{spec.name}"'
        comparison = Comparison(self.engine, SCHEMA, org_id, spec.name)
        reading = read(comparison, spec, sql, terms_of(spec, store, org_id), everything=everything)
        return reading.rows, InWarehouse(comparison, reading.kept)


def _type_of(column: pd.Series[Any]) -> sa.types.TypeEngine[Any]:
    if pd.api.types.is_bool_dtype(column.dtype):
        return sa.Boolean()
    if pd.api.types.is_integer_dtype(column.dtype):
        return sa.BigInteger()
    return sa.Double() if pd.api.types.is_float_dtype(column.dtype) else sa.Text()
