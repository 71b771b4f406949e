"""The arguments of each command, apart from what it does: `--help` and completion need them, and nothing else.

A positional argument that is shown as `sync` is completed with the names of the project's syncs (completion.py).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

SYNC: Final = "sync"
SHELLS: Final = ("bash", "zsh", "fish")
NAMES: Final = "syncs"  # what the scripts of the shells ask for

Parser = argparse.ArgumentParser


def plan(parser: Parser) -> None:
    """Of `plan`."""
    parser.description = """Say what a run would change in Kustomer, record by record, field by field. Sends nothing.
The exit status is 0 when there is nothing to do, 2 when there are changes, 1 when something went wrong."""
    _syncs(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON (docs/command-line.md)")
    form.add_argument("--markdown", action="store_true", help="as Markdown, for a comment on a pull request")
    parser.add_argument("--all", action="store_true", help="every record, not the first 20 of each kind")
    _rows(parser)
    _values(parser)
    _project(parser)


def apply(parser: Parser) -> None:
    """Of `apply`."""
    parser.description = """Do exactly what a plan says that somebody has read: each record of which the same comes out
today as in the plan. What has changed since is left as it is, and told. A plan is applied once."""
    parser.add_argument(
        "plan",
        metavar="plan-id",
        help="as the plan shows it, in full: plan-12-0a1b2c3d4e5f6071; or the id of a run: all plans made in it",
    )
    parser.add_argument("--by", metavar="NAME", help="who approves it, for the log (default: the user of this system)")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    _values(parser)
    _project(parser)


def run(parser: Parser) -> None:
    """Of `run`."""
    parser.description = """Run syncs: companies, then customers, then audiences. When one fails, those after it do not
run. The exit status is 0 when all went well, 1 when one failed, 130 after Ctrl+C."""
    _syncs(parser)
    _rows(parser)
    parser.add_argument("--approve-removals", metavar="ID", help="let exactly these removals pass the guard, once")
    parser.add_argument("--approve-changes", metavar="ID", help="let exactly these changes pass the guard, once")
    parser.add_argument("--json", action="store_true", help="the reports as JSON")
    _values(parser)
    _project(parser)


def status(parser: Parser) -> None:
    """Of `status`."""
    parser.description = """The last runs, what a guard holds, bulk jobs under way, plans that can be applied, the
budget of requests. Costs one request, and writes nothing, in the state neither."""
    _syncs(parser)
    parser.add_argument("--runs", type=_count, default=3, metavar="N", help="so many runs of each (default: 3)")
    parser.add_argument("--json", action="store_true", help="as JSON")
    _project(parser)


def show(parser: Parser) -> None:
    """Of `show`."""
    parser.description = """Everything that is known of one row: what the warehouse says, what was sent when, what
Kustomer has, why it was refused, what a run would do with it. Sends nothing."""
    parser.add_argument("sync", metavar=SYNC, help="the sync that the row belongs to")
    parser.add_argument("key", help="the row's key as plans and reports show it, or another of its identifiers")
    parser.add_argument("--json", action="store_true", help="as JSON")
    _values(parser)
    _project(parser)


def undo(parser: Parser) -> None:
    """Of `undo`."""
    parser.description = """Take back what a run changed, in all its syncs, where nobody has changed it since. Records
that it created are named, not deleted."""
    parser.add_argument("run", metavar="run-id", help="as the run shows it, in full; runs of Dagster too")
    parser.add_argument("--json", action="store_true", help="as JSON")
    _values(parser)
    _project(parser)


def completion(parser: Parser) -> None:
    """Of `completion`."""
    parser.description = """Print a script that completes commands, options and names of syncs in a shell; or, for the
script, the names."""
    parser.add_argument("what", choices=[*SHELLS, NAMES], metavar="shell", help="bash, zsh or fish")
    parser.add_argument("--project", type=Path, default=Path(), help=argparse.SUPPRESS)
    parser.add_argument("--defs", default="", help=argparse.SUPPRESS)


# Those of the other commands (doctor, forget, exposures, sandbox) are in their own modules.
def init(parser: Parser) -> None:
    """Of `init`."""
    parser.description = """Make a folder for syncs of your own: an example, workspace.yaml, dagster.yaml, .env.example.
What is there already is never written over."""
    parser.add_argument("folder", nargs="?", type=Path, default=Path(), help="where (default: this folder)")


ARGUMENTS: Final[Mapping[str, Callable[[Parser], None]]] = {
    "plan": plan,
    "apply": apply,
    "run": run,
    "status": status,
    "show": show,
    "undo": undo,
    "init": init,
    "completion": completion,
}


def _syncs(parser: Parser) -> None:
    parser.add_argument("syncs", nargs="*", metavar=SYNC, help="these syncs only (default: all)")


def _rows(parser: Parser) -> None:
    parser.add_argument(
        "--full-resync", action="store_true", help="look at every row again, at those that have not changed too"
    )
    parser.add_argument("--limit", type=_count, metavar="N", help="send at most so many rows of each sync")
    parser.add_argument("--only", choices=["rejected"], help="only rows that were refused last time")
    parser.add_argument(
        "--only-keys",
        action="append",
        metavar="KEY",
        help="only the row with this key, also if it has not changed; may be given several times",
    )
    parser.add_argument(
        "--clean-up", action="store_true", help="of audiences whose tag was changed: take the old tag away"
    )
    parser.add_argument(
        "--adopt",
        action="store_true",
        help="of audiences: members who hold the tag already are this sync's from now on",
    )
    parser.add_argument("--part", metavar="N", help="of syncs in shards, this part only: 3, or 03-of-16 (default: all)")


def _values(parser: Parser) -> None:
    parser.add_argument("--show-values", action="store_true", help="show values of rows, which are masked otherwise")


def _project(parser: Parser) -> None:
    parser.add_argument(
        "--project", type=Path, default=Path(), help="folder of the Dagster project (default: this one)"
    )
    parser.add_argument("--org", help="one of several orgs, as KustomerProject names it: eu reads KUSTOMER_EU_API_KEY")


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)
