"""Since when a record is as it is, and who made it so: from Kustomer's audit log, as far as the key may read it.

    findings, those changed last first → at most 50 requests → field → the writes of others since our last one

Whatever the log does not tell stays unknown, and nothing fails because of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kustomer_pipeline.kustomer import (
    AuditEntry,
    BadRequestError,
    KustomerClient,
    NotFoundError,
    ObjectName,
    PermissionDeniedError,
    UnexpectedAnswerError,
    roles_for,
)

from ..wording import quantity
from .values import AWAY, Author, Finding

LOOK_UPS = 50
ACTION = "audit_logs.read"
_ENDS = ("delete", "merge")


@dataclass(frozen=True)
class Told:
    """The findings with their authors. `notes`: why some have none."""

    findings: list[Finding]
    notes: tuple[str, ...] = ()


async def with_authors(client: KustomerClient, object_name: ObjectName, findings: Sequence[Finding]) -> Told:
    """Who changed what, for the first findings. Raises KustomerError when Kustomer cannot be asked any more."""
    if not findings:
        return Told([])
    if client.abilities.may(ACTION) is False:
        return Told(list(findings), (_LACKS,))
    asked = sorted(findings, key=_edited, reverse=True)[:LOOK_UPS]
    own = (await client.token()).user_id
    first = await _entries(client, object_name, asked[0])
    if first is None:
        return Told(list(findings), (_LACKS,))
    others = await asyncio.gather(*(_entries(client, object_name, one) for one in asked[1:]))
    logs = dict(zip([one.key for one in asked], [first, *(entries or [] for entries in others)], strict=True))
    told = [replace(one, authors=_authors(one, logs[one.key], own)) if one.key in logs else one for one in findings]
    beyond = len(findings) - len(asked)
    text = (
        f"Who changed them was asked for {LOOK_UPS} records, of {quantity(beyond, 'other', 'others')} it is not known"
    )
    return Told(told, (text,) if beyond else ())


_LACKS = (
    "Who changed them, and when, is not known: the API key lacks "
    f"{roles_for(ACTION)[0]} (GET /v1/audit-logs), or the org has no audit log."
)


async def _entries(client: KustomerClient, object_name: ObjectName, one: Finding) -> list[AuditEntry] | None:
    """None where the key may not read the log, or there is none; nothing where that of this record is not readable."""
    try:
        with client.about(lambda: [one.key]):
            return await client.audit_log(object_name, one.kustomer_id)
    except (PermissionDeniedError, NotFoundError):
        return None
    except (BadRequestError, UnexpectedAnswerError):
        return []


def _edited(one: Finding) -> str:
    """Records that are gone come first: how long ago they went is not known."""
    return "~" if one.what in AWAY else edited_at(one) or ""


def edited_at(one: Finding) -> str | None:
    """When anybody last edited the record, as it says itself."""
    moment = one.live.attributes.get("modifiedAt") if one.live is not None else None
    return moment if isinstance(moment, str) else None


def _authors(one: Finding, entries: Sequence[AuditEntry], own: str | None) -> tuple[tuple[str | None, Author], ...]:
    if one.what in AWAY:
        end = next((entry for entry in entries if entry.verb in _ENDS), None)
        return ((None, Author(end.at, _who(end, own))),) if end is not None else ()
    fields: list[str | None] = [*(change.field for change in one.changes)] or [None]
    return tuple((field, author) for field in fields if (author := _author(field, entries, own)) is not None)


def _author(field: str | None, entries: Sequence[AuditEntry], own: str | None) -> Author | None:
    """Since when: the first write of it by others after our last one. By whom: the newest write of it."""
    writes = [entry for entry in entries if entry.verb != "create" and (field is None or field in entry.changes)]
    if not writes:
        return None
    since = writes[0]
    for entry in writes:
        if own is not None and entry.user_id == own:
            break
        since = entry
    return Author(since.at, _who(writes[0], own))


def _who(entry: AuditEntry, own: str | None) -> str:
    if entry.user_id is None or entry.user_type == "system":
        return "workflow"
    if entry.user_id == own:
        return f"this key {entry.user_id}"
    return f"{'other key' if entry.user_type == 'machine' else 'agent'} {entry.user_id}"
