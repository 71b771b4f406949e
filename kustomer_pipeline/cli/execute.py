"""Runs of syncs from the command line, for `run` and `apply`: rows → sent → logged → a report, and whether it failed.

As the sync's asset does it in Dagster, with the same functions and the same laws; only nothing is materialized.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from kustomer_pipeline.components.failures import most_often, reason_to_fail
from kustomer_pipeline.components.no_rows import no_rows_of
from kustomer_pipeline.components.running import Ran, rows_of, run_rows
from kustomer_pipeline.components.sharding import spec_of_part
from kustomer_pipeline.components.sync_config import SyncConfig
from kustomer_pipeline.components.sync_log import reason_not_logged
from kustomer_pipeline.sync import RunOptions

from .errors import CommandError
from .project import Project, title_of, told
from .terminal import Terminal
from .words import counted

INTERRUPTED = 130


@dataclass(frozen=True)
class Done:
    """A sync, or a part of it (`title`), that was to be run. ran: None where it did not get that far; problem: why it
    failed, None where it did not."""

    sync: SyncConfig
    title: str
    ran: Ran | None
    problem: str | None


class InterruptedRunError(Exception):
    """Ctrl+C; the message says what was done by then. wrote: whether anything was, or may have been."""

    def __init__(self, message: str, *, wrote: bool) -> None:
        super().__init__(message)
        self.wrote = wrote


def execute(
    project: Project,
    sync: SyncConfig,
    number: int | None,
    options: RunOptions,
    terminal: Terminal,
) -> Done:
    """Run a sync, or a part of it. Raises InterruptedRunError."""
    uses, spec, title = project.uses(sync), spec_of_part(sync, number), title_of(sync, number)
    try:
        with (
            _telling_what_was_done(project, sync, options.run_id),
            told(uses.kustomer.variables),
            terminal.working(title) as tell,
        ):
            frame, _ = rows_of(sync, uses, number=number, everything=options.every_row, again=options.asked_for)
            ran = run_rows(sync, spec, uses, spec.map(frame), options, tell)
        with told():
            not_logged = reason_not_logged(sync, ran.report, uses.warehouse, uses.state)
    except CommandError as error:
        return Done(sync, title, None, str(error))
    for problem in ran.problems:
        terminal.tell((problem, "yellow"))
    reasons = [reason_to_fail(ran.report, sync.max_failure_share), not_logged, no_rows_of(sync, ran.report)]
    if any(reasons):
        reasons.append(most_often(ran.report))
    return Done(sync, title, ran, "\n\n".join(reason for reason in reasons if reason) or None)


@contextmanager
def _telling_what_was_done(project: Project, sync: SyncConfig, run_id: str) -> Iterator[None]:
    """Ctrl+C ends a run in order; what it had done by then is in the state."""
    try:
        yield
    except KeyboardInterrupt:
        raise _interrupted(project, sync, run_id) from None


def _interrupted(project: Project, sync: SyncConfig, run_id: str) -> InterruptedRunError:
    rest = "What was accepted is remembered; run again to go on."
    try:
        with told(), project.uses(sync).state.store() as store:
            outcomes, jobs = store.written_by(run_id)
    except CommandError as error:
        return InterruptedRunError(f"{run_id} was interrupted. {rest} What was done is not known: {error}", wrote=True)
    written = [(outcomes.get(one, 0), one) for one in ("created", "updated", "removed")]
    done = counted([*written, (jobs, "bulk job under way" if jobs == 1 else "bulk jobs under way")])
    return InterruptedRunError(f"{run_id} was interrupted: {done or 'nothing was written'}. {rest}", wrote=bool(done))


def failed(done: Sequence[Done]) -> bool:
    """Whether any of them did."""
    return any(one.problem is not None for one in done)
