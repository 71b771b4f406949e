"""Who holds a tag, who belongs to a company: counted once, then kept up with the org by what its audit log has anew."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import takewhile

from ..audit import KEPT_ENTRIES
from ..records import Record
from ..store import Store

Ids = dict[str, None]
"""Ids of records that are not deleted, those that came last at the end."""

_EVER = 0.0
"""A time at which no entry of the audit log has expired yet."""


@dataclass(frozen=True)
class Holders:
    """The records behind each tag and each company."""

    by_tag: dict[str, dict[str, Ids]] = field(
        default_factory=lambda: {"customer": defaultdict(dict), "company": defaultdict(dict)}
    )
    """Kind → tag id → the records that hold it."""
    by_company: dict[str, Ids] = field(default_factory=lambda: defaultdict(dict))
    """Company id → its customers."""

    def of_tag(self, kind: str, tag_id: str) -> Ids:
        """The records of this kind that hold the tag."""
        return self.by_tag[kind].get(tag_id, {})

    def of_company(self, company_id: str) -> Ids:
        """The customers of the company."""
        return self.by_company.get(company_id, {})

    def add(self, record: Record) -> None:
        """Take over a state of a record."""
        if not record.deleted:
            for tag_id in record.attributes.get("tags", ()):
                self.by_tag[record.kind][tag_id][record.id] = None
            if record.company is not None:
                self.by_company[record.company][record.id] = None

    def remove(self, record: Record) -> None:
        """Forget a state of a record."""
        for tag_id in record.attributes.get("tags", ()):
            self.by_tag[record.kind][tag_id].pop(record.id, None)
        if record.company is not None:
            self.by_company[record.company].pop(record.id, None)


class HoldersBook:
    """The holders as of the last change of the org. A pass over all records is made only when more has changed since
    than the audit log keeps.
    """

    def __init__(self) -> None:
        self._number = 0
        self._holders = Holders()

    def of(self, store: Store) -> Holders:
        """The holders as they are now; the caller has the org's lock."""
        known = self._number
        newest = next(store.audit.newest_first(_EVER), None)
        self._number = newest.number if newest else 0
        if self._number - known >= KEPT_ENTRIES:
            self._holders = _counted(store)
            return self._holders
        new = list(takewhile(lambda entry: entry.number > known, store.audit.newest_first(_EVER)))
        for entry in reversed(new):
            if entry.after.kind in self._holders.by_tag:
                if entry.before is not None:
                    self._holders.remove(entry.before)
                self._holders.add(entry.after)
        return self._holders


def _counted(store: Store) -> Holders:
    """All of them anew. Lists first, as they grow several times faster than dictionaries."""
    tags: dict[str, dict[str, list[str]]] = {"customer": defaultdict(list), "company": defaultdict(list)}
    companies: dict[str, list[str]] = defaultdict(list)
    for kind, by_tag in tags.items():
        records = store.records[kind]
        for record_id in store.live[kind]:
            record = records[record_id]
            for tag_id in record.attributes.get("tags", ()):
                by_tag[tag_id].append(record_id)
            if record.company is not None:
                companies[record.company].append(record_id)
    return Holders({kind: _ids(by_tag) for kind, by_tag in tags.items()}, _ids(companies))


def _ids(found: dict[str, list[str]]) -> dict[str, Ids]:
    return defaultdict(dict, {name: dict.fromkeys(ids) for name, ids in found.items()})
