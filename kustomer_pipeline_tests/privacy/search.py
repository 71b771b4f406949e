"""Somebody searched for in everything on disk: every byte of every file, every cell of every frame and table."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
import sqlalchemy as sa


class Search:
    """`of(texts)`: where any of them is. The warehouse's own tables (`source`) are left out."""

    def __init__(self, home: Path, warehouse: sa.Engine, source: Sequence[str]) -> None:
        self._home = home
        self._warehouse = warehouse
        self._source = source

    def of(self, *texts: str, but_not_in: str = "no file") -> list[str]:
        """Places, each with the text that is there, in capitals or not."""
        return [*self._in_files(texts, but_not_in), *self._in_frames(texts), *self._in_tables(texts)]

    def _in_files(self, texts: Sequence[str], but_not_in: str) -> Iterator[str]:
        for path in sorted(one for one in self._home.rglob("*") if one.is_file()):
            content = path.read_bytes().lower()
            for text in texts:
                if text.lower().encode() in content and but_not_in not in str(path):
                    yield f"{path.relative_to(self._home)}: {text}"

    def _in_frames(self, texts: Sequence[str]) -> Iterator[str]:
        for path in sorted(self._home.rglob("*.parquet")):
            content = repr(pd.read_parquet(path).astype(object).to_numpy().tolist()).lower()
            yield from (f"{path.relative_to(self._home)} (cells): {text}" for text in texts if text.lower() in content)

    def _in_tables(self, texts: Sequence[str]) -> Iterator[str]:
        inspector = sa.inspect(self._warehouse)
        own = {"pg_catalog", "information_schema"}
        for schema in inspector.get_schema_names():
            for name in inspector.get_table_names(schema=schema) if schema not in own else ():
                if name in self._source:
                    continue
                table = sa.Table(name, sa.MetaData(), schema=schema, autoload_with=self._warehouse)
                with self._warehouse.connect() as connection:
                    content = repr(connection.execute(sa.select(table)).all()).lower()
                yield from (f"{schema}.{name}: {text}" for text in texts if text.lower() in content)
