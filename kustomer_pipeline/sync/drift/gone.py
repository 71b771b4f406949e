"""Records that are not there any more: deleted, or merged into another one.

    row's identifiers → search with includeDeleted → that it was deleted
                      → search, and path look-ups for the first ones → who has its identifiers now

Kustomer does not say that a record was merged. Whoever has the identifiers of one that is gone counts as what became of
it, here as in the rest of the engine; nobody can be told from search alone, which lags and forgets.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from kustomer_pipeline.kustomer import BadRequestError, KustomerClient, ObjectName, Record

from .values import AWAY, Finding, What

LOOK_UPS = 50  # records whose identifiers are looked up by path in one look for drift


async def what_became(
    client: KustomerClient, object_name: ObjectName, match_on: Sequence[str], findings: Sequence[Finding]
) -> list[Finding]:
    """The findings, those of records that are gone with what became of each. Raises KustomerError."""
    gone = [one for one in findings if one.what in AWAY]
    if not gone:
        return list(findings)
    deleted = {one.kustomer_id for one in gone if one.what is What.DELETED}
    for field in match_on:
        deleted |= await _deleted_with(client, object_name, field, _keys_by_value(gone, field))
    found = await asyncio.gather(*(_holder(client, object_name, match_on, one) for one in gone[:LOOK_UPS]))
    became = {one.key: record.id for one, record in zip(gone, found, strict=False) if record is not None}
    told = {one.key: _told(one, one.kustomer_id in deleted, became.get(one.key)) for one in gone}
    return [told.get(one.key, one) for one in findings]


async def _deleted_with(
    client: KustomerClient, object_name: ObjectName, field: str, held: Mapping[str, Sequence[str]]
) -> set[str]:
    """Ids of deleted records that have one of these values. held: value → keys of the rows that have it."""
    with client.about(lambda: held):
        records = await client.search_with_deleted(object_name, field, list(held))
    return {record.id for record in records if record.deleted}


def _told(one: Finding, deleted: bool, became: str | None) -> Finding:
    what = What.MERGED if became is not None else What.DELETED if deleted else What.GONE
    return replace(one, what=what, became=became)


def _keys_by_value(gone: Sequence[Finding], field: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for one in gone:
        for value in one.case.identifiers(field):
            found[value].append(one.key)
    return found


async def _holder(
    client: KustomerClient, object_name: ObjectName, match_on: Sequence[str], one: Finding
) -> Record | None:
    """Who has an identifier of the row now, by the sure way. A name is shared by many, and tells nothing."""
    with client.about(lambda: [one.key]):
        for field in match_on:
            for value in one.case.identifiers(field) if field != "name" else ():
                try:
                    held = await client.look_up(object_name, field, value)
                except BadRequestError:
                    continue
                for record in held:
                    if record.id != one.kustomer_id:
                        return record
    return None
