"""The command `plan`: syncs → plans, kept so that each can be applied → text, JSON or Markdown, and the exit status."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from kustomer_pipeline.components.refused import would_be_refused
from kustomer_pipeline.components.running import plan_rows, rows_of
from kustomer_pipeline.components.sharding import spec_of_part
from kustomer_pipeline.components.sync_config import SyncConfig
from kustomer_pipeline.resources import showing_values

from .errors import CommandError
from .plan_json import plans_as_json
from .plan_markdown import plans_as_markdown
from .plan_text import plan_as_text
from .planned import Planned
from .project import Project, made_by_dagster, opened, parts_of, title_of, told
from .terminal import Terminal
from .words import asked_of, made_together, new_run_id, next_command

NOTHING, FAILED, CHANGES = 0, 1, 2


def run(options: argparse.Namespace) -> int:
    """Plan. Raises CommandError where nothing at all can be planned, and that is not the content of a result."""
    terminal, found = Terminal(), list[Planned]()
    problems: list[tuple[str, str]] = []
    with terminal.hearing_logs(), showing_values(options.show_values):
        try:
            _plan_each(options, terminal, found, problems)
        except CommandError as error:
            if not (options.json or options.markdown):
                raise
            terminal.tell((str(error), "red"))
            problems.append(("", str(error)))
        status = FAILED if problems else CHANGES if any(one.plan.id for one in found) else NOTHING
        together = made_together(one.plan for one in found)
        if together is not None and not (options.json or options.markdown):
            terminal.say(("To have all of this done, and nothing else:", "bold"))
            terminal.say("  ", (next_command(options, "apply", together), "cyan"))
        if options.json:
            terminal.say_json(plans_as_json(found, problems, status, every=options.all))
        elif options.markdown:
            terminal.write(plans_as_markdown(found, problems, every=options.all))
    return status


def _plan_each(
    options: argparse.Namespace, terminal: Terminal, found: list[Planned], problems: list[tuple[str, str]]
) -> None:
    """Add plans, and what cannot be planned: (name, why). In text each is said as soon as it is there."""
    made_in = new_run_id()
    with opened(options) as project:
        for broken in project.broken if not options.syncs else ():
            terminal.tell((str(broken), "red"))
            problems.append((broken.name, str(broken)))
        for sync, number in _to_plan(project, options, terminal, problems):
            name = title_of(sync, number)
            try:
                with told(project.uses(sync).kustomer.variables), terminal.working(f"planning {name}"):
                    planned = _planned(project, sync, number, options, made_in)
            except CommandError as error:
                problems.append((name, str(error)))
                terminal.tell((f"{name}: ", "bold"), (str(error), "red"))
                continue
            found.append(planned)
            for line in plan_as_text(planned, options) if not (options.json or options.markdown) else ():
                terminal.say(*line)


def _to_plan(
    project: Project, options: argparse.Namespace, terminal: Terminal, problems: list[tuple[str, str]]
) -> Iterator[tuple[SyncConfig, int | None]]:
    """Syncs and numbers of parts. One that cannot be planned here is a problem if it was asked for by name."""
    for sync in project.named(options.syncs):
        if reason := made_by_dagster(sync):
            terminal.tell((reason, "yellow"))
            if options.syncs:
                problems.append((sync.name, reason))
            continue
        for number in parts_of(sync, options.part):
            yield sync, number


def _planned(
    project: Project, sync: SyncConfig, number: int | None, options: argparse.Namespace, made_in: str
) -> Planned:
    """made_in: the same for all, so that a plan knows of the records which one before it would make."""
    uses, spec = project.uses(sync), spec_of_part(sync, number)
    asked = asked_of(options, made_in)
    frame, _ = rows_of(sync, uses, number=number, everything=asked.every_row, again=asked.asked_for)
    mapped = spec.map(frame)
    plan = plan_rows(sync, spec, uses, mapped, asked)
    return Planned(sync, title_of(sync, number), plan, would_be_refused(plan, mapped))
