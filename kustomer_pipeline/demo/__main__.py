"""`make demo` and `make dev`: the whole graph against the bundled warehouse and a local Kustomer.

python -m kustomer_pipeline.demo        run it, change a few rows, run it again
python -m kustomer_pipeline.demo dev    open it in the Dagster UI
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .local import DemoError, local_kustomer, prepare, use
from .seed import edit

FOLDER = Path(".demo")
_REASONS_SHOWN = 6


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m kustomer_pipeline.demo", description=__doc__.splitlines()[0])
    parser.add_argument("command", nargs="?", choices=["run", "dev"], default="run")
    parser.add_argument("--port", type=int, default=3000, help="of the Dagster UI (dev only; default: %(default)s)")
    parser.add_argument(
        "--kustomer-port", type=int, default=8765, help="of the local Kustomer (dev only; default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    try:
        return dev(options.port, options.kustomer_port) if options.command == "dev" else run()
    except DemoError as error:
        print(error, file=sys.stderr)
        return 1


def run() -> int:
    """Twice through the graph, with a few changes in between."""
    warehouse = prepare(FOLDER)
    with local_kustomer(FOLDER) as kustomer:
        os.environ.clear()
        os.environ.update(use(FOLDER, warehouse, kustomer))
        import dagster as dg  # after the environment is set: Dagster reads DAGSTER_HOME

        from kustomer_pipeline.definitions import defs

        from .graph import materialize_all, table_of

        with dg.DagsterInstance.get() as instance:
            print("Warehouse: a small business in SQLite. Kustomer: a local one, new and empty.\n")
            first = materialize_all(defs, instance)
            print(f"First run: everything is new\n\n{table_of(first.counters)}\n")
            if first.refused:
                print("Refused rows are kept with their reason, and tried again next time:\n")
                ranked = sorted(first.refused.items(), key=lambda pair: -pair[1])
                print("\n".join(f"  {count:>3}  {reason}" for reason, count in ranked[:_REASONS_SHOWN]))
                print()
            change = edit(warehouse)
            print(
                f"Then in the warehouse: a new customer, {len(change.upgraded)} changed plans, one member left the "
                "audience and one joined\n"
            )
            second = materialize_all(defs, instance)
            print(f"Second run: only that\n\n{table_of(second.counters)}\n")
    print("Where to look next: `make dev` opens the same in the Dagster UI; the syncs are in kustomer_pipeline/defs.")
    return 0 if first.succeeded and second.succeeded else 1


def dev(port: int, kustomer_port: int) -> int:
    """The Dagster UI on a fresh demo, until Ctrl+C."""
    warehouse = prepare(FOLDER)
    with local_kustomer(FOLDER, port=kustomer_port) as kustomer:
        print(f"Dagster UI:      http://localhost:{port}")
        print(f"Local Kustomer:  {kustomer.url}  (a page that shows what is in it)")
        print(f"Warehouse:       {warehouse}\n", flush=True)
        command = [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
        try:
            return subprocess.call(command, env=use(FOLDER, warehouse, kustomer))
        except KeyboardInterrupt:
            return 0


if __name__ == "__main__":
    sys.exit(main())
