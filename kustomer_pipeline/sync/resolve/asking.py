"""What Kustomer is asked about rows: each question knows whose it is, so that a request can be told by its rows.

rows + ids, values → client.about(id or value → row keys) → the client
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from kustomer_pipeline.kustomer import KustomerClient, ObjectName, Record

from ..rows import Case

KeysOf = Callable[[Case], Sequence[str]]


def own_key(case: Case) -> Sequence[str]:
    """As a rule a case stands for its own row."""
    return (case.key,)


def grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Names with their keys → name → its keys."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, key in pairs:
        found[name].append(key)
    return found


class Asking:
    """Asks for the records of rows. `keys_of`: the keys of the rows that a case stands for."""

    def __init__(self, client: KustomerClient, object_name: ObjectName, keys_of: KeysOf) -> None:
        self._client = client
        self._object_name: ObjectName = object_name
        self._keys_of = keys_of

    async def records(self, wanted: Sequence[tuple[Case, Collection[str]]]) -> dict[str, Record]:
        """The live records with these ids. Raises KustomerError."""
        ids = sorted({id_ for _, each in wanted for id_ in each})
        with self._client.about(lambda: self._keys_by_name(wanted)):
            return await self._client.get_many(self._object_name, ids) if ids else {}

    async def search(self, field: str, cases: Sequence[Case]) -> dict[str, list[Record]]:
        """Value → the live records that hold it, as search knows them. Raises KustomerError."""
        values = list(dict.fromkeys(value for case in cases for value in case.identifiers(field)))
        with self._client.about(lambda: self._keys_by_name((case, case.identifiers(field)) for case in cases)):
            return await self._client.search(self._object_name, field, values) if values else {}

    async def look_up(self, case: Case, field: str, value: str) -> list[Record]:
        """The live records that hold this identifier of a row. Raises KustomerError."""
        with self._client.about(lambda: self._keys_of(case)):
            return await self._client.look_up(self._object_name, field, value)

    def _keys_by_name(self, asked: Iterable[tuple[Case, Collection[str]]]) -> Mapping[str, Sequence[str]]:
        return grouped((name, key) for case, names in asked for name in names for key in self._keys_of(case))
