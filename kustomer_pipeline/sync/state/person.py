"""A person who is to be forgotten, as far as is known who that is in the state, in Kustomer and in the warehouse."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from kustomer_pipeline.kustomer import ObjectName

from .parts import whole_name

ANY_SYNC = "*"  # in place of a sync's name: a key that is an address or a number is the person's wherever it is
_NOBODY = "(forgotten)"
_SEARCHED = ("email", "phone")  # what is looked for inside of other values too; an externalId may be "7"


@dataclass(frozen=True)
class Person:
    """identifiers: (field, canonical value). keys: (sync, key) of rows. ids: of records in Kustomer."""

    object_name: ObjectName
    identifiers: frozenset[tuple[str, str]] = frozenset()
    keys: frozenset[tuple[str, str]] = frozenset()
    ids: frozenset[str] = frozenset()

    def known_as(
        self,
        *,
        identifiers: Iterable[tuple[str, str]] = (),
        keys: Iterable[tuple[str, str]] = (),
        ids: Iterable[str] = (),
    ) -> Person:
        """The same person, of whom more is known."""
        return replace(
            self,
            identifiers=self.identifiers.union(identifiers),
            keys=self.keys.union(keys),
            ids=self.ids.union(ids),
        )

    def has_row(self, sync: str, key: str) -> bool:
        """Whether this row is the person's; a part of a sync (parts.py) is the sync."""
        return (whole_name(sync), key) in self.keys or (ANY_SYNC, key) in self.keys

    @property
    def texts(self) -> frozenset[str]:
        """What a text that mentions the person has in it: addresses, phone numbers, Kustomer ids."""
        return self.ids | {value for field, value in self.identifiers if field in _SEARCHED}

    @property
    def row_keys(self) -> frozenset[str]:
        """The keys, of whatever sync."""
        return frozenset(key for _, key in self.keys)

    def without_name(self, reason: str) -> str:
        """A reason for another row, without this person's in it: reasons name rows by key, and records by id."""
        return self._naming.sub(_NOBODY, reason)

    @cached_property
    def _naming(self) -> re.Pattern[str]:
        """Addresses, numbers and ids wherever they are; a key, which may be "7", only where rows are listed."""
        texts, keys = _any_of(self.texts), _any_of(self.row_keys)
        before, after = "(?:(?<=row )|(?<=row key )|(?<=, ))", r"(?![^\s,;])"
        return re.compile(f"(?i:{texts})|{before}(?:{keys}){after}")


def _any_of(texts: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(texts, key=len, reverse=True))) or "(?!)"
