"""What a sync remembers once every row of the table was accepted: written without a first load.

    table → mapped frame → rows of the state → with `compare: in_warehouse` the lines in the warehouse, too

The real functions write both, only Kustomer is left out. In a process of its own, which is given the settings of a run
(WAREHOUSE_URL, KUSTOMER_STATE_URL, KUSTOMER_COMPARE) and a folder, and leaves its figures there.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from kustomer_pipeline.components.comparing import InWarehouse, read
from kustomer_pipeline.kustomer import SystemClock
from kustomer_pipeline.mapping import KEY
from kustomer_pipeline.resources import compare_in_warehouse
from kustomer_pipeline.sync import StateStore, terms_of
from kustomer_pipeline.sync.compare import fingerprints
from kustomer_pipeline.sync.desired import SIGNATURE, Desired
from kustomer_pipeline.sync.filing import file_accepted
from kustomer_pipeline.sync.memory import Whole
from kustomer_pipeline.sync.state import RememberedRow, SyncState
from kustomer_pipeline.warehouse import open_engine, read_frame
from kustomer_pipeline.warehouse.comparison import Comparison

from .table import QUERY, SPEC

ORG = "org"
SCHEMA = "kustomer_state"
SEEDED, WRITTEN = "seeded.json", "written.json"
_AT_ONCE = 50_000


@dataclass(frozen=True)
class Written:
    """What writing rows into the state took: real seconds, and those of this process's processor."""

    seconds: float
    processor_seconds: float


def accept_everything(folder: Path) -> None:
    """Remember every row of the table as accepted as it is now. `seeded.json`: customer_id → Kustomer id, of some."""
    seeded: dict[str, str] = json.loads((folder / SEEDED).read_text())
    engine = open_engine(os.environ["WAREHOUSE_URL"])
    with StateStore.open(os.environ["KUSTOMER_STATE_URL"]) as store:
        state, rest = store.of(ORG, SPEC.name), None
        if compare_in_warehouse():
            comparison = Comparison(engine, SCHEMA, ORG, SPEC.name)
            reading = read(comparison, SPEC, QUERY, terms_of(SPEC, store, ORG))
            rest, mapped = InWarehouse(comparison, reading.kept), SPEC.map(reading.rows)
            del reading
        else:
            mapped = SPEC.map(read_frame(engine, QUERY))
        written = put(state, mapped[KEY].tolist(), fingerprints(mapped, SPEC.signature), seeded)
        if rest is not None:
            _file(rest, mapped, state)
    (folder / WRITTEN).write_text(json.dumps(asdict(written)))


def write_first(rows: int, folder: Path) -> None:
    """The state's first write of so many rows, which nothing but their number says anything about."""
    prints = np.random.default_rng(7).integers(-(2**63), 2**63, rows, dtype=np.int64)
    with StateStore.open(os.environ["KUSTOMER_STATE_URL"]) as store:
        written = put(store.of(ORG, SPEC.name), [f"C{n:08d}" for n in range(rows)], prints, {})
    (folder / WRITTEN).write_text(json.dumps(asdict(written)))


def put(state: SyncState, keys: Sequence[str], prints: np.ndarray, known: Mapping[str, str]) -> Written:
    """Rows with these keys and fingerprints as accepted; making the values is not counted."""
    seconds, processor = 0.0, 0.0
    for start in range(0, len(keys), _AT_ONCE):
        part = range(start, min(start + _AT_ONCE, len(keys)))
        ids = [known.get(keys[n]) or f"{n:024x}" for n in part]
        accepted = [RememberedRow(keys[n], "accepted", int(prints[n]), id_) for n, id_ in zip(part, ids, strict=True)]
        began, computed = time.perf_counter(), time.process_time()
        with state.transaction() as tx:
            tx.rows.put(accepted, "first")
            tx.facts.set(SIGNATURE, SPEC.signature)
        seconds, processor = seconds + time.perf_counter() - began, processor + time.process_time() - computed
    return Written(seconds, processor)


def _file(rest: InWarehouse, mapped: pd.DataFrame, state: SyncState) -> None:
    desired = Desired(SPEC, mapped, state, Whole(state.rows.snapshot()), SystemClock())
    if not file_accepted(rest, desired, keep_first_of_repeated=False):
        raise RuntimeError(f"the warehouse did not take the lines: {rest.problem}")
