"""Who changed a record, and when (docs/kustomer.md section 10a).

record → GET /v1/audit-logs, one page, the newest first → AuditEntry…

Kustomer keeps entries for a while, and needs a role for them that a sync does not need.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .answers import text
from .calls import SINGULAR, Call
from .identifiers import ObjectName
from .paging import encode_query
from .records import attributes_of, data_items, related_id
from .session import Session

PATH = "/v1/audit-logs"
ACTION = "audit_logs.read"
_ENTRIES = 100  # of one record: enough to find who wrote a field last


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

    async def entries(self, object_name: ObjectName, kustomer_id: str) -> list[AuditEntry]:
        """The newest entries of a record, newest first. See KustomerClient.audit_log."""
        query = (
            ("filter[objectType]", SINGULAR[object_name]),
            ("filter[objectId]", kustomer_id),
            ("count", str(_ENTRIES)),
        )
        call = Call("GET", PATH + encode_query(query), PATH, ACTION, names=(kustomer_id,))
        items = await self._session.ask(call, data_items)
        of_record = (item for item in items if attributes_of(item).get("objectId") in (None, kustomer_id))
        entries = [parse_entry(item) for item in of_record]
        return sorted(entries, key=lambda entry: entry.at or "", reverse=True)


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
