"""What Dagster has recorded of the syncs → facts. Reads the instance only: no Kustomer, no warehouse.

One query for all assets, one or two for the runs in question, one for all checks of syncs with a new end. Only what is
new costs more: the steps of a run that failed, the runs before one that is under way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import dagster as dg

from kustomer_pipeline.sync import What

from .evaluations import failed_checks
from .facts import Counted, Drifted, Facts, RunEnd
from .runs import ended_run, is_over, run_records, runs_of
from .verdicts import Steps, verdicts
from .watched import Watched

_EARLIER_RUNS = 5  # that a sync may have had since the last look
_MOST_READ = 25  # runs that did not succeed, a look; the others wait for the next one


@dataclass
class _Reader:
    """One look. Runs are read once, however many syncs are in them."""

    instance: dg.DagsterInstance
    now: float
    records: dict[str, dg.RunRecord] = field(default_factory=dict)
    ends: dict[str, dict[str, RunEnd | None]] = field(default_factory=dict)

    def fetch(self, run_ids: set[str]) -> None:
        self.records |= run_records(self.instance, run_ids - self.records.keys())

    def over(self, run_id: str) -> bool:
        return is_over(self.instance, self.records.get(run_id), self.now)

    def end(self, run_id: str, name: str, syncs: Mapping[str, Steps]) -> tuple[bool, RunEnd | None]:
        """Whether the run is read, and how it ended for that sync. `syncs`: all that it was to make."""
        if run_id not in self.ends:
            record = self.records.get(run_id)
            succeeded = record is not None and record.dagster_run.status is dg.DagsterRunStatus.SUCCESS
            if not succeeded and len(self.ends) >= _MOST_READ:
                return False, None
            steps = [step for of_sync in syncs.values() for step in of_sync]
            run = ended_run(self.instance, record, steps) if record is not None else None
            self.ends[run_id] = verdicts(run, syncs) if run is not None else {}
        return True, self.ends[run_id].get(name)


def look(
    instance: dg.DagsterInstance, syncs: Sequence[Watched], before: Mapping[str, Facts], now: float
) -> dict[str, Facts]:
    """What is known of each sync now. `before`: what was known at the last look."""
    reader = _Reader(instance, now)
    entries = {
        record.asset_entry.asset_key: record.asset_entry
        for record in instance.get_asset_records([key for sync in syncs for key in (sync.key, sync.drift_key) if key])
    }
    known = {sync.name: before.get(sync.name, Facts(first_seen=now)) for sync in syncs}
    newest = {sync.name: _last_run(entries.get(sync.key)) for sync in syncs}
    recorded = {sync.name: _materialization(entries.get(sync.key)) for sync in syncs}
    reader.fetch(_in_question(known, newest, recorded))
    candidates = _candidates(reader, syncs, known, newest)
    reader.fetch({run_id for run_ids in candidates.values() for run_id in run_ids})
    found = {
        sync.name: _with_ends(reader, sync.name, known[sync.name], newest[sync.name], candidates, syncs)
        for sync in syncs
    }
    news = [sync for sync in syncs if _is_news(known[sync.name], found[sync.name])]
    checks = failed_checks(instance, news, known, reader.over)
    return {
        sync.name: replace(
            found[sync.name],
            checks=checks.get(sync.name, known[sync.name].checks),
            counted=_counted(reader, found[sync.name], recorded[sync.name]),
            drift=_drift(_materialization(entries.get(sync.drift_key) if sync.drift_key is not None else None)),
        )
        for sync in syncs
    }


def _in_question(
    known: Mapping[str, Facts], newest: Mapping[str, str], recorded: Mapping[str, dg.EventLogEntry | None]
) -> set[str]:
    """The runs that may have come to something since the last look, and those that recorded what is there."""
    runs = {newest[name] for name, facts in known.items() if not (facts.settled and facts.last_run == newest[name])}
    for name, entry in recorded.items():
        if entry is not None and not _known_over(known[name], entry.run_id):
            runs.add(entry.run_id)
    return runs


def _candidates(
    reader: _Reader, syncs: Sequence[Watched], known: Mapping[str, Facts], newest: Mapping[str, str]
) -> dict[str, list[str]]:
    """The runs of each sync that may say how it goes, the newest first; none where nothing has happened."""
    found: dict[str, list[str]] = {}
    for sync in syncs:
        facts, run_id = known[sync.name], newest[sync.name]
        if facts.settled and facts.last_run == run_id:
            found[sync.name] = []
            continue
        record = reader.records.get(run_id)
        succeeded = record is not None and record.dagster_run.status is dg.DagsterRunStatus.SUCCESS
        runs = [run_id] if run_id else []
        if not succeeded and run_id != facts.last_run:
            runs += [one for one in runs_of(reader.instance, sync.key, _EARLIER_RUNS) if one != run_id]
        if facts.last_run and facts.last_run not in runs and not facts.settled:
            runs.append(facts.last_run)
        if facts.end is not None and facts.end.run_id in runs:
            runs = runs[: runs.index(facts.end.run_id)]
        found[sync.name] = runs
    return found


def _with_ends(
    reader: _Reader,
    name: str,
    facts: Facts,
    newest: str,
    candidates: Mapping[str, Sequence[str]],
    syncs: Sequence[Watched],
) -> Facts:
    """The facts with the newest run that ended one way or the other."""
    if facts.settled and facts.last_run == newest:
        return facts
    end, settled = None, True
    for run_id in candidates[name]:
        over = reader.over(run_id)
        if over:
            together = {sync.name: sync.steps for sync in syncs if run_id in candidates[sync.name]}
            over, end = reader.end(run_id, name, together)
        settled = settled and (over or run_id != newest)
        if end is not None:
            break
    success = facts.success
    for run_id in candidates[name]:
        record = reader.records.get(run_id)
        if record is not None and record.dagster_run.status is dg.DagsterRunStatus.SUCCESS:
            success = max(success or 0.0, record.end_time or 0.0)
    if end is not None and end.ok:
        success = max(success or 0.0, end.at)
    return replace(facts, end=end or facts.end, success=success, last_run=newest, settled=settled)


def _is_news(before: Facts, after: Facts) -> bool:
    settled = (after.last_run, after.settled) != (before.last_run, before.settled)
    return after.end != before.end or settled or before.checks is None


def _known_over(facts: Facts, run_id: str) -> bool:
    of_end = facts.end is not None and facts.end.run_id == run_id
    return of_end or (facts.settled and facts.last_run == run_id)


def _counted(reader: _Reader, facts: Facts, entry: dg.EventLogEntry | None) -> Counted | None:
    """What the sync asset holds, once the run that recorded it is over."""
    materialization = entry.asset_materialization if entry is not None else None
    if entry is None or materialization is None or "rows_read" not in materialization.metadata:
        return None
    if not (_known_over(facts, entry.run_id) or reader.over(entry.run_id)):
        return None
    values: dict[str, Any] = {key: value.value for key, value in materialization.metadata.items()}

    def number(name: str) -> int:
        return int(values.get(name) or 0)

    return Counted(
        run_id=entry.run_id,
        at=entry.timestamp,
        read=number("rows_read"),
        invalid=number("invalid"),
        rejected=number("rejected"),
        deferred=number("deferred"),
        held=number("changes_held") + number("removals_held"),
        held_advice=str(values.get("what_to_do") or ""),
        waited=min(float(values.get("seconds_waited") or 0.0), float(values.get("seconds") or 0.0)),
        out_of_budget=values.get("out_of_budget") is True,
        waiting=number("removals_waiting") if number("invalid") + number("rejected") else 0,
    )


def _drift(entry: dg.EventLogEntry | None) -> Drifted | None:
    """What the asset that looks for drift holds."""
    materialization = entry.asset_materialization if entry is not None else None
    if entry is None or materialization is None or "looked_at" not in materialization.metadata:
        return None
    values: dict[str, Any] = {key: value.value for key, value in materialization.metadata.items()}
    kinds = tuple((str(what), int(values[what])) for what in What if values.get(what))
    looked_at, drifted = int(values["looked_at"]), int(values.get("drifted") or 0)
    return Drifted(entry.run_id, entry.timestamp, looked_at, drifted, kinds)


def _last_run(entry: Any) -> str:
    return (entry.last_run_id or "") if entry is not None else ""


def _materialization(entry: Any) -> dg.EventLogEntry | None:
    record = entry.last_materialization_record if entry is not None else None
    return record.event_log_entry if record is not None else None
