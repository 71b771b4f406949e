"""Runs as Dagster keeps them → what is known of their end. Reads the instance only.

A run that Dagster is about to try again is not over, and one that it has tried again says nothing: the new one does.
"""

from collections.abc import Collection, Iterable, Mapping

import dagster as dg

from ..failures import ERROR, TO_TELL
from .verdicts import Ended, Status, StepFailure

WILL_RETRY_TAG = "dagster/will_retry"
RETRIED_BY_TAG = "dagster/auto_retry_run_id"

# A retry that never comes (Dagster's daemon for them is off) is waited for so long.
RETRY_PATIENCE_SECONDS = 3600.0
# Dagster writes whether it tries again a moment after it writes that a run has failed.
_MOMENT_SECONDS = 10.0
_MOST_EVENTS = 5000

_ENDED: Mapping[dg.DagsterRunStatus, Status] = {
    dg.DagsterRunStatus.SUCCESS: "success",
    dg.DagsterRunStatus.FAILURE: "failure",
    dg.DagsterRunStatus.CANCELED: "canceled",
}
_STEP_EVENTS = {
    dg.DagsterEventType.STEP_START,
    dg.DagsterEventType.STEP_SUCCESS,
    dg.DagsterEventType.STEP_FAILURE,
}


def run_records(instance: dg.DagsterInstance, run_ids: Collection[str]) -> dict[str, dg.RunRecord]:
    """The runs that are still there, in one query."""
    wanted = sorted({run_id for run_id in run_ids if run_id})
    if not wanted:
        return {}
    records = instance.get_run_records(dg.RunsFilter(run_ids=wanted))
    return {record.dagster_run.run_id: record for record in records}


def runs_of(instance: dg.DagsterInstance, key: dg.AssetKey, most: int) -> list[str]:
    """The runs that were to make an asset, the newest first."""
    wanted = dg.EventRecordsFilter(dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED, asset_key=key)
    found = instance.event_log_storage.get_event_records(wanted, limit=most, ascending=False)
    return list(dict.fromkeys(record.run_id for record in found))


def is_over(instance: dg.DagsterInstance, record: dg.RunRecord | None, now: float) -> bool:
    """Whether nothing more comes of a run. One that was deleted is over."""
    if record is None:
        return True
    run = record.dagster_run
    if run.status not in _ENDED:
        return False
    if run.status is not dg.DagsterRunStatus.FAILURE or RETRIED_BY_TAG in run.tags:
        return True
    age = now - (record.end_time or 0.0)
    will_retry = run.tags.get(WILL_RETRY_TAG)
    if will_retry is None:
        return age >= _MOMENT_SECONDS or not instance.run_retries_enabled
    return will_retry != "true" or age >= RETRY_PATIENCE_SECONDS


def ended_run(instance: dg.DagsterInstance, record: dg.RunRecord, steps: Iterable[str]) -> Ended | None:
    """How a run ended that is over, with its steps unless all went well; None when another run speaks for it."""
    run = record.dagster_run
    if RETRIED_BY_TAG in run.tags:
        return None
    status, at = _ENDED[run.status], record.end_time or 0.0
    if status == "success":
        return Ended(run.run_id, at, status)
    started, succeeded = set(), set()
    failures: dict[str, StepFailure] = {}
    events = instance.get_records_for_run(run.run_id, of_type=_STEP_EVENTS, limit=_MOST_EVENTS).records
    for event in (record.event_log_entry.get_dagster_event() for record in events):
        step = event.step_key or ""
        if event.event_type is dg.DagsterEventType.STEP_START:
            started.add(step)
        elif event.event_type is dg.DagsterEventType.STEP_SUCCESS:
            succeeded.add(step)
        else:
            failures[step] = _step_failure(event, ours=step in set(steps))
    return Ended(run.run_id, at, status, frozenset(started), frozenset(succeeded), failures)


def _step_failure(event: dg.DagsterEvent, *, ours: bool) -> StepFailure:
    """Only what our own failures say of themselves that it may leave Dagster: any other text may quote a row."""
    data = event.step_failure_data.user_failure_data
    if data is None or not ours:
        return StepFailure()
    metadata = {key: str(value.value) for key, value in data.metadata.items()}
    return StepFailure(metadata.get(ERROR, ""), metadata.get(TO_TELL, ""))
