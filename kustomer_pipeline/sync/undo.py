"""Take back what a run changed, where nobody has changed it since.

    what the run overwrote (state) → live records → the fields that still are as the run left them → bulk update

Lists are taken back item by item: what the run added goes, what it removed comes back, what others did stays.
Created records are not deleted: they are named, and deleting them is for a person to decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from kustomer_pipeline.kustomer import (
    Clock,
    KustomerClient,
    KustomerError,
    PermissionDeniedError,
    Record,
    missing_roles,
)
from kustomer_pipeline.mapping import list_attributes

from .masking import mask_key
from .patch import Change, Patch, writable_items
from .recovery import collect_left_behind
from .remembered import ChangeLine
from .report import OnProgress, Progress
from .rows import Row, Update
from .spec import Object
from .state import StateStore
from .writer import Writer, Written

SYNC = "undo_run"
COLUMNS = ("sync", "key", "kustomer_id", "field", "outcome", "reason")
_ROUNDS = 3
_OBJECTS: tuple[Object, ...] = ("customers", "companies")


class UndoError(Exception):
    """There is nothing that could be undone; the message says why."""


@dataclass(frozen=True)
class UndoReport:
    """What came of an undo.

    `restored`: records written back. `rows`: DataFrame with one row per field of the run: sync, key, kustomer_id,
    field, outcome (restored, changed since, gone, rejected, deferred, created, not deleted), reason (strings).
    """

    run_id: str
    org_id: str
    restored: int
    rows: pd.DataFrame
    requests: int
    interrupted: Exception | None = None

    def table(self, limit: int = 100, *, show_values: bool = False) -> pd.DataFrame:
        """The first rows as they may be shown: personal keys masked unless `show_values`."""
        table = self.rows.head(limit).reset_index(drop=True)
        if not show_values:
            table["key"] = table["key"].map(mask_key)
        return table


@dataclass
class _Target:
    """One record that the run changed: first before and last after of each field."""

    object: Object
    kustomer_id: str
    sync: str
    key: str
    fields: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    outcomes: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    sent_rev: float | None = None
    refusal: str | None = None


def undo_run(
    run_id: str,
    *,
    client: KustomerClient,
    state: StateStore,
    as_run: str | None = None,
    undo_days: int = 30,
    on_progress: OnProgress | None = None,
) -> UndoReport:
    """Restore what the run with this id overwrote, in all its syncs. An undo is a run, and can be undone.

    The state is left as it is: the next sync does not bring the undone values back until the warehouse changes (or
    with full_resync). Raises UndoError when the run is not known, and KustomerError while nothing has been done.
    """
    before = client.usage.requests
    token = client.token()
    mine = state.of(token.org_id, SYNC)
    as_run = as_run or f"undo {run_id}"
    targets = _targets(state.changes_of(token.org_id, run_id))
    created = state.created_by(token.org_id, run_id)
    if not targets and not created:
        raise UndoError(_nothing(state, token.org_id, run_id))
    _require_roles(token.roles, {target.object for target in targets})
    interrupted: KustomerError | None = None
    with state.lock(token.org_id):
        try:
            for object_ in _OBJECTS:
                collect_left_behind(client, mine, client.clock, as_run, object_)
                writer = Writer(client, mine, client.clock, object_, as_run, lambda *_: [], keep_changes=undo_days > 0)
                mine_of_object = [target for target in targets if target.object == object_]
                _Undo(client, writer, client.clock, on_progress).restore(mine_of_object)
        except KustomerError as error:
            interrupted = error
    rows = _rows(targets, created)
    restored = sum(any(one[0] == "restored" for one in target.outcomes.values()) for target in targets)
    return UndoReport(run_id, token.org_id, restored, rows, client.usage.requests - before, interrupted)


class _Undo:
    """Reads, compares, writes back; again where somebody wrote in between."""

    def __init__(self, client: KustomerClient, writer: Writer, clock: Clock, on_progress: OnProgress | None) -> None:
        self.client = client
        self.writer = writer
        self.clock = clock
        self.on_progress = on_progress
        self.started = clock.monotonic()

    def restore(self, targets: Sequence[_Target]) -> None:
        todo = list(targets)
        for _ in range(_ROUNDS):
            if not todo:
                return
            todo = self._round(todo)
            self._tell(len(targets) - len(todo), len(targets))
        for target in todo:
            target.outcomes = dict.fromkeys(target.fields, ("deferred", "it kept changing; run the undo again"))

    def _round(self, targets: Sequence[_Target]) -> list[_Target]:
        live = self.client.get_many(targets[0].object, [target.kustomer_id for target in targets])
        writes: list[tuple[_Target, Update]] = []
        for target in targets:
            record = live.get(target.kustomer_id)
            if record is None:
                target.outcomes = dict.fromkeys(target.fields, ("gone", "the record is no longer in Kustomer"))
                continue
            patch = _patch(target, record)
            if target.refusal is not None and patch.body and record.rev == target.sent_rev:
                target.outcomes = dict.fromkeys(target.fields, ("rejected", f"Kustomer refused it: {target.refusal}"))
            elif patch.body:
                row = Row(-1, f"{target.sync}/{target.key}", 0, {}, known_id=target.kustomer_id, undoing=True)
                writes.append((target, Update(row, record, patch)))
        again: list[_Target] = []
        by_id = {target.kustomer_id: target for target, _ in writes}
        self.writer.write([update for _, update in writes], lambda written: _note(written, by_id, again))
        return again

    def _tell(self, done: int, total: int) -> None:
        if self.on_progress is not None:
            rate = done / max(self.clock.monotonic() - self.started, 1e-6)
            left = (total - done) / rate if rate and total > done else None
            self.on_progress(Progress(done, total, rate, left, self.client.usage.remaining))


def _note(written: Sequence[Written], by_id: dict[str, _Target], again: list[_Target]) -> None:
    for one in written:
        assert isinstance(one.decision, Update)
        target = by_id[one.decision.live.id]
        if one.result in ("refused", "unknown"):
            target.refusal = one.error
            target.sent_rev = one.decision.live.rev
            again.append(target)
        elif one.result == "rejected":
            _set_pending(target, "rejected", f"Kustomer refused it: {one.error}")
        elif one.result == "unfinished":
            _set_pending(target, "deferred", "still in Kustomer's queue; run the undo again")


def _set_pending(target: _Target, outcome: str, reason: str) -> None:
    """The fields that would have been restored were not."""
    for name, (was, _) in target.outcomes.items():
        if was == "restored":
            target.outcomes[name] = (outcome, reason)


def _patch(target: _Target, live: Record) -> Patch:
    """What takes the record back; each field's outcome is noted as if the write went well."""
    lists = list_attributes(target.object)
    body: dict[str, Any] = {}
    changes: list[Change] = []
    for name, (before, after) in target.fields.items():
        present = _present(live, name)
        if name in lists:
            attribute = lists[name]
            present = writable_items(name, present or [], attribute)
            wanted = _list_back(attribute, before or [], after or [], present)
        elif present == after or (present in (None, "") and after in (None, "")):
            wanted = before
        else:
            if present != before:
                target.outcomes[name] = ("changed since", "somebody changed it after the run; it stays as it is")
                continue
            wanted = present
        target.outcomes[name] = ("restored", None)
        if wanted == present:
            continue
        changes.append(Change(name, present, wanted))
        if name.startswith("custom."):
            body.setdefault("custom", {})[name.removeprefix("custom.")] = wanted
        else:
            body[name] = wanted
    return Patch(body, tuple(changes))


