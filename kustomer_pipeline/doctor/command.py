"""The command `doctor`: arguments → facts → report → text or JSON, and the exit status."""

from __future__ import annotations

import argparse
import contextlib
import logging
import sys
from collections.abc import Callable
from pathlib import Path

import dagster as dg
from dotenv import load_dotenv

from kustomer_pipeline.components.of_project import LoadedProject, load_project, said_by
from kustomer_pipeline.kustomer import SystemClock
from kustomer_pipeline.project_folder import NoProjectError, in_project
from kustomer_pipeline.resources import setting

from .checks import CHECKS
from .engine import examine
from .facts import Facts
from .findings import Report
from .observer import Observer
from .rendering import as_json, as_text
from .settings import read_settings
from .trial import tried

Load = Callable[[Path], LoadedProject]

DESCRIPTION = """Say what stands between this project and a sync: settings, key, budget, what the org accepts, syncs.
Reads only; --write-to tries on one record what only writes settle, and puts it back."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `doctor`."""
    parser.description = DESCRIPTION
    parser.add_argument(
        "--project", type=Path, default=Path(), help="folder of the Dagster project (default: this one)"
    )
    parser.add_argument("--org", help="one of several orgs, as KustomerProject names it: eu reads KUSTOMER_EU_API_KEY")
    parser.add_argument("syncs", nargs="*", metavar="sync", help="look at these syncs only (default: all)")
    parser.add_argument("--json", action="store_true", help="the findings as JSON (docs/doctor.md)")
    parser.add_argument(
        "--write-to", metavar="CUSTOMER_ID", help="try writes on this customer of Kustomer, and put it back"
    )


def run(options: argparse.Namespace, load: Load = load_project, say: Callable[[str], None] = print) -> int:
    """Examine, say what was found, and give the exit status: 0 all well, 1 warnings, 2 cannot sync."""
    logging.getLogger("kustomer_pipeline").addHandler(logging.NullHandler())  # findings say it; no log beside them
    try:
        with in_project(options.project, setting("", "KUSTOMER_DEFS")) as root:
            return _run(options, load, say, root)
    except NoProjectError as error:
        load_dotenv(options.project / ".env")
        return _run(options, load, say, error)


def _run(options: argparse.Namespace, load: Load, say: Callable[[str], None], project: Path | NoProjectError) -> int:
    facts = facts_of(options, load, project)
    # With --json only JSON goes to the output; what --write-to is about to do is said beside it.
    beside = say if not options.json else lambda line: print(line, file=sys.stderr)
    try:
        report = examine(facts, CHECKS)
        if options.write_to:
            report = tried(facts, report, options.write_to, beside)
    finally:
        if facts.settings.client is not None:
            facts.settings.client.close()
    say(_shown(report, options.json))
    return report.exit_status


def facts_of(options: argparse.Namespace, load: Load, project: Path | NoProjectError) -> Facts:
    """What is known before the first check. project: its folder, or why there is none."""
    settings = read_settings(options.org)
    clock = settings.client.clock if settings.client is not None else SystemClock()
    loaded, problem = _loaded(project, load)
    syncs, broken = list(loaded.syncs), list(loaded.broken)
    if options.org is not None:
        syncs = [sync for sync in syncs if sync.resource_keys.kustomer == f"kustomer_{options.org}"]
    chosen = options.syncs
    if chosen and problem is None:
        names = [*(sync.name for sync in syncs), *(sync.name for sync in broken)]
        if unknown := [name for name in chosen if name not in names]:
            problem = f"there is no sync {', '.join(unknown)}; there are {', '.join(names) or 'none'}"
        syncs = [sync for sync in syncs if sync.name in chosen]
        broken = [sync for sync in broken if sync.name in chosen]
    facts = Facts(settings, clock, chosen, syncs, broken, problem)
    if settings.client is not None:
        facts.observer = Observer(clock.monotonic)
        settings.client.probe.listen(facts.observer)
    return facts


def _loaded(project: Path | NoProjectError, load: Load) -> tuple[LoadedProject, str | None]:
    """The syncs, and what keeps all of them from loading: as Dagster says it, with file and line."""
    if isinstance(project, NoProjectError):
        return LoadedProject([], [], dg.Definitions()), str(project)
    try:
        # What a module of the project prints while it loads is no finding.
        with contextlib.redirect_stdout(sys.stderr):
            return load(project), None
    except Exception as error:  # whatever a file of the user's does: it is a finding, not a stack trace
        return LoadedProject([], [], dg.Definitions()), said_by(error)


def _shown(report: Report, json: bool) -> str:
    return as_json(report) if json else as_text(report)
