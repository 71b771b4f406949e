"""What a sensor looks at, in one of three ways, and what is wrong with it although each key on its own is right.

{table, updated_at}     the newest rows of a table are read
{table, by: metadata}   the warehouse is asked when the table was last changed; no row is read
{query}                 a query of the user's own; the sync runs when its answer is another one
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from kustomer_pipeline.resources import setting
from kustomer_pipeline.warehouse.signals import no_metadata, without_metadata

from .in_dagster import AssetPath
from .parts import Attributes, Count
from .problems import Problem

_NO_SQL = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_ARGUMENTS = re.compile(r"\((?!\s*(?:select|with)\b)[^()]*\)", re.IGNORECASE)
_FIRST_TABLE = re.compile(
    r"\bfrom\s+((?:[\w$-]+|\"[^\"]+\"|`[^`]+`)(?:\.(?:[\w$-]+|\"[^\"]+\"|`[^`]+`))*)", re.IGNORECASE
)


class Watch(Attributes):
    """What the sensor looks at: {table, updated_at}, {table, by: metadata} or {query}."""

    table: str = Field(  # type: ignore[assignment]  # never None in a sync that was built: watch_problems refuses that
        None,
        min_length=1,
        description="The table to watch, e.g. crm.customers. Beside query it is only what the graph shows; by default "
        "the first table that the query names.",
    )
    updated_at: str | None = Field(
        None, min_length=1, description="Its column that says when a row was last changed: the newest rows are read."
    )
    by: Literal["metadata"] | None = Field(
        None,
        description="metadata, instead of updated_at: ask the warehouse when the table was last changed; no row is "
        "read. Snowflake, BigQuery and Databricks (Delta) know it.",
    )
    query: str | None = Field(
        None,
        min_length=1,
        description="Instead of table and updated_at: a query that gives one row. The sync runs when the answer is "
        "another one than at the last look.",
        examples=["select max(loaded_at) from etl.loads"],
    )
    every: Count = Field(
        60, ge=5, description="Seconds between two looks; at least 5, which is how often Dagster's daemon looks itself."
    )
    at_least_every: Count = Field(
        86_400,
        ge=0,
        description="After so many seconds without a run the sync runs although the table looks as before: no look "
        "sees every change (an older row edited, its updated_at left as it was). 0: never.",
    )
    asset: AssetPath | None = Field(
        None,
        description="The key of the asset that this table is, where the project has one. Default: an external asset "
        "for the table, warehouse/crm/customers_table.",
    )
    reports_only: bool = Field(
        False,
        description="true: the sensor runs nothing. It reports that the table's asset has changed, and automation does "
        "the rest.",
    )

    @model_validator(mode="before")
    @classmethod
    def _table_of_the_query(cls, data: Any) -> Any:
        """A query stands for the table that it reads: that is what the graph shows."""
        if not isinstance(data, Mapping) or data.get("table") is not None or not isinstance(data.get("query"), str):
            return data
        table = _first_table(data["query"])
        return {**data, "table": table} if table else data


def _first_table(sql: str) -> str | None:
    bare, before = _NO_SQL.sub(" ", sql), ""
    while bare != before:  # from the innermost outwards: extract(year from loaded_at) names no table
        bare, before = _ARGUMENTS.sub(" ", bare), bare
    found = _FIRST_TABLE.search(bare)
    return found[1] if found else None


def watch_problems(watch: Watch | None, warehouse: str) -> Iterator[Problem]:
    """What is wrong between the keys. `warehouse`: the name of the resource that the sensor asks."""
    if watch is None:
        return
    ways = [key for key in ("query", "by", "updated_at") if getattr(watch, key) is not None]
    for key in ways[1:]:
        yield Problem(("watch", key), f"{ways[0]} says already what is looked at; keep one of both")
    if watch.table is None:
        yield _without_table(watch)
    if not ways:
        yield Problem(
            ("watch", "updated_at"),
            "is missing. The table's column that says when a row was last changed; or write by: metadata, or a query",
        )
    if watch.by == "metadata" and warehouse == "warehouse":  # another resource has another URL, known when it is used
        dialect = without_metadata(setting("", "WAREHOUSE_URL") or "")
        if dialect is not None:
            yield Problem(("watch", "by"), no_metadata(dialect))


def _without_table(watch: Watch) -> Problem:
    if watch.query is None:
        return Problem(("watch", "table"), "is missing. The table to watch, e.g. crm.customers.")
    what = "it names no table after its from: write table as well, the name of what it asks about, for the graph"
    return Problem(("watch", "query"), what)
