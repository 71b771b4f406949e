"""Syncs whose rows are compared in the warehouse: what the rows asset reads, and what answers for the rest.

    state → terms → the warehouse compares → the rows that differ  = the value of the rows asset
                                           → InWarehouse           = what a run or a plan asks about all others

The reading stays in the warehouse under its number, which each of its rows carries; so the steps of a run may be in
different processes, and the frame between them is an ordinary one.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import dagster as dg
import pandas as pd

from kustomer_pipeline.kustomer import KustomerClient
from kustomer_pipeline.mapping import ROW
from kustomer_pipeline.resources import compare_in_warehouse
from kustomer_pipeline.sync import (
    Rest,
    RowsOutOfDateError,
    RunOptions,
    StateStore,
    SyncSpec,
    Terms,
    hashes_of,
    keys_to_look_at,
    terms_of,
)
from kustomer_pipeline.sync.wording import quantity
from kustomer_pipeline.warehouse import WarehouseError
from kustomer_pipeline.warehouse.comparison import Comparison, ComparisonError, Kept, Reading, Source, Trust

from .keys import drift_job_name, kustomer_key, op_name, plan_key
from .left_out import forgotten_of, listed, without_forgotten_there
from .metadata import query_metadata
from .resources_of import Resources
from .sync_config import SyncConfig
from .tables import Metadata

T = TypeVar("T")
Go = Callable[[pd.DataFrame, Rest | None], T]


def in_warehouse(sync: SyncConfig) -> bool:
    """Whether this sync's rows are compared in the warehouse. A DataFrame is not in it, whatever is the default;
    a sync in shards is one whose comparison has to stay here."""
    if isinstance(sync.source, str) or sync.parts is not None:
        return False
    return compare_in_warehouse() if sync.compare is None else sync.compare == "in_warehouse"


@dataclass(frozen=True)
class Drawn:
    """A sample of the rows that stay in the warehouse: how many, and by what they are drawn."""

    size: int
    seed: str


class InWarehouse:
    """A sync.Rest: one reading, as the warehouse keeps it. `problem`: why the lines could not be written."""

    def __init__(self, comparison: Comparison, kept: Kept) -> None:
        self.problem: str | None = None
        self.whole = kept.whole
        self.stayed = kept.stayed
        self.signature, _, self.scope = kept.label.partition(" ")
        self._comparison = comparison
        self._number = kept.number

    def gone(self) -> Collection[str]:
        """Keys of accepted rows that the source no longer has as they were."""
        return self._comparison.gone(self._number)

    def holding(self, hashes: Collection[str]) -> Mapping[str, str]:
        """Which rows that stayed have an identifier: its hash → the row's key."""
        return self._comparison.holders(self._number, hashes)

    def accept(
        self,
        rows: Sequence[int],
        keys: Sequence[str],
        identifiers: Iterable[Collection[str]],
        forget: Collection[str],
        token: str,
        trusted: Collection[str],
    ) -> bool:
        """Write down the accepted rows. False, and nothing written, where the warehouse does not take them."""
        try:
            written = self._comparison.accept(self._number, rows, keys, identifiers, forget, token, trusted)
        except WarehouseError as error:
            self.problem = str(error)
            return False
        if not written:
            self.problem = "the rows have been read again since"
        return written


def read_changes(
    sync: SyncConfig,
    uses: Resources,
    *,
    everything: bool = False,
    drawn: Drawn | None = None,
    again: Collection[str] = (),
) -> tuple[pd.DataFrame, Metadata]:
    """The rows that are not as they were accepted, and what the UI shows of the reading. drawn: so many others, too;
    again: those with these keys.

    Raises KustomerError (whose org it is), StateError, WarehouseError.
    """
    with uses.kustomer.client() as client, uses.state.store() as store:
        org_id = client.run(client.token()).org_id
        terms, comparison = terms_of(sync.spec, store, org_id), _comparison(sync, uses, org_id)
        forgotten = forgotten_of(store, org_id)
        if drawn is not None:
            keys = keys_to_look_at(sync.spec, store, org_id, drawn.size, drawn.seed)
            terms = replace(terms, again=terms.again | keys)
    suppressed = comparison.keys_with(listed(sync, uses).hashes)
    terms = replace(terms, again=terms.again | suppressed | frozenset(again))
    reading = read(comparison, sync.spec, sync.sql, terms, everything=everything)
    rows = without_forgotten_there(sync.spec, comparison, reading.rows, forgotten)
    told = quantity(reading.kept.source_rows, "row", "rows")
    left = f"{told}, of which {len(rows):,} left the warehouse"
    return rows, {"compared_in_warehouse": left, "stayed": reading.kept.stayed} | query_metadata(sync.sql)


