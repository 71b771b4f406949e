"""Where identifiers are, from a walk through the whole list: the live database itself, both ways a proof."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from kustomer_pipeline.kustomer import KustomerClient, ObjectName, Record, identifiers

from ..identifier_set import IdentifierSet


class WholeList:
    """The list of all records, read once when it is first needed. Only where the wanted identifiers are is kept."""

    def __init__(
        self,
        client: KustomerClient,
        object_name: ObjectName,
        fields: Sequence[str],
        wanted: Callable[[], IdentifierSet],
    ) -> None:
        self.complete = False
        self._client = client
        self._object_name: ObjectName = object_name
        self._fields = fields
        self._wanted = wanted
        self._ids: dict[tuple[str, str], list[str]] | None = None
        self._reading = asyncio.Lock()

    @property
    def was_read(self) -> bool:
        """Whether it is known by now."""
        return self._ids is not None

    def ids_with(self, identifiers_of: Callable[[str], Sequence[str]]) -> set[str]:
        """The records that have any of these identifiers, given by field."""
        known = self._ids or {}
        return {
            id_ for field in self._fields for value in identifiers_of(field) for id_ in known.get((field, value), ())
        }

    async def read(self) -> None:
        """Walk through it, unless that is done. Raises KustomerError."""
        async with self._reading:
            if self._ids is None:
                self._ids = await self._walk()

    async def _walk(self) -> dict[tuple[str, str], list[str]]:
        wanted = self._wanted()
        found: dict[tuple[str, str], list[str]] = {}

        def note(record: Record) -> bool:
            for field in self._fields:
                for value in identifiers(record.attributes, field):
                    if wanted.has(field, value):
                        found.setdefault((field, value), []).append(record.id)
            return False  # where it is, is all that is kept of it

        walk = await self._client.walk(self._object_name, keep=note)
        self.complete = walk.complete
        return found
