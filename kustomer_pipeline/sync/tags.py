"""Tags by name. Kustomer reads names and shows ids; only ids are written, so that a typo creates nothing.

docs/kustomer.md section 6.
"""

from __future__ import annotations

from collections.abc import Sequence

from kustomer_pipeline.kustomer import ConfigurationError, KustomerClient, Tag


def find_tag(tags: Sequence[Tag], name: str) -> Tag | None:
    """The tag of that name: exactly, else in another case. Raises ConfigurationError if several differ in case only."""
    living = [tag for tag in tags if not tag.deleted]
    exact = [tag for tag in living if tag.name == name]
    alike = exact or [tag for tag in living if tag.name.casefold() == name.casefold()]
    if len(alike) > 1:
        names = ", ".join(f"{tag.name} ({tag.id})" for tag in alike)
        raise ConfigurationError(f"Kustomer has several tags called {name!r}: {names}. Rename all but one.")
    return alike[0] if alike else None


class TagNames:
    """Tag names of an object sync → ids, from one reading of the list of tags."""

    def __init__(self, client: KustomerClient) -> None:
        self.client = client
        self._tags: list[Tag] | None = None

    def ids_of(self, names: Sequence[str]) -> tuple[list[str], list[str]]:
        """Ids of the names that are tags (or ids of tags), and the names that are none. Raises KustomerError."""
        if self._tags is None:
            self._tags = self.client.tags()
        known = {tag.id for tag in self._tags}
        ids, unknown = [], []
        for name in names:
            tag = None if name in known else find_tag(self._tags, name)
            if tag is None and name not in known:
                unknown.append(name)
            else:
                ids.append(tag.id if tag else name)
        return list(dict.fromkeys(ids)), unknown
