"""After a run: the rows that are settled become lines in the warehouse, which the next reading compares with.

    what the state says now → rows as they are in the frame → about to file → lines → filed

Row by row in meaning: only what the state has as accepted, as it is in this frame, becomes a line. Killed anywhere, the
next reading has every row whose line does not say what was accepted (state/lines.py).
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kustomer_pipeline.mapping import KEY, ROW, identity_hashes

from .compare import compare
from .desired import Desired
from .rest import Rest
from .spec import SyncSpec
from .state import SyncState

_AT_ONCE = 20_000  # rows whose hashes are in memory at the same time


def file_accepted(rest: Rest, desired: Desired, *, keep_first_of_repeated: bool) -> bool:
    """Write the lines of the settled rows of a run that has ended. False where the warehouse did not take them; nothing
    is lost by that."""
    keys, state = desired.mapped[KEY].tolist(), desired.state
    snapshot = state.rows.snapshot() if rest.whole else state.rows.snapshot_of(keys)
    prints = desired.compared.prints
    compared = compare(desired.mapped, prints, snapshot, keep_first_of_repeated=keep_first_of_repeated)
    settled = _Settled(rest, desired, compared.unchanged, [keys[position] for position in compared.unchanged.tolist()])
    if not rest.whole:
        return _file(settled, state)
    accepted = snapshot.keys.filter(pc.equal(snapshot.statuses, "accepted"))
    unsettled = pc.invert(pc.is_in(accepted, value_set=compared.keys.take(pa.array(compared.unchanged))))
    return _file_all(settled, state, accepted.filter(unsettled).to_pylist())


@dataclass(frozen=True)
class _Settled:
    """Rows of the frame that are as the state has them accepted: where they are, and their keys."""

    rest: Rest
    desired: Desired
    positions: np.ndarray
    keys: list[str]

    def accept(self, forget: Collection[str], token: str, trusted: Collection[str]) -> bool:
        """Have the warehouse write them down."""
        rows = self.desired.mapped[ROW].to_numpy()[self.positions].tolist()
        return self.rest.accept(rows, self.keys, self._hashes(), forget, token, trusted)

    def _hashes(self) -> Iterator[set[str]]:
        """Some thousands at a time: a million sets are a gigabyte."""
        for start in range(0, len(self.positions), _AT_ONCE):
            part = self.desired.mapped.iloc[self.positions[start : start + _AT_ONCE]]
            yield from hashes_of(self.desired.spec, part)


def _file(settled: _Settled, state: SyncState) -> bool:
    trusted, forget = state.lines.trusted(), state.lines.not_to_count() - set(settled.keys)
    if trusted is None or not (settled.keys or forget):
        return trusted is not None
    token = uuid.uuid4().hex
    with state.transaction() as tx:
        tx.lines.about_to_file(trusted, token, settled.keys)
    if not settled.accept(forget, token, trusted.tokens):
        return False
    with state.transaction() as tx:
        tx.lines.filed(settled.desired.spec.signature, token, settled.keys, forget)
    return True


def _file_all(settled: _Settled, state: SyncState, without: list[str]) -> bool:
    token = uuid.uuid4().hex
    with state.transaction() as tx:
        tx.lines.about_to_file_all()
    if not settled.accept((), token, ()):
        return False
    with state.transaction() as tx:
        tx.lines.filed_all(settled.desired.spec.signature, token, without)
    return True


def hashes_of(spec: SyncSpec, mapped: pd.DataFrame) -> list[set[str]]:
    """What each row of a mapped frame can be recognised by."""
    return identity_hashes(mapped, spec.fields, object_name=spec.object, match_on=spec.match_on)
