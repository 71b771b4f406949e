"""What search sees: the org's records as they were at some moment, found by their values.

The index is fed from the store's changes, at once or with a lag. For `equals` and `in` it looks values up;
everything else is a comparison record by record.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator
from typing import Any

from .records import Record
from .search_attributes import ATTRIBUTES
from .times import TWO_YEARS, iso

_WORD = re.compile(r"[^\W_]+")


_INDEXED = ("email", "shared_email", "phone", "name", "externalId", "shared_externalId", "tags", "companyId")


def words(text: str) -> list[str]:
    """The words of an analysed text: `Jane.Doe@x.com` has jane, doe, x and com."""
    return _WORD.findall(text.lower())


class SearchIndex:
    """The records of one kind as search sees them."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.records: dict[str, Record] = {}
        self._values: dict[tuple[str, Hashable], dict[str, None]] = {}
        self._words: dict[tuple[str, str], dict[str, None]] = {}

    def put(self, record: Record) -> None:
        """Take over the state of a record."""
        before = self.records.get(record.id)
        if before is not None:
            for index, key in self._keys(before):
                index[key].pop(record.id, None)
        self.records[record.id] = record
        for index, key in self._keys(record):
            index.setdefault(key, {})[record.id] = None

    def visible(self, ids: Iterable[str], now: float, *, archived: bool, deleted: bool) -> list[Record]:
        """Those that search shows: touched in the last two years (the others are in the archive), not deleted."""
        oldest = iso(now - TWO_YEARS)
        records = self.records
        return [
            record
            for record_id in ids
            if ((record := records[record_id]).attributes["updatedAt"] < oldest) == archived
            and (deleted or not record.attributes.get("deleted"))
        ]

    def equal(self, name: str, value: object, *, analysed: bool) -> Iterable[str] | None:
        """The ids of the records with this value (not to be changed), None if the attribute has no index.

        In an analysed attribute a record matches when it has all the words of the value: loosely, so to
        speak.
        """
        if name == "id":
            return [value] if isinstance(value, str) and value in self.records else []
        if name not in _INDEXED:
            return None
        if ATTRIBUTES[self.kind][name].type != "string":
            return self._values.get((name, value), {}) if isinstance(value, str) else []
        text = str(value)
        if not analysed:
            return self._values.get((name, text.lower()), {})
        sets = sorted((self._words.get((name, word), {}) for word in set(words(text))), key=len)
        if not sets:
            return []
        return [record_id for record_id in sets[0] if all(record_id in other for other in sets[1:])]

    def _keys(self, record: Record) -> Iterator[tuple[dict[Any, dict[str, None]], Hashable]]:
        for name in _INDEXED:
            found = ATTRIBUTES[self.kind].get(name)
            if found is None:
                continue
            for value in found.values(record):
                if found.type == "string":
                    yield self._values, (name, value.lower())
                    for word in set(words(value)):
                        yield self._words, (name, word)
                else:
                    yield self._values, (name, value)
