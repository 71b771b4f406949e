"""A run in which nothing has changed, of very many rows: seconds and peak memory by step, in a process of its own.

prepare: a warehouse of that many rows, and a state in which all were accepted → measure: read, map, run
"""

from __future__ import annotations

import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from kustomer_pipeline.kustomer import KustomerClient
from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sandbox import Sandbox
from kustomer_pipeline.sync import ObjectSpec, RunOptions, StateStore, run_sync
from kustomer_pipeline.sync.compare import fingerprints
from kustomer_pipeline.sync.desired import SIGNATURE
from kustomer_pipeline.sync.state import RememberedRow
from kustomer_pipeline.warehouse import open_engine, read_frame
from kustomer_pipeline_tests.simulated import InProcess, SimulatedClock

MODULE = "kustomer_pipeline_tests.bench"
ORG = "org"
SPEC = ObjectSpec(
    name="customers",
    object="customers",
    mode="upsert",
    match_on=("externalId", "email"),
    fields=(
        FieldMapping("externalId", ("customer_id",)),
        FieldMapping("email", ("email",)),
        FieldMapping("name", ("name",)),
        FieldMapping("phone", ("phone",)),
        FieldMapping("custom.planStr", ("plan",)),
        FieldMapping("custom.lifetimeValueNum", ("ltv",)),
        FieldMapping("custom.ordersNum", ("orders",)),
        FieldMapping("signedUpAt", ("signed_up_at",)),
        FieldMapping("custom.subscribedBool", ("subscribed",)),
        FieldMapping("custom.regionStr", ("region",)),
    ),
)
_AT_ONCE = 50_000


@dataclass
class Unchanged:
    """seconds: real ones, by step; processor_seconds: of all steps. peak_mb: of the whole process, up to each step."""

    rows: int
    columns: int = len(SPEC.fields)
    units: int = 0
    processor_seconds: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    peak_mb: dict[str, float] = field(default_factory=dict)

    @property
    def all_seconds(self) -> float:
        return sum(self.seconds.values())


def unchanged(rows: int) -> Unchanged:
    """Measure in a process of its own, since peak memory is a process's."""
    with tempfile.TemporaryDirectory() as folder:
        prepare(rows, Path(folder))
        command = [sys.executable, "-m", MODULE, "measure", "--rows", str(rows), "--folder", folder]
        subprocess.run(command, check=True)
        return Unchanged(**json.loads((Path(folder) / "measured.json").read_text()))


def prepare(rows: int, folder: Path) -> None:
    """A warehouse, and a state in which every row of it was accepted as it is."""
    with closing(sqlite3.connect(folder / "warehouse.db")) as connection, connection:
        connection.execute(
            "create table customers (customer_id text, email text, name text, phone text, plan text, ltv real, "
            "orders integer, signed_up_at text, subscribed integer, region text)"
        )
        connection.executemany("insert into customers values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", _rows(rows))
    mapped = SPEC.map(read_frame(open_engine(f"sqlite:///{folder}/warehouse.db"), "select * from customers"))
    prints, keys = fingerprints(mapped, SPEC.signature), mapped["_key"].tolist()
    with StateStore.open(f"sqlite:///{folder}/state.db") as store:
        state = store.of(ORG, SPEC.name)
        for start in range(0, rows, _AT_ONCE):
            part = range(start, min(start + _AT_ONCE, rows))
            with state.transaction() as tx:
                tx.rows.put([RememberedRow(keys[n], "accepted", int(prints[n]), f"{n:024x}") for n in part], "first")
                tx.facts.set(SIGNATURE, SPEC.signature)


def measure(rows: int, folder: Path) -> None:
    """Read, map, run; nothing has changed. Leaves the figures in the folder."""
    found = Unchanged(rows)
    with _step("read the warehouse", found):
        frame = read_frame(open_engine(f"sqlite:///{folder}/warehouse.db"), "select * from customers")
    with _step("map", found):
        mapped = SPEC.map(frame)
    clock = SimulatedClock()
    with Sandbox(serve=False, clock=clock.time) as sandbox, StateStore.open(f"sqlite:///{folder}/state.db") as store:
        sandbox.state.org_id = ORG
        transport = InProcess(sandbox.app, clock)
        key = sandbox.api_key
        client = KustomerClient(base_url=sandbox.url, api_key=key, clock=clock, transport=transport)
        with client, _step("run", found):
            report = run_sync(SPEC, mapped, client=client, state=store, options=RunOptions("bench"))
        if report.counts.unchanged != rows:
            raise RuntimeError(f"something has changed after all: {report.counts}")
        found.units = sandbox.units()
    (folder / "measured.json").write_text(json.dumps(asdict(found)))


@contextmanager
def _step(name: str, found: Unchanged) -> Iterator[None]:
    began, processor = time.perf_counter(), time.process_time()
    yield
    found.seconds[name] = time.perf_counter() - began
    found.processor_seconds += time.process_time() - processor
    found.peak_mb[name] = _peak_mb()


def _peak_mb() -> float:
    """Of this process. In ru_maxrss Linux hands a parent's peak on to its children: there it is asked otherwise."""
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(peak.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)


def _rows(rows: int) -> Iterator[tuple[object, ...]]:
    for n in range(rows):
        yield (
            f"C{n:08d}",
            f"user{n}@example.com",
            f"Name {n}",
            f"+1202{n:07d}",
            "pro" if n % 3 else "free",
            n * 1.5,
            n % 17,
            f"2026-01-{n % 28 + 1:02d}T03:04:05Z",
            n % 2,
            f"region {n % 40}",
        )
