"""Runs the jobs over the whole graph through Dagster, and says in tables what came of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg
import pandas as pd

COLUMNS = (
    *("created", "updated", "unchanged", "skipped", "invalid", "rejected"),
    *("removed", "api_requests"),
)
_HEADINGS = {"api_requests": "requests"}
_NOT_SENT = ("skipped", "invalid", "rejected", "deferred")
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
_INTERRUPTED = "DagsterExecutionInterruptedError"

NotSent = tuple[str, str, str]


@dataclass(frozen=True)
class Result:
    """What one run of `sync_all` did.

    `counters`: sync → counter → number. `not_sent`: (sync, outcome, reason) → number of rows. `failures`: what a
    person reads about each step that failed.
    """

    counters: Mapping[str, Mapping[str, int]]
    not_sent: Mapping[NotSent, int]
    failures: Sequence[str]

    @property
    def requests(self) -> int:
        """What it spent of the org's budget."""
        return sum(values.get("api_requests", 0) for values in self.counters.values())

    @property
    def rows(self) -> int:
        """The rows that were read."""
        return sum(values.get("rows_read", 0) for values in self.counters.values())


@dataclass(frozen=True)
class Planned:
    """What `plan_all` says: a line per record that would change, and the steps that failed."""

    lines: Sequence[Sequence[str]]
    failures: Sequence[str]


def sync_all(defs: dg.Definitions, instance: dg.DagsterInstance) -> Result:
    """Run the job `sync_all` in this process."""
    run = _run(defs, instance, "sync_all")
    counters: dict[str, dict[str, int]] = {}
    not_sent: Counter[NotSent] = Counter()
    for event in run.get_asset_materialization_events():
        key, metadata = event.asset_key, event.step_materialization_data.materialization.metadata
        if key is None or "rows_read" not in metadata:  # the rows, mapped or not
            continue
        sync = key.path[-1]
        numbers = {name: metadata[name].value for name in (*COLUMNS, "rows_read") if name in metadata}
        counters[sync] = {name: int(str(value)) for name, value in numbers.items()}
        not_sent.update(_not_sent(sync, _value(run, key)))
    return Result(counters, not_sent, _failures(run))


def plan_all(defs: dg.Definitions, instance: dg.DagsterInstance) -> Planned:
    """Run the job `plan_all` in this process: it sends nothing."""
    run = _run(defs, instance, "plan_all")
    lines: list[list[str]] = []
    for event in run.get_asset_materialization_events():
        key = event.asset_key
        if key is not None and key.path[-1].endswith("_plan"):
            lines += _planned(key.path[-1].removesuffix("_plan"), _value(run, key))
    return Planned(lines, _failures(run))


def _run(defs: dg.Definitions, instance: dg.DagsterInstance, job: str) -> dg.ExecuteInProcessResult:
    run = defs.resolve_job_def(job).execute_in_process(run_config=_QUIET, instance=instance, raise_on_error=False)
    # Dagster takes Ctrl+C for a failure of the step that it hits.
    for event in run.filter_events(lambda event: event.is_step_failure):
        error = event.step_failure_data.error
        if error is not None and _INTERRUPTED in (error.cls_name, error.cause.cls_name if error.cause else None):
            raise KeyboardInterrupt
    return run


def _value(run: dg.ExecuteInProcessResult, key: dg.AssetKey) -> pd.DataFrame:
    value = run.asset_value(key)
    assert isinstance(value, pd.DataFrame)
    return value


def _failures(run: dg.ExecuteInProcessResult) -> list[str]:
    found = []
    for event in run.filter_events(lambda event: event.is_step_failure):
        data = event.step_failure_data
        said = data.user_failure_data.description if data.user_failure_data else None
        cause = data.error.message.strip() if data.error else None
        found.append(f"{str(event.node_name).replace('__', '/', 1)}: {said or cause or 'it failed'}")
    return found


def _not_sent(sync: str, rows: pd.DataFrame) -> Iterable[NotSent]:
    left = rows[rows["outcome"].isin(_NOT_SENT)]
    for outcome, reason in zip(left["outcome"], left["reason"].fillna(""), strict=True):
        yield sync, str(outcome), re.sub(r"(is also on) row.*", r"\1 another row", str(reason))


def _planned(sync: str, changes: pd.DataFrame) -> Iterable[list[str]]:
    for (key, action), record in changes.groupby(["key", "action"], sort=False):
        first = record.iloc[0]
        if action == "update":
            what = "; ".join(_field(change) for _, change in record.iterrows())
        else:
            what = f"{len(record)} fields" if action == "create" else "" if pd.isna(first.reason) else str(first.reason)
        yield [sync, str(action), str(key), what]


def _field(change: pd.Series) -> str:
    before, after = ("nothing" if pd.isna(value) else str(value) for value in (change["before"], change["after"]))
    return f"{change['field']}: {before} → {after}"


def table_of_counters(counters: Mapping[str, Mapping[str, int]]) -> str:
    """A line per sync, a column per counter."""
    headings = ["sync", *(_HEADINGS.get(name, name) for name in COLUMNS)]
    lines = [[sync, *(_shown(values.get(name)) for name in COLUMNS)] for sync, values in counters.items()]
    return table([headings, *lines], right=range(1, len(headings)))


def table_of_not_sent(not_sent: Mapping[NotSent, int]) -> str:
    """A line per reason, the most frequent first."""
    ranked = sorted(not_sent.items(), key=lambda pair: (-pair[1], pair[0]))
    lines = [[sync, f"{count:,}", outcome, reason] for (sync, outcome, reason), count in ranked]
    return table(lines, right=[1])


def table(lines: Sequence[Sequence[str]], right: Iterable[int] = ()) -> str:
    """Columns of text, indented by two; those in `right` are numbers."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    right = set(right)
    return "\n".join(
        "  "
        + "  ".join(
            cell.rjust(width) if index in right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _shown(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