def _list_back(attribute: Any, before: list[Any], after: list[Any], present: list[Any]) -> list[Any]:
    """The live list without what the run added, with what it removed, and the items it rewrote as they were."""
    was = {attribute.key(item): item for item in before}
    became = {attribute.key(item): item for item in after}
    kept = []
    for item in present:
        key = attribute.key(item)
        if key in became and key not in was:
            continue
        rewritten = key in was and key in became and was[key] != became[key] and item == became[key]
        kept.append(was[key] if rewritten else item)
    there = {attribute.key(item) for item in kept}
    return kept + [item for key, item in was.items() if key not in became and key not in there]


def _present(live: Record, name: str) -> Any:
    if name == "company":
        return live.company_id
    if name.startswith("custom."):
        return (live.attributes.get("custom") or {}).get(name.removeprefix("custom."))
    return live.attributes.get(name)


def _targets(lines: Sequence[ChangeLine]) -> list[_Target]:
    """One target per record; a record that the run wrote twice goes back to what it was before the first time."""
    found: dict[tuple[str, str], _Target] = {}
    for line in lines:
        target = found.setdefault(
            (line.object, line.kustomer_id), _Target(line.object, line.kustomer_id, line.sync, line.key)
        )
        for name, before, after in line.changes:
            first = target.fields[name][0] if name in target.fields else before
            target.fields[name] = (first, after)
    return list(found.values())


def _rows(targets: Sequence[_Target], created: Sequence[tuple[str, str, str | None]]) -> pd.DataFrame:
    lines: list[dict[str, str | None]] = []
    for target in targets:
        for name in target.fields:
            outcome, reason = target.outcomes.get(name, ("deferred", "not reached: the undo was stopped"))
            lines.append(
                dict(zip(COLUMNS, (target.sync, target.key, target.kustomer_id, name, outcome, reason), strict=True))
            )
    for sync, key, kustomer_id in created:
        line = (
            sync,
            key,
            kustomer_id,
            None,
            "created, not deleted",
            "the run created it: delete it by hand if need be",
        )
        lines.append(dict(zip(COLUMNS, line, strict=True)))
    return pd.DataFrame(lines, columns=list(COLUMNS)).astype("string")


def _require_roles(roles: Sequence[str], objects: set[Object]) -> None:
    nouns = {"customers": "customer", "companies": "company"}
    needed = ["bulk.read"] + [f"{nouns[object_]}.{verb}" for object_ in sorted(objects) for verb in ("read", "update")]
    missing = missing_roles(roles, needed)
    if missing:
        raise PermissionDeniedError(f"The API key lacks what an undo needs: {', '.join(missing)}. Nothing was sent.")


def _nothing(state: StateStore, org_id: str, run_id: str) -> str:
    if state.knows_run(org_id, run_id):
        return (
            f"Run {run_id} can't be undone: it changed nothing, or what it overwrote is no longer kept "
            "(KUSTOMER_UNDO_DAYS says for how many days it is)"
        )
    return (
        f"No run {run_id} has written to this org: the id is that of the Dagster run, in full, as the page of the "
        "run shows it, and the state must be the one that the run used"
    )


__all__ = ["UndoError", "UndoReport", "undo_run"]
