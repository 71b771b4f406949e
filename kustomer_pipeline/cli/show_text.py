"""What is known of a row, as people read it. Masked like everything else."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from kustomer_pipeline.components.one_row import Beside, FoundRows
from kustomer_pipeline.sync.state import KnownRow, Logged, Overwritten
from kustomer_pipeline.telemetry import RequestLine

from .known_row import KnownOfRow, LiveRecord
from .masks import Masks
from .terminal import Part, value_text
from .words import ago, next_command, shown_key

Line = tuple[Part, ...]

_REQUESTS = 20
_WOULD = {
    "create": "create its record",
    "update": "change its record",
    "tag": "tag its record",
    "untag": "take the tag from its record",
    "unchanged": "do nothing: the row is as it was when Kustomer took it",
    "skip": "skip it",
    "invalid": "not send it",
    "reject": "not send it",
    "defer": "leave it for the run after",
}
_STATUS = {
    "accepted": "Kustomer took it",
    "skipped": "it was skipped",
    "rejected": "it was refused by Kustomer, or nobody could say which record is meant",
    "invalid": "it was refused before anything was sent",
    "indeterminate": "it was sent, and nobody knows what became of it: the next run looks",
}


def row_as_text(known: KnownOfRow, options: argparse.Namespace) -> Iterator[Line]:
    """Its lines."""
    yield (f"{known.sync.name} {shown_key(known.key)}", "bold"), _found_by(known.found)
    yield ()
    yield from _in_warehouse(known)
    yield from _in_kustomer(known)
    yield from _remembered(known)
    yield from _log(known.log, known.now)
    yield from _overwritten(known.overwritten, known.now, known.masks)
    yield from _requests(known.requests)
    yield from _decision(known, options)


def _found_by(found: FoundRows | None) -> str:
    return f"  (found by its {found.by})" if found is not None and found.by is not None else ""


# --- the parts ----------------------------------------------------------------------------------------------------


def _in_warehouse(known: KnownOfRow) -> Iterator[Line]:
    found = known.found
    yield (("In the warehouse", "bold"),)
    if found is None:
        yield (f"  not read here: the asset {known.sync.source} makes the rows",)
    elif not found.positions:
        yield (f"  not among the {len(found.frame):,} rows of the query",)
    for number, position in enumerate(found.positions if found is not None else ()):
        assert found is not None
        if len(found.positions) > 1:
            yield (f"  row {position + 1}, {number + 1} of {len(found.positions)} with this key",)
        values = found.values(position).items()
        yield from _pairs([(column, value_text(known.masks.of_column(column, value))) for column, value in values])
        if reason := found.invalid(position):
            yield ("  invalid: ", "red"), reason
    yield ()


def _in_kustomer(known: KnownOfRow) -> Iterator[Line]:
    live = known.live
    yield (("In Kustomer", "bold"),)
    if live is None:
        yield ("  nobody knows of a record yet",)
    elif not live.there:
        yield (f"  the record {live.kustomer_id} is gone",)
    else:
        deleted = ("  deleted there", "red") if live.deleted else ""
        yield f"  record {live.kustomer_id}", deleted
        yield from _fields(live.fields, known.masks)
        if known.sync.tag_name is not None:
            has = {
                True: "holds the tag",
                False: "does not hold the tag",
                None: "whether it holds the tag is not known:",
            }
            yield (f"  {has[live.has_tag]} {known.sync.tag_name}",)
    yield ()


def _fields(fields: Sequence[Beside], masks: Masks) -> Iterator[Line]:
    if not fields:
        return
    lines = [(one, *_sides(one.field, one.ours, one.theirs, masks)) for one in fields]
    names = max(len(one.field) for one in fields)
    width = max(len("the row"), *(len(ours) for _, ours, _ in lines))
    yield ((f"  {'':<{names}}  {'the row':<{width}}  the record", "dim"),)
    for one, ours, theirs in lines:
        word = {True: "", False: "  differs", None: "  (not compared here)"}[one.same]
        yield f"  {one.field:<{names}}  {ours:<{width}}  {theirs}", (word, "yellow" if one.same is False else "dim")


def _remembered(known: KnownOfRow) -> Iterator[Line]:
    yield (("Remembered", "bold"),)
    if not known.remembered:
        yield ("  nothing: no run has settled it",)
    for one in known.remembered:
        yield from _one_remembered(one, known.now)
    yield ()


def _one_remembered(one: KnownRow, now: datetime) -> Iterator[Line]:
    row = one.row
    scope = f", for the tag {one.scope}" if one.scope else ""
    record = f", record {row.kustomer_id}" if row.kustomer_id else ""
    yield f"  {ago(one.updated_at, now)}, by {one.run_id}{scope}: {_STATUS[row.status]}{record}", ""
    if row.reason:
        yield (f"    {row.reason}",)
    if row.owned:
        yield ("    it holds the tag because of this sync",)
    if row.theirs:
        yield (f"    left to Kustomer, as it was changed there: {', '.join(sorted(row.theirs))}",)


def _log(log: Sequence[Logged], now: datetime) -> Iterator[Line]:
    if not log:
        return
    yield (("What became of it", "bold"),)
    for one in log:
        why = f": {one.reason}" if one.reason else ""
        yield f"  {ago(one.at, now):<15} {one.outcome}{why}", (f"  {one.run_id}", "dim")
    yield ()


def _overwritten(changes: Sequence[Overwritten], now: datetime, masks: Masks) -> Iterator[Line]:
    if not changes:
        return
    yield (("What was overwritten", "bold"),)
    for one in changes:
        yield f"  {ago(one.at, now):<15}", (f" {one.run_id}", "dim")
        for field, before, after in one.line.changes:
            yield (f"    {field}: {' → '.join(_sides(field, before, after, masks))}",)
    yield ()


def _requests(lines: Sequence[RequestLine]) -> Iterator[Line]:
    if not lines:
        return
    yield (("Requests about it", "bold"),)
    for one in lines[-_REQUESTS:]:
        became = one.error if one.status is None else str(one.status)
        yield f"  {one.at}  {one.method} {one.path}: {became}", (f"  {one.kind or ''} {one.run or ''}", "dim")
    if len(lines) > _REQUESTS:
        yield ((f"  … and {len(lines) - _REQUESTS:,} before them", "dim"),)
    yield ()


def _decision(known: KnownOfRow, options: argparse.Namespace) -> Iterator[Line]:
    decision = known.decision
    yield (("What a run would do now", "bold"),)
    if decision is None:
        yield (f"  {_without_row(known, options)}",)
        return
    yield (f"  {_WOULD[decision.action]}", "bold"), f": {decision.reason}" if decision.reason else ""
    if decision.changes is not None and decision.action in ("create", "update"):
        for field, before, after in decision.changes[["field", "before", "after"]].to_numpy():
            sides = _sides(field, before, after, known.masks)
            yield (f"    {field}: {sides[1] if decision.action == 'create' else ' → '.join(sides)}",)
    if _edited(known.live) and decision.action == "unchanged":
        key = known.key if shown_key(known.key) == known.key else "KEY"
        yield (
            "  What is different in Kustomer came later. A run looks at a row that has not changed only if told to: ",
            (next_command(options, "plan", known.sync.name, "--only-keys", key), "cyan"),
        )
    yield (
        (
            "  As planned for this row alone: every other row was left aside, so what a guard makes of all together is "
            "not in it.",
            "dim",
        ),
    )


def _without_row(known: KnownOfRow, options: argparse.Namespace) -> str:
    if known.found is None:
        return f"not known here: launch the job sync_{known.sync.name} in Dagster, or materialize its plan"
    if known.sync.spec.mode == "mirror":
        plan = next_command(options, "plan", known.sync.name)
        return (
            f"it is not in the query: a mirror takes its tag from members who left. Whether from this one, says {plan}"
        )
    return "nothing: it is not in the query, and what is not in the query is left as it is"


def _edited(live: LiveRecord | None) -> bool:
    return live is not None and (not live.there or live.deleted or any(one.same is False for one in live.fields))


def _pairs(pairs: Sequence[tuple[str, str]]) -> Iterator[Line]:
    width = max((len(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        yield (f"  {name:<{width}}  {value}",)


def _sides(field: str, one: Any, other: Any, masks: Masks) -> tuple[str, str]:
    """Two values of a field: each of a list of texts, anything else that is no text as JSON."""
    first, second = masks.pair(field, one, other)
    return _side(field, one, first, masks), _side(field, other, second, masks)


def _side(field: str, value: Any, text: str | None, masks: Masks) -> str:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return masks.items(field, value) or "none"
    return value_text(text)
