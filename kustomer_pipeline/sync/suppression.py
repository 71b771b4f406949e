"""Whose rows are left out: of people who were forgotten (state), and of those on the sync's own list (`suppress`).

    mapped frame + lists → the rows that go on
                         → LeftOut → told in the report: skipped, "suppressed"

Right after the mapping, before anything is compared: what follows has never seen these rows, so nothing about them is
sent, remembered or logged, and they are named by their place. An audience is as if the query did not have them: they
are not tagged, and a mirror takes its tag back from a member who is left out as from one who left.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kustomer_pipeline.mapping import KEY, WITHHELD, identity_columns, is_withheld

from .ledger import Outcome
from .reasons import Reason, ReasonCode
from .report import SyncReport
from .spec import RunOptions, SyncSpec
from .state import KEY_OF_ROW, Forgotten, Suppressed

FORGOTTEN = Reason(ReasonCode.SUPPRESSED, "suppressed: on the list of people who were forgotten")
LISTED = Reason(ReasonCode.SUPPRESSED, "suppressed: on the list of the sync (suppress)")
_AT_ONCE = 50_000  # values that are Python objects at the same time
_FEW = 100  # rows; more would leave the columns in too many pieces


@dataclass(frozen=True)
class LeftOut:
    """Rows that a run or a plan does not look at.

    positions: in the whole frame of `length` rows, ascending. listed: which of them the sync's own list names. keys: of
    the same rows, so that what is remembered of them is known to be of nobody in the frame.
    """

    length: int = 0
    positions: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    listed: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=bool))
    keys: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.positions)

    def told(self, report: SyncReport) -> SyncReport:
        """The report over all rows, in their order."""
        if not len(self):
            return report
        reasons = np.where(self.listed, LISTED.text, FORGOTTEN.text)
        lines = {
            "key": [f"row:{position + 1}" for position in self.positions.tolist()],
            "outcome": str(Outcome.SKIPPED),
            "kustomer_id": None,
            "reason": reasons,
        }
        left_out = pd.DataFrame(lines, index=self.positions).astype("string")
        others = report.rows.set_axis(np.delete(np.arange(self.length), self.positions))
        counts, count = report.counts, len(self)
        return replace(
            report,
            rows=pd.concat([others, left_out]).sort_index().reset_index(drop=True),
            counts=replace(counts, read=counts.read + count, skipped=counts.skipped + count),
            by_code={**report.by_code, ReasonCode.SUPPRESSED: count},
        )


NOBODY = LeftOut()


def leave_out(
    spec: SyncSpec, mapped: pd.DataFrame, suppressed: Suppressed, options: RunOptions
) -> tuple[pd.DataFrame, LeftOut]:
    """The rows that go on, and those that do not. Reads the state, while nobody else writes. Raises StateError."""
    forgotten = is_withheld(mapped) | which_are_forgotten(spec, mapped, suppressed.read())
    listed = which_are_listed(spec, mapped, options.suppressed) & ~forgotten
    positions = np.flatnonzero(forgotten | listed)
    kept = mapped.drop(columns=WITHHELD) if WITHHELD in mapped else mapped
    if not len(positions):
        return kept, NOBODY
    keys = tuple(mapped[KEY].iloc[positions].tolist())
    return _without(kept, positions), LeftOut(len(mapped), positions, listed[positions], keys)


def which_are_forgotten(spec: SyncSpec, mapped: pd.DataFrame, forgotten: Forgotten | None) -> np.ndarray:
    """bool per row: its key or one of its identifiers is on the list. Vectorised; nothing is done for an empty list."""
    which = np.zeros(len(mapped), dtype=bool)
    if forgotten is None:
        return which
    columns = identity_columns(mapped, spec.fields, object_name=spec.object, match_on=spec.match_on)
    for space, rows, values in columns:
        for start in range(0, len(values), _AT_ONCE):
            part = values.slice(start, _AT_ONCE).to_numpy(zero_copy_only=False)
            which[rows[start + forgotten.which(spec.object, space or KEY_OF_ROW, part)]] = True
    return which


def which_are_listed(spec: SyncSpec, mapped: pd.DataFrame, listed: Mapping[str, Collection[str]]) -> np.ndarray:
    """bool per row: one of its identifiers is on the sync's own list (field → canonical values). Vectorised."""
    which = np.zeros(len(mapped), dtype=bool)
    if not any(listed.values()):
        return which
    columns = identity_columns(mapped, spec.fields, object_name=spec.object, match_on=(*spec.match_on, *listed))
    for space, rows, values in columns:
        if space in listed:
            found = pc.is_in(values, value_set=pa.array(listed[space], values.type))
            which[rows[found.to_numpy(zero_copy_only=False)]] = True
    return which


def _without(mapped: pd.DataFrame, positions: np.ndarray) -> pd.DataFrame:
    """Without a few rows text is not copied: a column is then the pieces between them."""
    if len(positions) > _FEW:
        others = np.delete(np.arange(len(mapped)), positions)
        return mapped.iloc[others].reset_index(drop=True)
    bounds = zip([0, *(positions + 1).tolist()], [*positions.tolist(), len(mapped)], strict=True)
    return pd.concat([mapped.iloc[start:end] for start, end in bounds], ignore_index=True)
