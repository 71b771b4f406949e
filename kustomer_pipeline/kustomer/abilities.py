"""What key and org can do: found out per capability, never demanded.

    roles of the key (where they tell) + what Kustomer allowed and refused at run time → may(action)

A key with only the four roles to read and write customers and companies can do everything, one record at a time; the
other roles make it cheaper, and `lines` says so to a person.
"""

from __future__ import annotations

from .calls import SINGULAR
from .identifiers import ObjectName
from .roles import allowed_by, roles_for

_COSTS = {
    "bulk.read": (
        "bulk jobs, so records are written one by one: about 1 request for each new and 2 for each existing record, "
        "where bulk jobs need 3 to 5 for a hundred"
    ),
    "search": (
        "search, so records are looked up one by one or found in the list of all: 1 request for each identifier, where "
        "a search finds 20 and more"
    ),
    "tag.read": (
        "the list of tags, so tags are written by name and their ids learnt from the answers; members that search "
        "would find by the tag's id are not known before"
    ),
}


class Abilities:
    """What is known of the key. `may` gives None where nothing is."""

    def __init__(self) -> None:
        self._roles: tuple[str, ...] = ()
        self._met: dict[str, bool] = {}

    def of_roles(self, roles: tuple[str, ...]) -> None:
        """The roles that Kustomer lists for the key."""
        self._roles = roles

    def note(self, action: str, allowed: bool) -> None:
        """Kustomer allowed or refused an action just now, which counts more than any list of roles."""
        self._met[action] = allowed

    def may(self, action: str) -> bool | None:
        """Whether the key may do this, in the words of roles.py: customer.create, bulk.read, search, tag.read, …"""
        met = self._met.get(action)
        return allowed_by(self._roles, action) if met is None else met

    def bulk(self, object_name: ObjectName) -> bool:
        """Whether bulk jobs for these records can be handed in and followed; False only when that is surely not so."""
        one = SINGULAR[object_name]
        return all(
            self.may(action) is not False for action in ("bulk.read", f"bulk.{one}.create", f"bulk.{one}.update")
        )

    @property
    def search(self) -> bool:
        """Whether to search; False only when the role is surely missing."""
        return self.may("search") is not False

    @property
    def tags_readable(self) -> bool | None:
        """Whether the key may list the tags; None when that is not known (no role for it is documented)."""
        return self.may("tag.read")

    def lines(self) -> list[str]:
        """What the key may not do, what that costs and which role would change it: a sentence each, for a person."""
        return [
            f"The API key may not use {cost}. The role {roles_for(action)[0]} would change that."
            for action, cost in _COSTS.items()
            if self.may(action) is False
        ]
