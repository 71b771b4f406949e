"""`make demo` and `make dev`: the whole graph against the bundled warehouse and a local Kustomer.

python -m kustomer_pipeline.demo        run it, change a few rows, look at the plan, run it again
python -m kustomer_pipeline.demo dev    run it, change a few rows, leave the rest to you in the Dagster UI

Works in the folder `.demo`, where it is started.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .local import (
    DemoError,
    Kustomer,
    dagster_ui,
    last_lines,
    local_kustomer,
    only_demo_in,
    prepare,
    require_free,
    stop_signals,
    use,
)
from .seed import CUSTOMERS, VIPS, Edit, edit

if TYPE_CHECKING:  # importing it takes a second, and has to wait until the environment is set
    import dagster as dg

    from .graph import Result

FOLDER = Path(".demo")
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m kustomer_pipeline.demo",
        description=__doc__.partition("\n\n")[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", nargs="?", choices=["run", "dev"], default="run")
    parser.add_argument("--port", type=int, default=3000, help="of the Dagster UI (dev only; default: %(default)s)")
    parser.add_argument(
        "--kustomer-port", type=int, default=8765, help="of the local Kustomer (dev only; default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    try:
        with stop_signals():
            return dev(options.port, options.kustomer_port) if options.command == "dev" else run()
    except DemoError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return _INTERRUPTED


def run() -> int:
    """Twice through the graph, with a few changes and a plan in between."""
    with _surroundings() as (warehouse, _, defs, instance):
        from .graph import plan_all, table

        _say(f"The warehouse, in SQLite: 40 companies, {CUSTOMERS:,} customers, {VIPS} VIPs.")
        _say("Kustomer: a local one, new and empty.\n")
        _first_run(defs, instance)
        _say(f"\nThen a day at the business: {_in_words(edit(warehouse))}.")
        _say("The plan, before anything is sent:\n")
        planned = plan_all(defs, instance)
        _raise_for(planned.failures)
        _say(table(planned.lines))
        _say("\nSecond run: that, and nothing else\n")
        _sync(defs, instance)
    _say("\nWhere to look next")
    _say(
        table(
            [
                ["make dev", "the same graph in the Dagster UI: each row's outcome, the plans, the checks"],
                ["kustomer_pipeline/defs/", "the three syncs, one YAML file each: change one and run this again"],
                ["README.md", "how to point it at your warehouse and your org"],
            ]
        )
    )
    return 0


def dev(port: int, kustomer_port: int) -> int:
    """The Dagster UI after a first run and a few changes, until Ctrl+C."""
    require_free(port, "the Dagster UI", "--port")
    require_free(kustomer_port, "the local Kustomer", "--kustomer-port")
    with _surroundings(kustomer_port) as (warehouse, kustomer, defs, instance):
        _first_run(defs, instance)
        words = _in_words(edit(warehouse))
        _say("\nStarting the Dagster UI …")
        with dagster_ui(FOLDER, dict(os.environ), port) as ui:
            _say(f"\nReady. The Dagster UI:   http://localhost:{port}")
            _say(f"       Local Kustomer:   {kustomer.url}  (what is in it, and the last requests)")
            _say(f"       The warehouse:    {warehouse}")
            _say(f"       Dagster's log:    {FOLDER / 'dagster.log'}\n")
            _say(f"Since that run, in the warehouse: {words}.")
            _say("To see what a run would send: Jobs > plan_all > Materialize all, then the asset customers_plan.")
            _say("To send it: the job sync_all. Ctrl+C stops everything.")
            try:
                ui.wait()
            except KeyboardInterrupt:
                _say("\nStopping …")
                return 0
    raise DemoError(f"The Dagster UI ended by itself:\n\n{last_lines(FOLDER / 'dagster.log')}")


_Surroundings = tuple[Path, Kustomer, "dg.Definitions", "dg.DagsterInstance"]


@contextmanager
def _surroundings(kustomer_port: int = 0) -> Iterator[_Surroundings]:
    """Warehouse, Kustomer, and this process made to use them."""
    with only_demo_in(FOLDER):
        warehouse = prepare(FOLDER)
        with local_kustomer(FOLDER, port=kustomer_port) as kustomer:
            environment = use(FOLDER, warehouse, kustomer)
            os.environ.clear()
            os.environ.update(environment)
            # What goes wrong is said below; nothing else of what libraries log belongs in the story.
            logging.getLogger().addHandler(logging.NullHandler())
            import dagster as dg  # after the environment is set: Dagster reads DAGSTER_HOME

            try:
                from kustomer_pipeline.definitions import defs
            except dg.DagsterInvalidDefinitionError as error:
                raise DemoError(str(error)) from None
            with dg.DagsterInstance.get() as instance:
                yield warehouse, kustomer, defs, instance


def _first_run(defs: dg.Definitions, instance: dg.DagsterInstance) -> None:
    from .graph import table_of_not_sent

    _say("First run: everything is new\n")
    result = _sync(defs, instance)
    if result.not_sent:
        _say("  (Of an audience, updated is who got the tag, removed is who lost it.)")
        _say("\nRows that were not sent keep their reason, and are tried again in every run:\n")
        _say(table_of_not_sent(result.not_sent))


def _sync(defs: dg.Definitions, instance: dg.DagsterInstance) -> Result:
    from .graph import sync_all, table_of_counters

    result = sync_all(defs, instance)
    if result.counters:
        _say(table_of_counters(result.counters))
        _say(f"\n  {result.rows:,} rows for {result.requests:,} requests.")
    _raise_for(result.failures)
    return result


def _raise_for(failures: Sequence[str]) -> None:
    if failures:
        raise DemoError(
            "\n".join(["", "The run failed:", *(f"  {line}" for line in failures)])
            + "\n\nThe demo runs the syncs of kustomer_pipeline/defs against its own warehouse: a query of your own "
            "needs a table that is there (companies, customers, vip_customers)."
        )


def _in_words(change: Edit) -> str:
    return f"one customer signs up, {len(change.upgraded)} take another plan, one VIP leaves and one joins"


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
