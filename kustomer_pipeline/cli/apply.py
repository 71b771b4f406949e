"""The command `apply`: the id of a plan → the sync that it is of → a run that does what is in it, and nothing else."""

from __future__ import annotations

import argparse
import getpass

from kustomer_pipeline.components.applying import planned
from kustomer_pipeline.resources import showing_values
from kustomer_pipeline.sync import RunOptions

from .execute import INTERRUPTED, InterruptedRunError, execute, failed
from .project import opened, told
from .report_text import reports_as_json
from .run import say_how_to_undo, say_report
from .terminal import Terminal
from .words import new_run_id


def run(options: argparse.Namespace) -> int:
    """Apply. Raises CommandError where there is no such plan."""
    terminal, run_id, plan_id = Terminal(), new_run_id(), options.plan.strip()
    with terminal.hearing_logs(), showing_values(options.show_values), opened(options) as project:
        uses = project.of_one_org()
        with told(uses.kustomer.variables):
            sync, number = planned(project.syncs, plan_id, uses.kustomer, uses.state)
        asked = RunOptions(run_id, approve=plan_id, approved_by=options.by or _user())
        try:
            done = execute(project, sync, number, asked, terminal)
        except InterruptedRunError as error:
            terminal.tell((f"{error} Apply the same plan again.", "bold yellow"))
            return INTERRUPTED
        say_report(terminal, done, options)
        status = int(failed([done]))
        if options.json:
            terminal.say_json(reports_as_json([done], [], run_id, status))
        elif done.ran is not None:
            say_how_to_undo(terminal, run_id, [done], options)
    return status


def _user() -> str | None:
    """Whoever is logged in; None where the system has no name for the user, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None
