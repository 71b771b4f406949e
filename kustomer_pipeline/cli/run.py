"""The command `run`: syncs in their order, each sent → reports as text or JSON, and the exit status."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace

import dagster as dg

from kustomer_pipeline.components.keys import kustomer_key
from kustomer_pipeline.components.order import after
from kustomer_pipeline.components.sync_config import SyncConfig
from kustomer_pipeline.resources import showing_values
from kustomer_pipeline.sync import RunOptions

from .errors import CommandError
from .execute import INTERRUPTED, Done, InterruptedRunError, execute, failed
from .project import Project, made_by_dagster, opened, parts_of
from .report_text import problem_as_text, report_as_text, reports_as_json
from .terminal import Terminal
from .words import asked_of, new_run_id, next_command


def run(options: argparse.Namespace) -> int:
    """Run. Raises CommandError where nothing was begun."""
    terminal, run_id = Terminal(), new_run_id()
    asked = replace(
        asked_of(options, run_id), approve_removals=options.approve_removals, approve_changes=options.approve_changes
    )
    done: list[Done] = []
    left: list[str] = []
    interrupted: InterruptedRunError | None = None
    with terminal.hearing_logs(), showing_values(options.show_values), opened(options) as project:
        syncs = _runnable(project, options, terminal)
        broken = [] if options.syncs else project.broken
        for sync in broken:
            terminal.tell((f"{sync}\nThe others run.", "red"))
            left.append(sync.name)
        try:
            for one in _each(project, syncs, asked, options, terminal, left):
                done.append(one)
                say_report(terminal, one, options)
        except InterruptedRunError as error:
            terminal.tell((str(error), "bold yellow"))
            interrupted = error
    status = INTERRUPTED if interrupted is not None else int(failed(done) or bool(broken))
    if options.json:
        terminal.say_json(reports_as_json(done, left, run_id, status))
    else:
        say_how_to_undo(terminal, run_id, done, options, wrote=interrupted is not None and interrupted.wrote)
    return status


def say_report(terminal: Terminal, done: Done, options: argparse.Namespace) -> None:
    """The report of a run in text, if text is wanted; and why it failed."""
    for line in report_as_text(done, options) if not options.json else ():
        terminal.say(*line)
    if done.problem is not None:
        terminal.tell(*problem_as_text(done))


def say_how_to_undo(
    terminal: Terminal, run_id: str, done: Sequence[Done], options: argparse.Namespace, *, wrote: bool = False
) -> None:
    """The run's id, and where it wrote something, how it is taken back."""
    reports = [one.ran.report for one in done if one.ran is not None]
    if not reports and not wrote:
        return  # it did not get that far
    if wrote or any(one.counts.created or one.counts.updated or one.removed or one.jobs_left for one in reports):
        terminal.say(f"Run {run_id}. To take it back: ", (next_command(options, "undo", run_id), "cyan"))
    else:
        terminal.say(f"Run {run_id} wrote nothing.")


def _runnable(project: Project, options: argparse.Namespace, terminal: Terminal) -> list[SyncConfig]:
    """Those that were named; one that only Dagster can run is an error then, and a notice else."""
    found = []
    for sync in project.named(options.syncs):
        reason = made_by_dagster(sync)
        if reason is None:
            parts_of(sync, options.part)  # a part that is not there is said before anything is sent
            found.append(sync)
        elif options.syncs:
            raise CommandError(reason)
        else:
            terminal.tell((reason, "yellow"))
    return found


def _each(
    project: Project,
    syncs: Sequence[SyncConfig],
    asked: RunOptions,
    options: argparse.Namespace,
    terminal: Terminal,
    left: list[str],
) -> Iterator[Done]:
    """Run each for which those before it went well; the names of the others are added to `left`."""
    not_done: set[dg.AssetKey] = set()
    for sync in syncs:
        if not_done & set(after(sync, syncs)):
            not_done.add(kustomer_key(sync))
            left.append(sync.name)
            terminal.tell((f"{sync.name} does not run: what comes before it failed", "yellow"))
            continue
        for number in parts_of(sync, options.part):
            one = execute(project, sync, number, asked, terminal)
            if one.problem is not None:
                not_done.add(kustomer_key(sync))
            yield one
