"""What happens next to a sync: to the rows that are left, to what is held, and what starts the next run."""

from collections.abc import Iterator

import dagster as dg

from kustomer_pipeline.sync import ReasonCode, SyncReport
from kustomer_pipeline.sync.wording import quantity

from .approvals import changes_advice, removals_advice
from .keys import plan_key
from .sync_config import OnCron, SyncConfig

_HELD = (ReasonCode.REMOVALS_HELD, ReasonCode.CHANGES_HELD, ReasonCode.NOT_APPROVED, ReasonCode.CHANGED_SINCE_PLAN)


def what_next(sync: SyncConfig, report: SyncReport, switched_on: frozenset[str]) -> str:
    """As Markdown. `switched_on`: the names of the sensors and schedules that are."""
    lines = [f"- {line}" for line in _lines(sync, report, switched_on)]
    advice = filter(None, [removals_advice(sync, report.removals), changes_advice(sync, report.held_changes)])
    return "\n\n".join(["\n".join(lines), *advice])


def switched_on(instance: dg.DagsterInstance) -> frozenset[str]:
    """The names of the sensors and schedules that somebody has switched on."""
    if instance.schedule_storage is None:  # an instance in memory
        return frozenset()
    return frozenset(state.instigator_name for state in instance.all_instigator_state() if state.is_running)


def _lines(sync: SyncConfig, report: SyncReport, on: frozenset[str]) -> Iterator[str]:
    counts = report.counts
    if refused := counts.invalid + counts.rejected:
        yield (
            f"{quantity(refused, 'row is', 'rows are')} refused: put right in the warehouse what can be. They are "
            "tried again in every run; one with `only: rejected` tries nothing else."
        )
    deferred_by_guard = sum(report.by_code.get(code, 0) for code in _HELD)
    if waiting := max(counts.deferred - deferred_by_guard, 0):
        yield f"{quantity(waiting, 'row is', 'rows are')} left: the next run goes on with them."
    if report.jobs_left:
        jobs = quantity(report.jobs_left, "bulk job was", "bulk jobs were")
        yield f"{jobs} sent of which it is not known what came: Kustomer may have done them, the next run collects it."
    if report.removals.waiting:
        waits = quantity(report.removals.waiting, "removal waits", "removals wait")
        yield f"{waits} until every row of the audience is settled."
    if report.removals_held or report.changes_held:
        held = report.removals_held + report.changes_held
        yield f"Held until somebody approves it, as said below: {held:,}."
    yield from _approval(sync, report)
    yield from _triggers(sync, on)
    if counts.created or counts.updated or report.removed:
        yield f"To take this run back, launch the job `undo_run` with `run_id: {report.run_id}`."


def _approval(sync: SyncConfig, report: SyncReport) -> Iterator[str]:
    plan = f"materialize `{plan_key(sync).to_user_string()}`, read it, and approve it by its id"
    if waiting := report.by_code.get(ReasonCode.NOT_APPROVED, 0):
        yield f"{quantity(waiting, 'row waits', 'rows wait')} for approval: {plan}."
    if changed := report.by_code.get(ReasonCode.CHANGED_SINCE_PLAN, 0):
        yield f"{quantity(changed, 'row is', 'rows are')} not as planned any more, and left as they are: {plan}."


def _triggers(sync: SyncConfig, on: frozenset[str]) -> Iterator[str]:
    starts = list(_starts(sync, on))
    if not any(name is None or name in on for name, _ in starts):
        what = " and ".join(f"`{name}`" for name, _ in starts)
        off = f"{what} {'is' if len(starts) == 1 else 'are'} switched off (*Automation*)" if starts else ""
        by_hand = f"launch the job `sync_{sync.name}`, or switch on what starts it"
        yield f"Nothing starts the next run by itself: {off + '; ' if off else ''}{by_hand}."
        return
    for name, text in starts:
        if name is None or name in on:
            yield f"Next run: {text}."


def _starts(sync: SyncConfig, on: frozenset[str]) -> Iterator[tuple[str | None, str]]:
    """(sensor or schedule, when it starts the sync); None: what is on unless somebody has switched it off."""
    watch = sync.watch
    if watch is not None and not watch.reports_only:
        text = f"as soon as `{watch.table}` changes (`{sync.name}_changed` looks every {watch.every} seconds)"
        yield f"{sync.name}_changed", text
    if sync.schedule is not None:
        text = f"by `{sync.name}_schedule`: {sync.schedule.cron}, {sync.schedule.timezone}"
        yield f"{sync.name}_schedule", text
    if isinstance(sync.automation, OnCron):
        yield None, f"by Dagster's automation: {sync.automation.on_cron}, {sync.automation.timezone}"
    elif sync.automation == "eager":
        yield None, "by Dagster's automation, as soon as something upstream is new"
    if "daily_sync" in on:
        yield "daily_sync", "with all syncs, by `daily_sync`"
