"""Materializes the whole graph through Dagster, and says in a table what came of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

COLUMNS = (
    *("created", "updated", "unchanged", "skipped", "invalid", "rejected"),
    *("removed", "api_requests"),
)
_HEADINGS = {"api_requests": "requests"}


@dataclass(frozen=True)
class Result:
    """What one materialization of the graph did: sync → counters, and the rows that were refused, by reason."""

    counters: Mapping[str, Mapping[str, int]]
    refused: Mapping[str, int]
    succeeded: bool


def materialize_all(defs: dg.Definitions, instance: dg.DagsterInstance) -> Result:
    """Run the job `sync_all` in this process."""
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    job = defs.resolve_job_def("sync_all")
    run = job.execute_in_process(run_config=quiet, instance=instance, raise_on_error=False)
    counters: dict[str, dict[str, int]] = {}
    refused: dict[str, int] = {}
    for event in run.get_asset_materialization_events():
        key, metadata = event.asset_key, event.step_materialization_data.materialization.metadata
        if key is None or key.path[0] != "kustomer":
            continue
        numbers = {name: metadata[name].value for name in COLUMNS if name in metadata}
        counters[key.path[-1]] = {name: int(str(value)) for name, value in numbers.items()}
        table = metadata.get("refused_rows")
        if isinstance(table, dg.TableMetadataValue):
            for record in table.records:
                reason = re.sub(r"(is also on) row.*", r"\1 another row", str(record.data["reason"]))
                refused[reason] = refused.get(reason, 0) + 1
    return Result(counters, refused, run.success)


def table_of(counters: Mapping[str, Mapping[str, int]]) -> str:
    """A line per sync, a column per counter."""
    headings = ["sync", *(_HEADINGS.get(name, name) for name in COLUMNS)]
    lines = [[sync, *(_shown(values.get(name)) for name in COLUMNS)] for sync, values in counters.items()]
    widths = [max(len(line[index]) for line in [headings, *lines]) for index in range(len(headings))]
    return "\n".join(_line(line, widths) for line in [headings, *lines])


def _shown(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        cell.ljust(width) if index == 0 else cell.rjust(width)
        for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join(["  " + first, *others]).rstrip()
