"""The newest results of the checks of some syncs → those that failed.

One query for all. A run announces its checks when it begins: while it is under way, the result before it is asked for,
one by one; when it is over and has not come so far, what was known of the check stands.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dagster as dg

from .facts import Facts, FailedCheck
from .watched import Watched

MAX_SAID = 600


def failed_checks(
    instance: dg.DagsterInstance,
    syncs: Sequence[Watched],
    before: Mapping[str, Facts],
    is_over: Callable[[str], bool],
) -> dict[str, tuple[FailedCheck, ...]]:
    """By sync, the checks that did not pass when they were last evaluated; not there where none is known.

    is_over: whether the run of an id is over.
    """
    keys = [key for sync in syncs for key in sync.checks]
    if not keys:
        return {}
    storage = instance.event_log_storage
    newest: dict[dg.AssetCheckKey, Any] = dict(storage.get_latest_asset_check_execution_by_key(keys))
    announced = [key for key in keys if key in newest and _evaluation(newest[key]) is None]
    under_way = [key for key in announced if not is_over(newest[key].run_id)]
    for key, summary in storage.get_asset_check_summary_records(under_way).items():
        newest[key] = summary.last_completed_check_execution_record
    return {
        sync.name: _of_sync(sync, newest, before[sync.name].checks or ())
        for sync in syncs
        if before[sync.name].checks is not None or any(_evaluation(newest.get(key)) for key in sync.checks)
    }


def _of_sync(
    sync: Watched, newest: Mapping[dg.AssetCheckKey, Any], before: Sequence[FailedCheck]
) -> tuple[FailedCheck, ...]:
    known = {check.name: check for check in before}
    checks = (
        _failed(newest[key]) if _evaluation(newest.get(key)) is not None else known.get(key.name) for key in sync.checks
    )
    return tuple(check for check in checks if check is not None)


def _evaluation(record: Any) -> dg.AssetCheckEvaluation | None:
    event = record.event.dagster_event if record is not None and record.event is not None else None
    data = event.event_specific_data if event is not None else None
    return data if isinstance(data, dg.AssetCheckEvaluation) else None


def _failed(record: Any) -> FailedCheck | None:
    evaluation = _evaluation(record)
    if evaluation is None or evaluation.passed:
        return None
    severe = evaluation.severity is dg.AssetCheckSeverity.ERROR
    return FailedCheck(
        name=evaluation.check_name,
        severity="error" if severe else "warn",
        run_id=record.run_id,
        at=record.event.timestamp,
        said=(evaluation.description or "")[:MAX_SAID],
    )