def compared(
    sync: SyncConfig, uses: Resources, mapped: pd.DataFrame, client: KustomerClient, store: StateStore, go: Go[T]
) -> tuple[T, InWarehouse | None]:
    """What `go` makes of the rows and of what answers for the rest, and that (None: every row is compared here).

    Rows that were compared with something else than is remembered by now (another tag, an older reading), or too few
    of them for what the run is told, are read again here, all of them.

    Raises KustomerError (whose org it is), StateError, WarehouseError; and whatever `go` raises.
    """
    if not in_warehouse(sync):
        return go(mapped, None), None
    org_id = client.run(client.token()).org_id
    comparison = _comparison(sync, uses, org_id)
    number = int(mapped[ROW].iloc[0]) >> 32 if len(mapped) and ROW in mapped else None
    with suppress(ComparisonError, RowsOutOfDateError):
        rest = InWarehouse(comparison, comparison.reading(number, rows=len(mapped)))
        return go(mapped, rest), rest
    reading = read(comparison, sync.spec, sync.sql, terms_of(sync.spec, store, org_id), everything=True)
    rest = InWarehouse(comparison, reading.kept)
    rows = without_forgotten_there(sync.spec, comparison, reading.rows, forgotten_of(store, org_id))
    return go(sync.spec.map(rows), rest), rest


def read(comparison: Comparison, spec: SyncSpec, sql: str, terms: Terms, *, everything: bool = False) -> Reading:
    """The rows of a query that are not as they were accepted. Raises WarehouseError."""
    trust, label = Trust(terms.tokens, terms.again), f"{terms.signature} {terms.scope}"
    return comparison.read(_source(spec, sql), trust, _hashes(spec), label, everything=everything)


def not_filed(problem: str) -> str:
    """What is said where the lines could not be written."""
    return (
        f"The sync is done and recorded, but the warehouse did not take down what was accepted: {problem}. Nothing is "
        "lost: the next run reads these rows again, and sends none of them twice."
    )


def _comparison(sync: SyncConfig, uses: Resources, org_id: str) -> Comparison:
    return uses.warehouse.comparison(sync.state_schema, org_id, sync.name)


def _source(spec: SyncSpec, sql: str) -> Source:
    """The columns that a sync maps, of its query."""
    columns = tuple(dict.fromkeys(column for mapping in spec.fields for column in mapping.columns))
    pair = next((mapping.columns[0] for mapping in spec.fields if mapping.field == spec.match_on[0]), None)
    return Source(sql, columns, pair)


def _hashes(spec: SyncSpec) -> Callable[[pd.DataFrame], list[set[str]]]:
    return lambda frame: hashes_of(spec, spec.map(frame))


def drawn_in(sync: SyncConfig, run: dg.DagsterRun) -> Drawn | None:
    """Of a run that looks for drift in a sample: how many rows that have not changed are to leave the warehouse."""
    if run.job_name != drift_job_name(sync) or sync.drift is None or sync.drift.sample == "all":
        return None
    return Drawn(sync.drift.sample, run.run_id)


def is_told_everything(sync: SyncConfig, run: dg.DagsterRun) -> bool:
    """Whether this run is to look at every row: what it may be told is told to the sync, not to the rows. A look for
    drift may be one at all that have not changed."""
    every_row = any(bool(config.get("full_resync") or config.get("adopt")) for config in _told(sync, run))
    every_record = run.job_name == drift_job_name(sync) and drawn_in(sync, run) is None
    return every_record or every_row


def asked_for_in(sync: SyncConfig, run: dg.DagsterRun) -> frozenset[str]:
    """Keys of the rows that this run is asked for, which have to leave the warehouse also if they have not changed."""
    options = (RunOptions(run.run_id, only_keys=config.get("only_keys")) for config in _told(sync, run))
    return frozenset().union(*(each.asked_for for each in options))


def _told(sync: SyncConfig, run: dg.DagsterRun) -> list[dict[str, Any]]:
    """What a run tells the sync and its plan."""
    ops: Any = run.run_config.get("ops", {})
    return [ops.get(op_name(key), {}).get("config") or {} for key in (kustomer_key(sync), plan_key(sync))]
