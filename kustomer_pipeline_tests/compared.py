"""A warehouse of the tests whose rows are compared where they are, as with `compare: in_warehouse`."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa

from kustomer_pipeline.components.comparing import InWarehouse, read
from kustomer_pipeline.mapping import INVALID, KEY
from kustomer_pipeline.sync import AudienceSpec, ObjectSpec, StateStore, SyncReport, terms_of
from kustomer_pipeline.sync.compare import fingerprints
from kustomer_pipeline.sync.state.tables import sync_rows
from kustomer_pipeline.warehouse import open_engine, read_frame
from kustomer_pipeline.warehouse.comparison import Comparison

# With TEST_COMPARE=in_warehouse every World compares in a warehouse: the same suites, over both comparisons. In SQLite,
# or (TEST_WAREHOUSE=postgresql) in the server of the test process, whose address it leaves for itself and its children.
EVERYWHERE = os.environ.get("TEST_COMPARE") == "in_warehouse"
IN_POSTGRESQL = os.environ.get("TEST_WAREHOUSE") == "postgresql"
ADDRESS = "TEST_WAREHOUSE_URL"
_PLAIN = (str, int, float, bool)
_HALF_A_SIGN = re.compile("[\ud800-\udfff]")
_NO_TEXT = re.compile("[\ud800-\udfff\0]")


class Warehouse:
    """One database, with a table for each sync; in PostgreSQL two schemas of one."""

    def __init__(self, url: str, schema: str = "kustomer_state") -> None:
        self.engine = open_engine(url)
        self._schema = schema
        self._writing = sa.create_engine(self.engine.url, poolclass=sa.NullPool)

    @classmethod
    def of(cls, name: str, folder: Path) -> Warehouse:
        """The warehouse of that name, made when it is missing."""
        return cls.in_postgresql(os.environ[ADDRESS], name) if IN_POSTGRESQL else cls.in_sqlite(folder / f"{name}.db")

    @classmethod
    def in_sqlite(cls, path: Path) -> Warehouse:
        """In a file, made when it is missing."""
        path.touch()
        return cls(f"sqlite:///{path}")

    @classmethod
    def in_postgresql(cls, server: str, name: str) -> Warehouse:
        """In two schemas, made when they are missing."""
        url = sa.make_url(server).update_query_dict({"options": f"-csearch_path={name}"})
        warehouse = cls(url.render_as_string(hide_password=False), f"{name}_state")
        with warehouse._writing.begin() as connection:
            for schema in (name, f"{name}_state"):
                connection.exec_driver_sql(f"create schema if not exists {schema}")
        return warehouse

    def drop(self) -> None:
        """It is not needed any more."""
        if self.engine.dialect.name == "postgresql":
            with self._writing.begin() as connection:
                for schema in (self._schema.removesuffix("_state"), self._schema):
                    connection.exec_driver_sql(f"drop schema {schema} cascade")

    def holds(self, frame: pd.DataFrame) -> bool:
        """Whether a table can hold such rows: no lists, no moments, no half of a sign; in PostgreSQL no mixture."""
        no_text = _NO_TEXT if self.engine.dialect.name == "postgresql" else _HALF_A_SIGN
        if no_text is _NO_TEXT and any(pd.api.types.is_object_dtype(dtype) for dtype in frame.dtypes):
            return False
        return bool(frame.columns.is_unique) and all(
            value is None or value is pd.NA or (isinstance(value, _PLAIN) and not no_text.search(str(value)))
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

    def all_rows(self, spec: ObjectSpec | AudienceSpec) -> pd.DataFrame:
        """The rows of a sync's table as the query gives them, in their order."""
        return read_frame(self.engine, f'select * from "rows_of_{spec.name}"')

    def read(
        self,
        spec: ObjectSpec | AudienceSpec,
        store: StateStore,
        org_id: str,
        *,
        everything: bool = False,
        again: Collection[str] = (),
    ) -> tuple[pd.DataFrame, InWarehouse]:
        """As the rows asset reads them, and what answers for the rest. again: keys of rows that leave in any case."""
        sql = f'select * from "rows_of_{spec.name}"'
        comparison = Comparison(self.engine, self._schema, org_id, spec.name)
        terms = terms_of(spec, store, org_id)
        terms = replace(terms, again=terms.again.union(again))
        reading = read(comparison, spec, sql, terms, everything=everything)
        return reading.rows, InWarehouse(comparison, reading.kept)


def with_all_rows(
    report: SyncReport, spec: ObjectSpec | AudienceSpec, frame: pd.DataFrame, left: pd.DataFrame, state: StateStore
) -> SyncReport:
    """A report as if every row of the source had left the warehouse: in its order, those that stayed unchanged."""
    mapped = spec.map(frame)
    places: dict[tuple[int, str], list[int]] = defaultdict(list)
    for place, mark in reversed(list(enumerate(marks_of(spec, spec.map(left))))):
        places[mark].append(place)
    rows = sync_rows
    query = sa.select(rows.c.key, rows.c.kustomer_id).where(rows.c.org_id == report.org_id, rows.c.sync == spec.name)
    with state.engine.connect() as connection:
        ids = {key: id_ for key, id_ in connection.execute(query) if id_ is not None}
    names = ["key", "outcome", "kustomer_id", "reason"]
    told = report.rows[names].astype(object).to_numpy().tolist()
    lines = []
    for key, mark in zip(mapped[KEY].tolist(), marks_of(spec, mapped), strict=True):
        known = places[mark]
        lines.append([key, *told[known.pop()][1:]] if known else [key, "unchanged", ids.get(key), None])
    stayed = sum(map(len, places.values()))
    assert not stayed, f"{stayed} rows left the warehouse that are not in it"
    return replace(report, rows=pd.DataFrame(lines, columns=names, dtype="string"), stayed=0)


def marks_of(spec: ObjectSpec | AudienceSpec, mapped: pd.DataFrame) -> list[tuple[int, str]]:
    """What tells mapped rows apart: their content, and why they are refused."""
    why = [text.partition("row")[0] for text in mapped[INVALID].fillna("").tolist()]  # not which other row it is like
    return list(zip(fingerprints(mapped, spec.signature).tolist(), why, strict=True))


def _type_of(column: pd.Series[Any]) -> sa.types.TypeEngine[Any]:
    if pd.api.types.is_bool_dtype(column.dtype):
        return sa.Boolean()
    if pd.api.types.is_integer_dtype(column.dtype):
        return sa.BigInteger()
    if pd.api.types.is_float_dtype(column.dtype):
        return sa.Double()
    return _AsItIs() if pd.api.types.is_object_dtype(column.dtype) else sa.Text()


class _AsItIs(sa.types.UserDefinedType[Any]):
    """A column of SQLite without a type: a number stays a number, a text a text."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return ""
