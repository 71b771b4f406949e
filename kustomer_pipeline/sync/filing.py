"""After a run: the rows that are settled become lines in the warehouse, which the next reading compares with.

    what the state says now → rows as they are in the frame → about to file → lines → filed

Row by row in meaning: only what the state has as accepted, as it is in this frame, becomes a line. Killed anywhere, the
next reading has every row whose line does not say what was accepted (state/lines.py).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kustomer_pipeline.mapping import KEY, ROW, identity_hashes

from .compare import compare, fingerprints
from .rest import Rest
from .spec import SyncSpec
from .state import SyncState

_AT_ONCE = 20_000  # rows whose hashes are in memory at the same time


def file_accepted(
    rest: Rest, spec: SyncSpec, mapped: pd.DataFrame, state: SyncState, *, keep_first_of_repeated: bool
) -> bool:
    """Write the lines of the settled rows. False where the warehouse did not take them; nothing is lost by that."""
    keys = mapped[KEY].tolist()
    snapshot = state.rows.snapshot() if rest.whole else state.rows.snapshot_of(keys)
    prints = fingerprints(mapped, spec.signature)
    compared = compare(mapped, prints, snapshot, keep_first_of_repeated=keep_first_of_repeated)
    settled = compared.unchanged
    filed = [keys[position] for position in settled.tolist()]
    if rest.whole:
        accepted = snapshot.keys.filter(pc.equal(snapshot.statuses, "accepted"))
        unsettled = pc.invert(pc.is_in(accepted, value_set=compared.keys.take(pa.array(settled))))
        without = accepted.filter(unsettled).to_pylist()
        return _file_all(rest, spec, mapped, settled, filed, without, state)
    return _file(rest, spec, mapped, settled, filed, state)


def _file(
    rest: Rest, spec: SyncSpec, mapped: pd.DataFrame, settled: np.ndarray, filed: list[str], state: SyncState
) -> bool:
    trusted, forget = state.lines.trusted(), state.lines.not_to_count() - set(filed)
    if trusted is None or not (filed or forget):
        return trusted is not None
    token = uuid.uuid4().hex
    with state.transaction() as tx:
        tx.lines.about_to_file(trusted, token, filed)
    rows, hashes = mapped[ROW].to_numpy()[settled].tolist(), Hashes(spec, mapped, settled)
    if not rest.accept(rows, filed, hashes, forget, token, trusted.tokens):
        return False
    with state.transaction() as tx:
        tx.lines.filed(spec.signature, token, filed, forget)
    return True


def _file_all(
    rest: Rest,
    spec: SyncSpec,
    mapped: pd.DataFrame,
    settled: np.ndarray,
    filed: list[str],
    without: list[str],
    state: SyncState,
) -> bool:
    token = uuid.uuid4().hex
    with state.transaction() as tx:
        tx.lines.about_to_file_all()
    rows, hashes = mapped[ROW].to_numpy()[settled].tolist(), Hashes(spec, mapped, settled)
    if not rest.accept(rows, filed, hashes, (), token, ()):
        return False
    with state.transaction() as tx:
        tx.lines.filed_all(spec.signature, token, without)
    return True


class Hashes(Sequence[set[str]]):
    """The identity hashes of rows of a frame, made as they are asked for, in order: a million sets are a gigabyte."""

    def __init__(self, spec: SyncSpec, mapped: pd.DataFrame, positions: np.ndarray) -> None:
        self._spec = spec
        self._mapped = mapped
        self._positions = positions
        self._start = 0
        self._made: list[set[str]] = []

    def __len__(self) -> int:
        return len(self._positions)

    def __getitem__(self, place):  # type: ignore[no-untyped-def]  # one place; nobody takes slices
        if not self._start <= place < self._start + len(self._made):
            self._start = place - place % _AT_ONCE
            positions = self._positions[self._start : self._start + _AT_ONCE]
            self._made = hashes_of(self._spec, self._mapped.iloc[positions])
        return self._made[place - self._start]


def hashes_of(spec: SyncSpec, mapped: pd.DataFrame) -> list[set[str]]:
    """What each row of a mapped frame can be recognised by."""
    return identity_hashes(mapped, spec.fields, object_name=spec.object, match_on=spec.match_on)
