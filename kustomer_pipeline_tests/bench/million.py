"""A run in which nothing has changed, of very many rows: seconds and peak memory by step, in a process of its own.

prepare: a warehouse of that many rows, and a state in which all were accepted → measure: Dagster runs the sync's job
(rows, mapped, sync, with the frames kept between them as they are in production) against a Kustomer in another process
"""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path

import dagster as dg

from kustomer_pipeline import ObjectSync, build_definitions
from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sandbox import Sandbox
from kustomer_pipeline.sync import ObjectSpec, StateStore
from kustomer_pipeline.sync.compare import fingerprints
from kustomer_pipeline.sync.desired import SIGNATURE
from kustomer_pipeline.sync.state import RememberedRow
from kustomer_pipeline.warehouse import open_engine, read_frame

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
_QUERY = "select * from customers"
_STEPS = {
    "kustomer__customers_rows": "read the warehouse",
    "kustomer__customers_mapped": "map",
    "kustomer__customers": "run",
}
_AT_ONCE = 50_000


@dataclass
class Unchanged:
    """seconds: real ones, by step with its frames written and read; processor_seconds: of all steps. peak_mb: of the
    whole process, up to the end of each step. put_seconds: the state's first write of all rows, before that."""

    rows: int
    columns: int = len(SPEC.fields)
    units: int = 0
    processor_seconds: float = 0.0
    put_seconds: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    peak_mb: dict[str, float] = field(default_factory=dict)

    @property
    def all_seconds(self) -> float:
        return sum(self.seconds.values())


def unchanged(rows: int) -> Unchanged:
    """Measure in a process of its own, since peak memory is a process's."""
    with tempfile.TemporaryDirectory() as folder, Sandbox() as sandbox:
        sandbox.state.org_id = ORG
        put_seconds = prepare(rows, Path(folder))
        command = [sys.executable, "-m", MODULE, "measure", "--rows", str(rows), "--folder", folder]
        kustomer = {"KUSTOMER_BASE_URL": sandbox.url, "KUSTOMER_API_KEY": sandbox.api_key}
        subprocess.run(command, check=True, env={**os.environ, **kustomer, "DAGSTER_DISABLE_TELEMETRY": "1"})
        found = Unchanged(**json.loads((Path(folder) / "measured.json").read_text()))
        found.put_seconds, found.units = put_seconds, sandbox.units()
        return found


def prepare(rows: int, folder: Path) -> float:
    """A warehouse, and a state in which every row of it was accepted as it is; the seconds of writing that down."""
    with closing(sqlite3.connect(folder / "warehouse.db")) as connection, connection:
        connection.execute(
            "create table customers (customer_id text, email text, name text, phone text, plan text, ltv real, "
            "orders integer, signed_up_at text, subscribed integer, region text)"
        )
        connection.executemany("insert into customers values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", _rows(rows))
    mapped = SPEC.map(read_frame(open_engine(f"sqlite:///{folder}/warehouse.db"), _QUERY))
    prints, keys = fingerprints(mapped, SPEC.signature), mapped["_key"].tolist()
    with StateStore.open(f"sqlite:///{folder}/state.db") as store:
        state, seconds = store.of(ORG, SPEC.name), 0.0
        for start in range(0, rows, _AT_ONCE):
            part = range(start, min(start + _AT_ONCE, rows))
            accepted = [RememberedRow(keys[n], "accepted", int(prints[n]), f"{n:024x}") for n in part]
            began = time.perf_counter()
            with state.transaction() as tx:
                tx.rows.put(accepted, "first")
                tx.facts.set(SIGNATURE, SPEC.signature)
            seconds += time.perf_counter() - began
    return seconds


_peaks: dict[str, float] = {}


@dg.success_hook
def note_peak(context: dg.HookContext) -> None:
    """After each step."""
    _peaks[context.op.name] = _peak_mb()


def job_of_bench() -> dg.JobDefinition:
    """The sync's own job: rows, mapped, sync."""
    sync = ObjectSync(
        name=SPEC.name,
        object=SPEC.object,
        query=_QUERY,
        fields={mapping.field: mapping.columns[0] for mapping in SPEC.fields},
        match_on=list(SPEC.match_on),
    )
    return build_definitions([sync]).resolve_job_def(f"sync_{SPEC.name}").with_hooks({note_peak})


def measure(rows: int, folder: Path) -> None:
    """One run of the job; nothing has changed. Leaves the figures in the folder."""
    os.environ["WAREHOUSE_URL"] = f"sqlite:///{folder}/warehouse.db"
    os.environ["KUSTOMER_STATE_URL"] = f"sqlite:///{folder}/state.db"
    found = Unchanged(rows)
    with dg.DagsterInstance.ephemeral(tempdir=str(folder)) as instance:
        processor = time.process_time()
        with dg.execute_job(dg.reconstructable(job_of_bench), instance, raise_on_error=True) as result:
            found.processor_seconds = time.process_time() - processor
            [materialized] = result.asset_materializations_for_node("kustomer__customers")
        records = [one.event_log_entry for one in instance.get_records_for_run(result.run_id).records]
    when = {(one.step_key, one.dagster_event_type): one.timestamp for one in records}
    for step, name in _STEPS.items():
        began, ended = (when[step, kind] for kind in (dg.DagsterEventType.STEP_START, dg.DagsterEventType.STEP_SUCCESS))
        found.seconds[name], found.peak_mb[name] = ended - began, _peaks[step]
    unchanged_rows = materialized.metadata["unchanged"].value
    if unchanged_rows != rows:
        raise RuntimeError(f"something has changed after all: of {rows} rows {unchanged_rows} are as they were")
    (folder / "measured.json").write_text(json.dumps(asdict(found)))


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
