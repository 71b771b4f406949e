"""The command `apply`: the id of a plan, or of a run that made some → their syncs → runs of exactly what is in them."""

from __future__ import annotations

import argparse
import getpass

from kustomer_pipeline.components.applying import applied_here, by_dagster, planned
from kustomer_pipeline.resources import showing_values
from kustomer_pipeline.sync import RunOptions

from .errors import CommandError
from .execute import INTERRUPTED, Done, InterruptedRunError, execute, failed
from .project import opened, title_of, told
from .report_text import reports_as_json
from .run import say_how_to_undo, say_report
from .terminal import Terminal
from .words import new_run_id, next_command


def run(options: argparse.Namespace) -> int:
    """Apply. Raises CommandError where there is no such plan."""
    terminal, run_id, plan_id = Terminal(), new_run_id(), options.plan.strip()
    done: list[Done] = []
    with terminal.hearing_logs(), showing_values(options.show_values), opened(options) as project:
        uses = project.of_one_org()
        with told(uses.kustomer.variables):
            found = planned(project.syncs, plan_id, uses.kustomer, uses.state)
        by, here = options.by or _user(), applied_here(found)
        if not here:
            raise CommandError(by_dagster(found))
        try:
            for sync, number, one in here:
                done.append(execute(project, sync, number, RunOptions(run_id, approve=one, approved_by=by), terminal))
                say_report(terminal, done[-1], options)
                if failed(done):
                    break
        except InterruptedRunError as error:
            terminal.tell((f"{error} Apply the same again.", "bold yellow"))
            return INTERRUPTED
        status, left = int(failed(done)), [title_of(sync, number) for sync, number, _ in found[len(done) :]]
        if left and not failed(done):
            terminal.tell((by_dagster(found[len(done) :]), "yellow"))
            status = 1
        elif left:
            again = next_command(options, "apply", plan_id)
            terminal.tell((f"The plans of {', '.join(left)} were not applied. For the rest: {again}", "yellow"))
        if options.json:
            terminal.say_json(reports_as_json(done, left, run_id, status))
        elif any(one.ran is not None for one in done):
            say_how_to_undo(terminal, run_id, done, options)
    return status


def _user() -> str | None:
    """Whoever is logged in; None where the system has no name for the user, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None
