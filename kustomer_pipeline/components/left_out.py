"""Whose rows a sync leaves out, as the assets need to know it before the engine does.

    suppress: {query} → the warehouse's answer → identifiers → RunOptions.suppressed: skipped in the sync and its plan
    the state's list of people who were forgotten → their rows are emptied before a frame is kept

The engine asks the state's list itself, and again. Here it only keeps the forgotten off the disk, as long as the query
still has them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from kustomer_pipeline.kustomer import canonical
from kustomer_pipeline.mapping import ROW, FieldMapping, field_type, hashes_of_values, map_frame, withhold
from kustomer_pipeline.sync import Forgotten, StateError, StateStore, SyncSpec, which_are_forgotten
from kustomer_pipeline.sync.wording import quantity
from kustomer_pipeline.warehouse import QueryError
from kustomer_pipeline.warehouse.comparison import Comparison

from .resources_of import Resources
from .sync_config import SyncConfig


@dataclass(frozen=True)
class Listed:
    """The sync's own list: identifier → canonical values. `problem`: what a person should know of it."""

    values: Mapping[str, frozenset[str]] = field(default_factory=dict)
    problem: str | None = None

    @property
    def hashes(self) -> set[str]:
        """The same as a comparison in the warehouse knows them."""
        return {hashed for space, values in self.values.items() for hashed in hashes_of_values(space, sorted(values))}


def listed(sync: SyncConfig, uses: Resources) -> Listed:
    """Ask the sync's own list. Raises WarehouseError: then nothing may be sent."""
    if sync.suppress is None:
        return Listed()
    name, frame = sync.suppress.match_on, uses.warehouse.read(sync.suppress.query)
    column = name if name in frame else frame.columns[0]
    if len(frame.columns) != 1 and name not in frame:
        raise QueryError(
            f"The query of suppress gives {len(frame.columns)} columns, none of them named {name}: it has to give one "
            "column, or one of that name"
        )
    mapped = map_frame(
        frame[[column]],
        [FieldMapping(name, (str(column),))],
        object_name=sync.kind,
        match_on=[name],
        default_region=sync.default_region,
        duplicates="allow",
    )[name]
    values = frozenset(canonical(name, value) for value in mapped.dropna().tolist())
    written = frame[column].notna() & (frame[column].astype("string").str.strip() != "").fillna(False)
    unreadable = int((written.to_numpy(dtype=bool) & mapped.isna().to_numpy()).sum())
    problem = None
    if unreadable:
        problem = (
            f"{quantity(unreadable, 'value', 'values')} of the list of suppress cannot be read as {name}, so nobody is "
            "recognised by them (a phone number without + needs default_region)"
        )
    return Listed({name: values}, problem)


def without_forgotten(sync: SyncConfig, uses: Resources, frame: pd.DataFrame) -> pd.DataFrame:
    """A frame of the sync's rows, before it is kept. Raises KustomerError, StateError."""
    try:
        uses.state.address()
    except StateError:  # there is no state yet, so nobody was forgotten; the sync will say so
        return frame
    with uses.state.store() as store:
        if not store.anybody_suppressed():
            return frame
        with uses.kustomer.client() as client:
            forgotten = forgotten_of(store, client.run(client.token()).org_id)
    positions = _positions(sync.spec, frame, forgotten)
    return withhold(frame, positions) if len(positions) else frame


def forgotten_of(store: StateStore, org_id: str) -> Forgotten | None:
    """The list of an org; None where nobody is on it. Raises StateError."""
    return store.suppressed(org_id).read()


def without_forgotten_there(
    spec: SyncSpec, comparison: Comparison, frame: pd.DataFrame, forgotten: Forgotten | None
) -> pd.DataFrame:
    """The same of a reading, whose rows are emptied in the warehouse too. Raises WarehouseError."""
    positions = _positions(spec, frame, forgotten)
    if not len(positions):
        return frame
    comparison.withhold(frame[ROW].to_numpy()[positions].tolist())
    return withhold(frame, positions)


def _positions(spec: SyncSpec, frame: pd.DataFrame, forgotten: Forgotten | None) -> np.ndarray:
    if forgotten is None:
        return np.empty(0, dtype=np.int64)
    kinds = {one.field: field_type(spec.object, one.field).identifier for one in spec.fields}
    identifying = [one for one in spec.fields if one.field in spec.match_on or kinds[one.field]]
    recognised = replace(spec, fields=tuple(identifying))
    return np.flatnonzero(which_are_forgotten(recognised, recognised.map(frame), forgotten))
