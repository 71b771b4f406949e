"""The command `completion`: the parser of all commands → a script for a shell; or the names of the project's syncs.

The script knows commands and options as they are now, so that nothing is started for them; only names of syncs are
asked for when they are wanted, of the command line itself (`completion syncs`), which takes a twentieth of a second.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from .arguments import NAMES, SYNC
from .command_values import Command, Kind, Takes
from .names_of_syncs import names_of_syncs
from .parser import COMMANDS, SCRIPT, make_parser
from .shells import bash_script, fish_script, zsh_script


def run(options: argparse.Namespace) -> int:
    """Print."""
    if options.what == NAMES:
        for name in names_of_syncs(options.project.expanduser(), options.defs):
            print(name)
        return 0
    print({"bash": bash_script, "zsh": zsh_script, "fish": fish_script}[options.what](commands()), end="")
    return 0


def commands() -> list[Command]:
    """All commands, from their parsers."""
    parser = make_parser(SCRIPT, COMMANDS)
    [among] = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return [_command(name, among.choices[name]) for name in COMMANDS]


def _command(name: str, parser: argparse.ArgumentParser) -> Command:
    shown = [action for action in parser._actions if action.help != argparse.SUPPRESS]
    return Command(
        name,
        COMMANDS[name][1],
        tuple(_takes(action) for action in shown if action.option_strings),
        tuple(_takes(action) for action in shown if not action.option_strings),
    )


def _takes(action: argparse.Action) -> Takes:
    help_ = (action.help or "").replace("%(default)s", str(action.default)).replace("%%", "%")
    choices = tuple(str(one) for one in action.choices or ())
    names = tuple(action.option_strings)
    return Takes(names, _kind(action), choices, action.nargs in ("*", "+"), help_)


def _kind(action: argparse.Action) -> Kind:
    if action.option_strings and action.nargs == 0:
        return "none"
    if action.choices:
        return "choices"
    if SYNC in (action.metavar, action.dest):
        return "sync"
    if action.type is Path:
        return "folder" if action.dest == "project" else "file"
    return "value"
