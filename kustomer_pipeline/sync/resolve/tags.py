"""Tags by name. Kustomer reads names and shows ids; ids are written, so that a typo creates nothing.

A key that may not read the list of tags writes names instead (docs/kustomer.md section 6): which id a name has is then
learnt from the first answer that shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kustomer_pipeline.kustomer import ConfigurationError, KustomerClient, NotFoundError, PermissionDeniedError, Tag

from ..state import OrgState


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
    """Tag names of an object sync → ids: from one reading of the list of tags, else as they were learnt.

    org: keeps what was learnt, so that a name is written once and its id from then on.
    """

    def __init__(self, client: KustomerClient, org: OrgState) -> None:
        self.client = client
        self._org = org
        self._tags: list[Tag] | None = None
        self._readable = True
        self._learnt: dict[str, str | None] = {}

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
            return TagIds(tuple(dict.fromkeys(self._id_learnt(name) or name for name in names)))
        known = {tag.id for tag in self._tags}
        ids, unknown = [], []
        for name in names:
            tag = None if name in known else find_tag(self._tags, name)
            if tag is None and name not in known:
                unknown.append(name)
            else:
                ids.append(tag.id if tag else name)
        return TagIds(tuple(dict.fromkeys(ids)), tuple(unknown))

    def learn(self, sent: Sequence[str], shown: Sequence[str]) -> None:
        """A record was written with these tags, and its answer shows these: one name and one id too many belong
        together."""
        names = [tag for tag in sent if tag not in shown]
        ids = [tag for tag in shown if tag not in sent]
        if len(names) == 1 and len(ids) == 1:
            self._org.set_fact(_fact(names[0]), ids[0])
            self._learnt[names[0]] = ids[0]

    def _id_learnt(self, name: str) -> str | None:
        if name not in self._learnt:
            self._learnt[name] = self._org.fact(_fact(name))
        return self._learnt[name]


def _fact(name: str) -> str:
    return f"tag:{name.casefold()}"
