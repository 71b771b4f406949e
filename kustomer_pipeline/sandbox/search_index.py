"""What search sees: the org's records as they were at some moment, found by their values.

The index is fed from the store's changes, at once or with a lag. For `equals` and `in` it looks values up;
everything else is a comparison record by record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .custom import suffix_of
from .records import Record
from .times import TWO_YEARS, iso

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Attribute:
    """A searchable attribute: its type (docs/kustomer.md section 8) and its values in a record."""

    type: str
    """string (analysed), exact (not analysed), list, datetime, number, boolean."""
    values: Callable[[Record], Iterable[Any]]


def _items(name: str, key: str) -> Callable[[Record], Iterable[Any]]:
    return lambda record: [item[key] for item in record.attributes.get(name, ())]


def _plain(name: str) -> Callable[[Record], Iterable[Any]]:
    def values(record: Record) -> Iterable[Any]:
        value = record.attributes.get(name)
        if value is None:
            return ()
        return value if isinstance(value, list) else (value,)

    return values


def _custom(name: str) -> Callable[[Record], Iterable[Any]]:
    def values(record: Record) -> Iterable[Any]:
        value = record.attributes.get("custom", {}).get(name)
        if value is None:
            return ()
        return value if isinstance(value, list) else (value,)

    return values


def _id(record: Record) -> Iterable[Any]:
    return (record.id,)


def _company(record: Record) -> Iterable[Any]:
    return (record.company,) if record.company else ()


def _imported(record: Record) -> Iterable[Any]:
    return ("importedAt" in record.attributes,)


ATTRIBUTES: dict[str, dict[str, Attribute]] = {
    "customer": {
        "id": Attribute("exact", _id),
        "email": Attribute("string", _items("emails", "email")),
        "shared_email": Attribute("string", _items("sharedEmails", "email")),
        "phone": Attribute("string", _items("phones", "phone")),
        "name": Attribute("string", _plain("name")),
        "externalId": Attribute("exact", _items("externalIds", "externalId")),
        "shared_externalId": Attribute("exact", _items("sharedExternalIds", "externalId")),
        "tags": Attribute("list", _plain("tags")),
        "companyId": Attribute("exact", _company),
        "created_at": Attribute("datetime", _plain("createdAt")),
        "updated_at": Attribute("datetime", _plain("updatedAt")),
        "modified_at": Attribute("datetime", _plain("modifiedAt")),
        "imported": Attribute("boolean", _imported),
        "imported_at": Attribute("datetime", _plain("importedAt")),
    },
    "company": {
        "id": Attribute("exact", _id),
        "name": Attribute("string", _plain("name")),
        "tags": Attribute("list", _plain("tags")),
        "default_lang": Attribute("string", _plain("defaultLang")),
        "created_at": Attribute("datetime", _plain("createdAt")),
        "updated_at": Attribute("datetime", _plain("updatedAt")),
        "modified_at": Attribute("datetime", _plain("modifiedAt")),
        "imported": Attribute("boolean", _imported),
        "imported_at": Attribute("datetime", _plain("importedAt")),
    },
}
ARCHIVE_ATTRIBUTES = {"id", "email", "phone", "name", "externalId", "companyId", "created_at", "updated_at"}

_CUSTOM_TYPES = {
    "Str": "exact", "Txt": "string", "Num": "number", "At": "datetime", "Bool": "boolean", "Url": "exact",
    "Id": "exact", "Tree": "exact",
}  # fmt: skip
_INDEXED = ("email", "shared_email", "phone", "name", "externalId", "shared_externalId", "tags", "companyId")


def attribute(kind: str, name: str) -> Attribute | None:
    """The attribute `<kind>_<name>` of search; `custom_planStr` for a custom attribute. None if there is
    none.
    """
    if name.startswith("custom_"):
        suffix = suffix_of(name.removeprefix("custom_"))
        return Attribute(_CUSTOM_TYPES[suffix], _custom(name.removeprefix("custom_"))) if suffix else None
    return ATTRIBUTES[kind].get(name)


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
