"""One run of the sync's job through Dagster, measured step by step from within its process.

    rows → mapped → sync, with the frames kept between them as they are in production → measured.json

Everything comes from the environment, as for any run; KUSTOMER_COMPARE says where rows are compared.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import dagster as dg
import sqlalchemy as sa

from kustomer_pipeline import ObjectSync, build_definitions
from kustomer_pipeline.io_manager.storage import ParquetIOManager
from kustomer_pipeline.resources import compare_in_warehouse
from kustomer_pipeline.sync import StateStore, filing

from .accepted import ORG
from .table import QUERY, SPEC

MEASURED = "measured.json"
_STEPS = {
    "kustomer__customers_rows": "read the warehouse",
    "kustomer__customers_mapped": "map",
    "kustomer__customers": "run",
}


@dataclass
class Run:
    """seconds: real ones, by step with its frames written and read. peak_mb: of the whole process, up to the end of
    each step. processor_seconds: of this process, in all steps.

    statement_seconds: the statement that compares in the warehouse; filing_seconds: writing the lines after the run.
    Both are 0 where every row is compared here.
    """

    processor_seconds: float = 0.0
    statement_seconds: float = 0.0
    filing_seconds: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    peak_mb: dict[str, float] = field(default_factory=dict)


def job_of_bench() -> dg.JobDefinition:
    """The sync's own job: rows, mapped, sync."""
    sync = ObjectSync(
        name=SPEC.name,
        object=SPEC.object,
        query=QUERY,
        fields={mapping.field: mapping.columns[0] for mapping in SPEC.fields},
        match_on=list(SPEC.match_on),
    )
    return build_definitions([sync]).resolve_job_def(f"sync_{SPEC.name}")


def measure(rows: int, changed: int, folder: Path) -> None:
    """Run the job over a table of so many rows, of which so many have changed. Leaves the figures in the folder."""
    found = Run()
    with dg.DagsterInstance.ephemeral(tempdir=str(folder)) as instance, _timed(found), _peaks() as peaks:
        processor = time.process_time()
        with dg.execute_job(dg.reconstructable(job_of_bench), instance, raise_on_error=True) as result:
            found.processor_seconds = time.process_time() - processor
            [materialized] = result.asset_materializations_for_node("kustomer__customers")
        records = [one.event_log_entry for one in instance.get_records_for_run(result.run_id).records]
    when = {(one.step_key, one.dagster_event_type): one.timestamp for one in records}
    for step, name in _STEPS.items():
        began, ended = (when[step, kind] for kind in (dg.DagsterEventType.STEP_START, dg.DagsterEventType.STEP_SUCCESS))
        found.seconds[name], found.peak_mb[name] = ended - began, peaks[step]
    _require({name: materialized.metadata[name].value for name in ("unchanged", "updated")}, rows, changed)
    (folder / MEASURED).write_text(json.dumps(asdict(found)))


def _require(counts: dict[str, Any], rows: int, changed: int) -> None:
    """A run that did something else than what is measured is no figure."""
    if counts != {"unchanged": rows - changed, "updated": changed}:
        raise RuntimeError(f"of {rows} rows, of which {changed} have changed, the run says: {counts}")
    if compare_in_warehouse():
        with StateStore.open(os.environ["KUSTOMER_STATE_URL"]) as store:
            lines = store.of(ORG, SPEC.name).lines
            if lines.trusted() is None or lines.not_to_count():
                raise RuntimeError("after the run some lines in the warehouse do not count")


@contextmanager
def _peaks() -> Iterator[dict[str, float]]:
    """The peak up to the moment when the frame of a step is kept, by step.

    Not by a hook of Dagster's: a job that has one holds the frames of all its steps until it ends.
    """
    peaks: dict[str, float] = {}
    keep = ParquetIOManager.handle_output

    def handle_output(manager: ParquetIOManager, context: dg.OutputContext, frame: Any) -> None:
        keep(manager, context, frame)
        peaks[context.step_key] = _peak_mb()

    with mock.patch.object(ParquetIOManager, "handle_output", handle_output):
        yield peaks


@contextmanager
def _timed(found: Run) -> Iterator[None]:
    """Note how long the comparing statement and the writing of the lines take."""
    began: dict[int, float] = {}

    def before(_: Any, cursor: Any, statement: str, *__: Any) -> None:
        if "kustomer_rows_" in statement:
            began[id(cursor)] = time.perf_counter()

    def after(_: Any, cursor: Any, *__: Any) -> None:
        if id(cursor) in began:
            found.statement_seconds = max(found.statement_seconds, time.perf_counter() - began.pop(id(cursor)))

    listened: tuple[tuple[str, Callable[..., None]], ...] = (
        ("before_cursor_execute", before),
        ("after_cursor_execute", after),
    )
    for name, function in listened:
        sa.event.listen(sa.Engine, name, function)
    try:
        with mock.patch("kustomer_pipeline.sync.run.file_accepted", _filing(found)):
            yield
    finally:
        for name, function in listened:
            sa.event.remove(sa.Engine, name, function)


def _filing(found: Run) -> Callable[..., bool]:
    def timed(*arguments: Any, **settings: Any) -> bool:
        began = time.perf_counter()
        try:
            return filing.file_accepted(*arguments, **settings)
        finally:
            found.filing_seconds = time.perf_counter() - began

    return timed


def _peak_mb() -> float:
    """Of this process. In ru_maxrss Linux hands a parent's peak on to its children: there it is asked otherwise."""
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(peak.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
