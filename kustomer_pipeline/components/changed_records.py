"""The changes of a plan as lines of records: one line a record, with what changes in it, as it may be shown.

lines of a plan (a line per field) → the first records of an action → RecordLine(row, record, field: before → after …)
                                   → how many records change in which field
"""

import re
from dataclasses import dataclass

import pandas as pd

from kustomer_pipeline.resources import show_values
from kustomer_pipeline.sync import Plan

MOST_FIELDS = 12  # of a record; what else changes in it is counted
ARROW = "→"
_WORD = 20  # characters that stay in one piece
_ENDS_OF_WORDS = re.compile(r"(?<=\.)|(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class FieldLine:
    """A field of a record: before and after, as they may be shown (None: nothing)."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class RecordLine:
    """A record that would be written. key: of its row, as it may be shown; kustomer_id: None for one that is new.

    fields: those that change in most records first; more: how many further ones are not among them.
    """

    key: str
    action: str
    kustomer_id: str | None
    fields: tuple[FieldLine, ...]
    more: int


def records_of(plan: Plan, lines: pd.DataFrame, most: int) -> list[RecordLine]:
    """The first records of some lines of a plan that are of one action."""
    rank = {field: number for number, field in enumerate(lines["field"].value_counts().index)}
    keys = lines["key"].drop_duplicates().head(most)
    shown = lines[lines["key"].isin(keys)]
    masked = plan.masked(shown, show_values=show_values())
    masked = masked.assign(_record=pd.factorize(shown["key"])[0], _rank=shown["field"].map(rank).to_numpy())
    masked = masked.sort_values(["_record", "_rank"], kind="stable")
    return [_record(lines) for _, lines in masked.groupby("_record", sort=False)]


def fields_changed(plan: Plan) -> list[tuple[str, dict[str, int]]]:
    """Of how many records each field would change, by action: the most often updated first. Tags have no fields."""
    lines = plan.changes[plan.changes["action"].isin(["create", "update"])]
    counts = lines.groupby(["field", "action"], sort=False).size()
    found: dict[str, dict[str, int]] = {}
    for field, action, count in counts.reset_index(name="records").to_numpy().tolist():
        found.setdefault(field, {})[action] = int(count)
    return sorted(found.items(), key=lambda one: (-one[1].get("update", 0), -one[1].get("create", 0)))


def in_words(line: RecordLine) -> str:
    """What would be done with a record, as plain text for a narrow column."""
    if line.action != "update":
        return line.action
    parts = [f"{_breakable(one.field)}: {_word(one.before)} {ARROW} {_word(one.after)}" for one in line.fields]
    return "; ".join([*parts, *([f"… and {line.more} more"] if line.more else [])])


def _word(value: str | None) -> str:
    return "nothing" if value is None else value


def _breakable(name: str) -> str:
    """A long name with places where a line may end: one long word would make a table wider than its place."""
    return name if len(name) <= _WORD else _ENDS_OF_WORDS.sub("\u200b", name)


def _record(lines: pd.DataFrame) -> RecordLine:
    key, action, kustomer_id = (_plain(lines[name].iloc[0]) for name in ("key", "action", "kustomer_id"))
    values = lines[["field", "before", "after"]].head(MOST_FIELDS).to_numpy().tolist()
    fields = tuple(FieldLine(str(field), _plain(before), _plain(after)) for field, before, after in values)
    return RecordLine(str(key), str(action), kustomer_id, fields, max(0, len(lines) - MOST_FIELDS))


def _plain(value: object) -> str | None:
    return value if isinstance(value, str) else None
