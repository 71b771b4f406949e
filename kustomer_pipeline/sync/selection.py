"""Which rows of the frame a run looks at; every other row has its outcome afterwards.

Comparison → invalid, repeated, unchanged, known: outcome → due → asked for → held by the guard | to be attempted
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kustomer_pipeline.mapping import KEY

from .desired import Desired
from .guard import NOTHING_TO_JUDGE, Guard, Verdict
from .ledger import Ledger, Outcome
from .reasons import Reason, ReasonCode
from .spec import RunOptions, forms_of_key
from .strategies import Strategy

NOT_WANTED = Reason(
    ReasonCode.DELETED_IN_KUSTOMER, "deleted in Kustomer; left out until the row changes (on_deleted: forget)"
)


_REFUSED = pa.array(["rejected", "invalid"])


@dataclass(frozen=True)
class Selected:
    """Positions to attempt, and positions that the guard holds because of `changes`.

    not_due: rows that Kustomer did not have last time and that are not looked for yet, and rows whose record is not
    wanted any more. put_off: rows that this run was not asked for.
    """

    positions: np.ndarray
    held: np.ndarray
    changes: Verdict
    not_due: int
    put_off: int


def select_rows(
    desired: Desired,
    strategy: Strategy,
    guard: Guard,
    ledger: Ledger,
    options: RunOptions,
    under_way: Collection[str],
) -> Selected:
    """Sort the rows of a frame. Reads the state."""
    _settle_without_looking(desired, strategy, ledger)
    due, not_due = desired.due()
    ledger.set_many(not_due, Outcome.SKIPPED, reason=Reason(ReasonCode.NOT_IN_KUSTOMER, "not in Kustomer"))
    ledger.set_many(desired.left_out, Outcome.SKIPPED, reason=NOT_WANTED)
    not_looked_at = len(not_due) + len(desired.left_out)
    asked_for = _asked_for(due, desired, ledger, options, under_way)
    put_off = len(due) - len(asked_for)
    limit = strategy.change_limit
    if limit is None:
        return Selected(asked_for, asked_for[:0], NOTHING_TO_JUDGE, not_looked_at, put_off)
    compared = desired.compared
    changed = compared.changed
    if options.only_keys is not None:  # nothing else goes, so nothing else is judged
        changed = changed[np.isin(changed, asked_for)]
    contents = desired.contents(changed)
    verdict = guard.changes(contents, compared.accepted, limit, options.approve_changes)
    if verdict.allowed:
        return Selected(asked_for, asked_for[:0], verdict, not_looked_at, put_off)
    changing = np.isin(asked_for, changed)
    text = f"held back by max_changes; to let exactly these changes go, approve {verdict.plan_id}"
    going = defer(ledger, asked_for, changing, ReasonCode.CHANGES_HELD, text)
    return Selected(going, asked_for[changing], verdict, not_looked_at, put_off)


def unknown_keys(options: RunOptions, keys: pd.Series) -> list[str]:
    """Those of `only_keys` that no row of the frame has."""
    if not options.only_keys:
        return []
    there = set(keys[keys.isin(options.asked_for)])
    return sorted(key for key in options.only_keys if there.isdisjoint(forms_of_key(key)))


def defer(ledger: Ledger, positions: np.ndarray, which: np.ndarray, code: ReasonCode, text: str) -> np.ndarray:
    """Put some of the rows off; the positions of the others."""
    ledger.set_many(positions[which], Outcome.DEFERRED, reason=Reason(code, text))
    return np.asarray(positions[~which])


def _settle_without_looking(desired: Desired, strategy: Strategy, ledger: Ledger) -> None:
    """Outcomes that need neither Kustomer nor the state."""
    compared = desired.compared
    for position, text in desired.invalid_rows():
        ledger.set(position, Outcome.INVALID, reason=Reason(ReasonCode.INVALID, text))
    repeated = Reason(ReasonCode.REPEATED, "the same member as an earlier row")
    ledger.set_many(compared.repeated, Outcome.SKIPPED, reason=repeated)
    ledger.set_many(compared.unchanged, Outcome.UNCHANGED, kustomer_ids=compared.ids)
    known = Reason(ReasonCode.SAME_MEMBER, "the same record as another row")
    if strategy.one_row_a_record:
        known = Reason(ReasonCode.EXISTS_ALREADY, "exists already")
    ledger.set_many(compared.known, Outcome.SKIPPED, kustomer_ids=compared.ids, reason=known)


def _asked_for(
    positions: np.ndarray, desired: Desired, ledger: Ledger, options: RunOptions, under_way: Collection[str]
) -> np.ndarray:
    """Rows that this run may attempt: the others are deferred, each with its reason."""
    if under_way:
        busy = desired.mapped[KEY].iloc[positions].isin(under_way).to_numpy(dtype=bool)
        text = "its job of an earlier run is still in Kustomer's queue; the next run collects it"
        positions = defer(ledger, positions, busy, ReasonCode.QUEUED, text)
    if options.only == "rejected":
        statuses = desired.compared.remembered(positions).statuses
        refused = pc.fill_null(pc.is_in(statuses, value_set=_REFUSED), False)
        text = "this run was asked for the rows refused before, and no others"
        positions = defer(ledger, positions, ~np.asarray(refused), ReasonCode.NOT_ASKED_FOR, text)
    if options.only_keys is not None:
        wanted = desired.mapped[KEY].iloc[positions].isin(options.asked_for).to_numpy(dtype=bool)
        text = "this run was asked for other rows (only_keys)"
        positions = defer(ledger, positions, ~wanted, ReasonCode.NOT_ASKED_FOR, text)
    if options.limit is not None:
        # Rows that were refused last time come last: they would use up the limit in every run.
        refused = pc.is_in(desired.compared.remembered(positions).statuses, value_set=_REFUSED)
        in_turn = np.argsort(np.asarray(pc.fill_null(refused, False)), kind="stable")
        beyond = np.ones(len(positions), dtype=bool)
        beyond[in_turn[: options.limit]] = False
        text = f"beyond this run's limit of {options.limit}"
        positions = defer(ledger, positions, beyond, ReasonCode.BEYOND_LIMIT, text)
    return positions
