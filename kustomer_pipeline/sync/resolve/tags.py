"""Tags by name. Kustomer reads names and shows ids; ids are written, so that a typo creates nothing.

A key that may not read the list of tags writes names instead (docs/kustomer.md section 6): which id a name has is then
learnt from the first answer that shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kustomer_pipeline.kustomer import ConfigurationError, KustomerClient, NotFoundError, PermissionDeniedError, Tag


def find_tag(tags: Sequence[Tag], name: str) -> Tag | None:
    """The tag of that name: exactly, else in another case. Raises ConfigurationError if several differ in case only."""
    living = [tag for tag in tags if not tag.deleted]
    exact = [tag for tag in living if tag.name == name]
    alike = exact or [tag for tag in living if tag.name.casefold() == name.casefold()]
    if len(alike) > 1:
        names = ", ".join(f"{tag.name} ({tag.id})" for tag in alike)
        raise ConfigurationError(f"Kustomer has several tags called {name!r}: {names}. Rename all but one.")
    return alike[0] if alike else None


@dataclass(frozen=True)
class TagIds:
    """The tags of one row: what to write, and the names that are no tags."""

    ids: tuple[str, ...]
    unknown: tuple[str, ...] = ()


class TagNames:
    """Tag names of an object sync → ids, from one reading of the list of tags."""

    def __init__(self, client: KustomerClient) -> None:
        self.client = client
        self._tags: list[Tag] | None = None
        self._readable = True

    async def load(self) -> None:
        """Read the list, once. Raises KustomerError, but not because the key may not read tags."""
        if self._tags is not None or not self._readable:
            return
        try:
            self._tags = await self.client.tags()
        except (PermissionDeniedError, NotFoundError):
            self._readable = False

    def ids_of(self, names: Sequence[str]) -> TagIds:
        """Ids of the names that are tags (or ids of tags), and the names that are none; names where nobody can tell."""
        if self._tags is None:
            return TagIds(tuple(dict.fromkeys(names)))
        known = {tag.id for tag in self._tags}
        ids, unknown = [], []
        for name in names:
            tag = None if name in known else find_tag(self._tags, name)
            if tag is None and name not in known:
                unknown.append(name)
            else:
                ids.append(tag.id if tag else name)
        return TagIds(tuple(dict.fromkeys(ids)), tuple(unknown))
