"""`kustomer-pipeline`, and `python -m kustomer_pipeline`: the commands (cli/parser.py), each imported when it is used.

kustomer-pipeline             the commands
kustomer-pipeline plan        what a run would change
kustomer-pipeline plan -h     what a command takes
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import sys
from collections.abc import Sequence

from kustomer_pipeline.cli.errors import CommandError
from kustomer_pipeline.cli.parser import COMMANDS, make_parser, no_such_command, program

__all__ = ["COMMANDS", "main"]

_FAILED = 1
_INTERRUPTED = 130
_CLOSED = 141  # as a shell calls a program that SIGPIPE ended


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    chosen = words[0] if words else ""
    parser = make_parser(program(), [chosen])
    if chosen and not chosen.startswith("-") and chosen not in COMMANDS:
        parser.error(no_such_command(chosen))
    options = parser.parse_args(words)
    if options.version:
        print(importlib.metadata.version("kustomer-pipeline"))
        return 0
    if options.command is None:
        parser.print_help()
        return 0
    options.program = parser.prog
    try:
        status = int(importlib.import_module(COMMANDS[options.command][0]).run(options))
        sys.stdout.flush()
        return status
    except CommandError as error:
        print(f"{options.command}: {error}", file=sys.stderr)
        return _FAILED
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _CLOSED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return _INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
