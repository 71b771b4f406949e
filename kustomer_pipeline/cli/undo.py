"""The command `undo`: the id of a run → what it overwrote is put back → what came of it, and the exit status."""

from __future__ import annotations

import argparse
from typing import Any

from kustomer_pipeline.components.failures import error_text
from kustomer_pipeline.components.metadata import CREATED_NOT_DELETED, FIELD_OUTCOMES
from kustomer_pipeline.components.tables import MAX_ROWS
from kustomer_pipeline.resources import show_values, showing_values
from kustomer_pipeline.sync import UndoReport, undo_run
from kustomer_pipeline.sync.wording import RECORDS, REQUESTS, quantity

from .execute import INTERRUPTED
from .project import opened, told
from .terminal import Terminal
from .words import counted, new_run_id, next_command

VERSION = 1
_SHOWN = 20


def run(options: argparse.Namespace) -> int:
    """Take a run back. Raises CommandError where nothing of it can be undone."""
    terminal, as_run, run_id = Terminal(), new_run_id(), options.run.strip()
    with terminal.hearing_logs(), showing_values(options.show_values), opened(options) as project:
        uses = project.of_one_org()
        try:
            with (
                told(uses.kustomer.variables),
                terminal.working(f"undo {run_id}") as tell,
                uses.kustomer.client() as client,
                uses.state.store() as store,
            ):
                report = undo_run(
                    run_id,
                    client=client,
                    state=store,
                    as_run=as_run,
                    undo_days=uses.state.days_to_undo(),
                    on_progress=tell,
                )
        except KeyboardInterrupt:
            again = next_command(options, "undo", run_id)
            terminal.tell((f"interrupted: what was taken back is taken back. For the rest: {again}", "bold yellow"))
            return INTERRUPTED
        status = int(report.interrupted is not None)
        if options.json:
            terminal.say_json(_as_json(report, as_run, status))
        else:
            _say(report, as_run, terminal, options)
        if report.interrupted is not None:
            problem = error_text(report.interrupted, uses.kustomer.variables)
            again = next_command(options, "undo", run_id)
            terminal.tell((f"Stopped half-way: {problem}\n\nFor the rest: {again}", "red"))
    return status


def _outcomes(report: UndoReport) -> dict[str, int]:
    found = report.rows["outcome"].value_counts()
    return {outcome: int(found.get(outcome, 0)) for outcome in (*FIELD_OUTCOMES, CREATED_NOT_DELETED)}


def _say(report: UndoReport, as_run: str, terminal: Terminal, options: argparse.Namespace) -> None:
    outcomes = _outcomes(report)
    records, cost = quantity(report.restored, *RECORDS), quantity(report.requests, *REQUESTS)
    terminal.say((f"{records} put back as they were before {report.run_id}", "bold"), f" ({cost})")
    fields = counted((outcomes[one], one) for one in FIELD_OUTCOMES)
    if fields:
        terminal.say(f"  Fields: {fields}")
    if created := outcomes[CREATED_NOT_DELETED]:
        terminal.say(f"  {quantity(created, *RECORDS)} that it created: not deleted, delete by hand if need be")
    left = report.rows[report.rows["outcome"] != "restored"]
    rows = report.table(len(report.rows), show_values=show_values()).loc[left.index].head(_SHOWN)
    for sync, key, id_, field, outcome, reason in rows.fillna("").to_numpy().tolist():
        what = f" {field}" if field else ""
        why = f": {reason}" if reason else ""
        terminal.say(f"    {sync} {key}{what}", (f"  {id_}", "dim"), f"  {outcome}{why}")
    if len(left) > len(rows):
        terminal.say((f"    … and {len(left) - len(rows):,} more: --json has {MAX_ROWS}", "dim"))
    for note in report.notes:
        terminal.say(f"  Note: {note}")
    if report.restored:
        terminal.say(f"This was {as_run}. To take it back in turn: ", (next_command(options, "undo", as_run), "cyan"))
    terminal.say(
        "The warehouse still says what it says: the next run sends a row again when it changes there, or with "
        "--full-resync."
    )


def _as_json(report: UndoReport, as_run: str, status: int) -> dict[str, Any]:
    rows = report.table(MAX_ROWS, show_values=show_values()).astype(object)
    return {
        "version": VERSION,
        "exit_status": status,
        "run_id": as_run,
        "undone_run": report.run_id,
        "org": report.org_id,
        "restored": report.restored,
        "outcomes": _outcomes(report),
        "rows": rows.where(rows.notna(), None).to_dict("records"),
        "requests": report.requests,
        "notes": list(report.notes),
    }
