"""Who changed what: every write of a customer, a company or a tag, newest last (docs/kustomer.md section 10a).

An entry holds the states of the record before and after the write, which the store made anyway: nothing is copied, and
what differs is worked out when somebody asks. Only the last entries are kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .records import Json, Record

KEPT_ENTRIES = 50_000
SECONDS_TO_EXPIRY = 90 * 86400.0
ACTIVITY = "activity"
"""The verb of a write that nobody made: a message came in, say."""

# They change with every write, and say nothing about it.
_STAMPS = {"updatedAt", "modifiedAt", "rev"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One write."""

    number: int
    before: Record | None
    after: Record
    said: str | None
    """What it was, where the two states do not tell: "merge" or ACTIVITY."""

    @property
    def id(self) -> str:
        """24 hexadecimal digits that grow from entry to entry."""
        return f"{int(self.after.at) & 0xFFFFFFFF:08x}{self.number:016x}"

    @property
    def verb(self) -> str:
        """create, update, delete or merge."""
        if self.said is not None:
            return "update" if self.said == ACTIVITY else self.said
        if self.before is None:
            return "create"
        return "delete" if self.after.deleted and not self.before.deleted else "update"

    @property
    def user_id(self) -> str | None:
        """Who did it; None for the system."""
        return None if self.said == ACTIVITY else self.after.modified_by

    def changes(self) -> Json:
        """What differs: {attributes, relationships}, each name with what was before and what is after."""
        old = self.before.attributes if self.before else {}
        company = self.before.company if self.before else None
        return {
            "attributes": _differences(old, self.after.attributes),
            "relationships": _differences({"company": company}, {"company": self.after.company}),
        }


def _differences(old: Json, new: Json) -> Json:
    names = [name for name in dict.fromkeys([*old, *new]) if name not in _STAMPS and old.get(name) != new.get(name)]
    return {name: {"before": old.get(name), "after": new.get(name)} for name in names}


class AuditLog:
    """The last writes of an org."""

    def __init__(self) -> None:
        self._writes: deque[tuple[int, Record | None, Record, str | None]] = deque(maxlen=KEPT_ENTRIES)
        self._number = 0

    def add(self, before: Record | None, after: Record, said: str | None = None) -> None:
        """Note a write."""
        self._number += 1
        self._writes.append((self._number, before, after, said))

    def newest_first(self, now: float) -> Iterator[Entry]:
        """The entries that have not expired."""
        for write in reversed(self._writes):
            if write[2].at + SECONDS_TO_EXPIRY > now:
                yield Entry(*write)


def number_of(entry_id: str) -> int:
    """The place of an entry in the log by its id (24 hexadecimal digits), whether it is still there or not."""
    return int(entry_id[8:], 16)


def tag_state(tag_id: str, name: str, color: str | None, *, deleted: bool, by: str, now: float) -> Record:
    """A tag as the log keeps it."""
    attributes: dict[str, Any] = {"name": name, "color": color, "deleted": deleted}
    return Record("tag", tag_id, attributes, None, by, by, now)
