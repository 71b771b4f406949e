"""`python -m kustomer_pipeline`: the commands. Each is a module with `add_arguments` and `run`, imported when used.

python -m kustomer_pipeline            the commands
python -m kustomer_pipeline doctor     what stands between this project and a sync
python -m kustomer_pipeline exposures  what dbt should know of the syncs
python -m kustomer_pipeline forget     remove one person from what the pipeline keeps
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Final

# Name → (its module, what it does in a line). Importing a module takes a second, so only the one that is asked for is.
COMMANDS: Final = {
    "doctor": ("kustomer_pipeline.doctor.command", "say what stands between this project and a sync; changes nothing"),
    "forget": ("kustomer_pipeline.forget.command", "remove one person from what the pipeline keeps"),
    "exposures": ("kustomer_pipeline.components.dbt_command", "write an exposures.yml for dbt: one for each sync"),
}
_INTERRUPTED = 130
_CLOSED = 141  # as a shell calls a program that SIGPIPE ended


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(
        prog="python -m kustomer_pipeline", description="Kustomer, kept as the warehouse is."
    )
    commands = parser.add_subparsers(title="commands", metavar="command", dest="command")
    chosen = words[0] if words and words[0] in COMMANDS else None
    for name, (module, does) in COMMANDS.items():
        own = commands.add_parser(name, help=does)
        if name == chosen:
            importlib.import_module(module).add_arguments(own)
    options = parser.parse_args(words)
    if options.command is None:
        parser.print_help()
        return 0
    try:
        return int(importlib.import_module(COMMANDS[options.command][0]).run(options))
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _CLOSED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return _INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
