"""Who changed a record, and when (docs/kustomer.md section 10a).

record → GET /v1/audit-logs, one page, the newest first → AuditEntry…

Kustomer keeps entries for a while, and needs a role for them that a sync does not need. How its filters are spelled is
told in two ways: the one that is answered with entries of the record is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .answers import text
from .calls import SINGULAR, Call
from .errors import BadRequestError
from .identifiers import ObjectName
from .paging import encode_query
from .records import attributes_of, data_items, related_id
from .session import Session

PATH = "/v1/audit-logs"
ACTION = "audit_logs.read"
_ENTRIES = 100  # of one record: enough to find who wrote a field last
_SPELLINGS = ("filter[{}]", "{}")
_LAST = len(_SPELLINGS) - 1


@dataclass(frozen=True)
class AuditEntry:
    """One write of one record.

    at: ISO-8601, as Kustomer tells it. verb: create, update, delete or merge. user_type: user, machine or system.
    changes: attribute → (before, after); a custom attribute as `custom.<key>`, the company's id as `company`.
    """

    at: str | None
    verb: str | None
    user_id: str | None
    user_type: str | None
    changes: Mapping[str, tuple[Any, Any]]


class AuditLog:
    """Reads what is told of single records."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._spelling = 0  # the first that may work

    async def entries(self, object_name: ObjectName, kustomer_id: str) -> list[AuditEntry]:
        """The newest entries of a record, newest first. See KustomerClient.audit_log."""
        while True:
            number = self._spelling
            items = await self._ask(object_name, kustomer_id, number)
            own = [item for item in items or () if attributes_of(item).get("objectId") in (None, kustomer_id)]
            if own or items == [] or number == _LAST:
                entries = [parse_entry(item) for item in own]
                return sorted(entries, key=lambda entry: entry.at or "", reverse=True)
            # It was refused, or passed over: everybody's entries came.
            self._spelling = max(self._spelling, number + 1)

    async def _ask(self, object_name: ObjectName, kustomer_id: str, number: int) -> list[dict[str, Any]] | None:
        """One page; None where the question is refused and there is another way to put it."""
        query = (
            (_SPELLINGS[number].format("objectType"), SINGULAR[object_name]),
            (_SPELLINGS[number].format("objectId"), kustomer_id),
            ("count", str(_ENTRIES)),
        )
        call = Call("GET", PATH + encode_query(query), PATH, ACTION, names=(kustomer_id,))
        try:
            return await self._session.ask(call, data_items)
        except BadRequestError:
            if number == _LAST:
                raise
            return None


def parse_entry(item: dict[str, Any]) -> AuditEntry:
    """One entry; whatever is not as it is documented counts as not told."""
    attributes = attributes_of(item)
    name, verb = text(attributes.get("eventName")) or "", text(attributes.get("eventVerb"))
    return AuditEntry(
        at=text(attributes.get("createdAt")),
        verb=verb or name.rpartition(".")[2] or None,
        user_id=text(attributes.get("userId")) or related_id(item, "user"),
        user_type=text(attributes.get("userType")),
        changes=_changes(_mapping(attributes.get("changes"))),
    )


def _changes(told: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    found: dict[str, tuple[Any, Any]] = {}
    for name, change in (*_mapping(told.get("attributes")).items(), *_mapping(told.get("relationships")).items()):
        if not isinstance(change, Mapping):
            continue
        before, after = change.get("before"), change.get("after")
        if name == "custom":
            old, new = _mapping(before), _mapping(after)
            keys = [key for key in dict.fromkeys([*old, *new]) if old.get(key) != new.get(key)]
            found |= {f"custom.{key}": (old.get(key), new.get(key)) for key in keys}
        else:
            found[name] = (before, after)
    return found


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
