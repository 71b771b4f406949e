"""Runs over large tables: both warehouses, both comparisons, nothing changed and a thousandth changed.

    a table, accepted as it is → a run (nothing has changed) → change a thousandth → a run → Measured

Each run and each preparation is a process of its own, since peak memory is a process's; the org is in this one. State
is kept in SQLite. What is measured is the computing: the org's budget is out of the way, its bulk jobs take no time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kustomer_pipeline.sandbox import Sandbox

from .accepted import ORG, SEEDED, WRITTEN, Written
from .one_run import MEASURED, Run
from .server import Server, postgresql
from .table import SPEC, change, make_table, seed

Database = Literal["sqlite", "postgresql"]
Comparing = Literal["embedded", "in_warehouse"]
Situation = Literal["unchanged", "0.1 % changed"]
DATABASES: tuple[Database, ...] = ("sqlite", "postgresql")
COMPARISONS: tuple[Comparing, ...] = ("embedded", "in_warehouse")
UNCHANGED: Situation = "unchanged"
CHANGED: Situation = "0.1 % changed"
SITUATIONS: tuple[Situation, ...] = (UNCHANGED, CHANGED)


@dataclass(frozen=True)
class Only:
    """Which of the cases are measured."""

    databases: tuple[Database, ...] = DATABASES
    comparisons: tuple[Comparing, ...] = COMPARISONS
    situations: tuple[Situation, ...] = SITUATIONS


EVERY_CASE = Only()

_MODULE = "kustomer_pipeline_tests.bench"
_BUDGET = 1_000_000  # requests a minute: never in the way


@dataclass(frozen=True)
class Case:
    """What is measured."""

    warehouse: Database
    comparison: Comparing
    situation: Situation
    rows: int


@dataclass(frozen=True)
class Measured:
    """One run. changed: rows that it sent. units: requests against the org's budget.

    load: how many processes wanted a processor, on average over the minute before. server_seconds: of the processor, in
    the warehouse's server; None where there is none, or the system does not tell.
    """

    case: Case
    changed: int
    units: int
    load: float
    server_seconds: float | None
    run: Run
    columns: int = len(SPEC.fields)

    @property
    def all_seconds(self) -> float:
        """Real seconds of all steps."""
        return sum(self.run.seconds.values())

    @property
    def peak_mb(self) -> float:
        """Of the whole run."""
        return max(self.run.peak_mb.values())


@dataclass(frozen=True)
class FirstWrite:
    """The first write of so many rows into the state."""

    database: Database
    rows: int
    load: float
    server_seconds: float | None
    written: Written


def table_of(database: Database, rows: int, tell: Callable[[Measured], None], only: Only = EVERY_CASE) -> None:
    """Measure runs over one table. tell: is given each figure as soon as it is there."""
    with tempfile.TemporaryDirectory() as folder, _server(database) as server:
        url = _new_database(Path(folder, "warehouse.db"), server)
        make_table(url, rows)
        for comparison in only.comparisons:
            with Sandbox(rate_limit=_BUDGET) as sandbox, tempfile.TemporaryDirectory() as place:
                sandbox.state.org_id, sandbox.state.keep_bodies = ORG, False
                of_run = _Runs(Path(place), url, comparison, sandbox, server)
                of_run.prepare()
                for situation in only.situations:
                    tell(of_run.measure(Case(database, comparison, situation, rows)))


def unchanged(rows: int) -> Measured:
    """An unchanged run from SQLite that is compared here."""
    found: list[Measured] = []
    table_of("sqlite", rows, found.append, Only(comparisons=("embedded",), situations=(UNCHANGED,)))
    return found[0]


def first_write(database: Database, rows: int) -> FirstWrite:
    """Of so many rows into an empty state."""
    with tempfile.TemporaryDirectory() as folder, _server(database) as server:
        load, before = os.getloadavg()[0], _seconds_of(server)
        url = _new_database(Path(folder, "state.db"), server)
        _process("write", Path(folder), {"KUSTOMER_STATE_URL": url}, "--rows", str(rows))
        written = Written(**json.loads(Path(folder, WRITTEN).read_text()))
        return FirstWrite(database, rows, load, _since(before, server), written)


class _Runs:
    """Runs of one sync over one table."""

    def __init__(
        self, folder: Path, warehouse: str, comparison: Comparing, sandbox: Sandbox, server: Server | None
    ) -> None:
        self._folder = folder
        self._warehouse = warehouse
        self._sandbox = sandbox
        self._server = server
        self._settings = {
            "WAREHOUSE_URL": warehouse,
            "KUSTOMER_STATE_URL": f"sqlite:///{folder}/state.db",
            "KUSTOMER_COMPARE": comparison,
            "KUSTOMER_BASE_URL": sandbox.url,
            "KUSTOMER_API_KEY": sandbox.api_key,
        }

    def prepare(self) -> None:
        """Let everything be accepted as it is."""
        (self._folder / SEEDED).write_text(json.dumps(seed(self._sandbox, self._warehouse)))
        _process("accept", self._folder, self._settings)

    def measure(self, case: Case) -> Measured:
        """One run, before which a thousandth of the rows changes if that is the case."""
        changed = change(self._warehouse) if case.situation == CHANGED else 0
        self._sandbox.clear_requests()
        load, before = os.getloadavg()[0], _seconds_of(self._server)
        _process("measure", self._folder, self._settings, "--rows", str(case.rows), "--changed", str(changed))
        run = Run(**json.loads((self._folder / MEASURED).read_text()))
        return Measured(case, changed, self._sandbox.units(), load, _since(before, self._server), run)


def _process(what: str, folder: Path, settings: Mapping[str, str], *arguments: str) -> None:
    """A part of the measurement, in a process of its own, whose environment has no other setting."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("KUSTOMER_")}
    command = [sys.executable, "-m", _MODULE, what, "--folder", str(folder), *arguments]
    environment = {**inherited, **settings, "DAGSTER_DISABLE_TELEMETRY": "1"}
    done = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"`{what}` ended with {done.returncode}:\n{done.stderr}")


def _server(database: Database) -> AbstractContextManager[Server | None]:
    return postgresql() if database == "postgresql" else nullcontext()


def _new_database(path: Path, server: Server | None) -> str:
    if server is not None:
        return server.new_database()
    path.touch()
    return f"sqlite:///{path}"


def _seconds_of(server: Server | None) -> float | None:
    return None if server is None else server.processor_seconds()


def _since(before: float | None, server: Server | None) -> float | None:
    after = _seconds_of(server)
    return None if before is None or after is None else after - before
