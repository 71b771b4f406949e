"""The commands, and the parser of their arguments. Light: what a command does is imported when it is used.

COMMANDS: name → (its module, which has `run`; what it does in a line)
ARGUMENTS (arguments.py): its arguments; those of the commands that are not in there are in their own modules
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path
from typing import Final, NoReturn

from .arguments import ARGUMENTS

COMMANDS: Final = {
    "plan": ("kustomer_pipeline.cli.plan", "say what a run would change, field by field; sends nothing"),
    "apply": ("kustomer_pipeline.cli.apply", "do exactly what a plan says"),
    "run": ("kustomer_pipeline.cli.run", "run syncs"),
    "status": ("kustomer_pipeline.cli.status", "the last runs, what is held and under way, the budget"),
    "show": ("kustomer_pipeline.cli.show", "everything that is known of one row"),
    "undo": ("kustomer_pipeline.cli.undo", "take back what a run changed"),
    "init": ("kustomer_pipeline.cli.init", "make a folder for syncs of your own"),
    "doctor": ("kustomer_pipeline.doctor.command", "say what stands between this project and a sync; changes nothing"),
    "forget": ("kustomer_pipeline.forget.command", "remove one person from what the pipeline keeps"),
    "exposures": ("kustomer_pipeline.components.dbt_command", "write an exposures.yml for dbt: one for each sync"),
    "sandbox": ("kustomer_pipeline.sandbox.__main__", "a local Kustomer, to try things on"),
    "completion": ("kustomer_pipeline.cli.completion", "print what a shell needs to complete all this"),
}
SCRIPT: Final = "kustomer-pipeline"
_MODULE = "python -m kustomer_pipeline"
_WRONG, _WRONG_ELSEWHERE = 1, 2  # 2 of `plan` means that there are changes


class Parser(argparse.ArgumentParser):
    """argparse's own, but for its exit status, and what it says of a command that is not there."""

    wrong = _WRONG

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments, and leave."""
        self.print_usage(sys.stderr)
        self.exit(self.wrong, f"{self.prog}: {message}\n")


def program() -> str:
    """How the command line was called."""
    return _MODULE if Path(sys.argv[0]).parts[-2:] == ("kustomer_pipeline", "__main__.py") else SCRIPT


def make_parser(prog: str, commands: Collection[str] = ()) -> Parser:
    """The parser of all commands; with the arguments of some of them, whose modules are imported for it if need be."""
    parser = Parser(prog=prog, description="Kustomer, kept as the warehouse is.")
    parser.add_argument("--version", action="store_true", help="say which version this is")
    among = parser.add_subparsers(title="commands", metavar="command", dest="command")
    for name, (module, does) in COMMANDS.items():
        own = among.add_parser(name, help=does)
        if name not in ARGUMENTS:
            own.wrong = _WRONG_ELSEWHERE
        if name in commands:
            add = ARGUMENTS[name] if name in ARGUMENTS else importlib.import_module(module).add_arguments
            add(own)
    return parser


def no_such_command(word: str) -> str:
    """What is said of a command that is not there."""
    near = get_close_matches(word, COMMANDS, n=1)
    hint = f' Did you mean "{near[0]}"?' if near else ""
    return f'there is no command "{word}".{hint} There are: {", ".join(COMMANDS)}'
