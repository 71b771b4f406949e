"""Customers and companies as Kustomer returns them (docs/kustomer.md sections 4.5 and 5).

Lenient in form: attributes nested or flat, null or absent, an object or a list. Strict in meaning: what a
record is identified by is read from its own lists, never taken from the question that was asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .answers import text
from .errors import UnexpectedAnswerError
from .identifiers import ObjectName

_RELATED_LINK = re.compile(r"/v1/(?:companies|orgs)/([^/?#]+)")
_ENVELOPE = frozenset({"id", "type", "attributes", "relationships", "links", "meta"})


@dataclass(frozen=True)
class Record:
    """A live record. `attributes` are Kustomer's own, as they came; `company_id` is None where no company is linked."""

    object_name: ObjectName
    id: str
    attributes: dict[str, Any]
    company_id: str | None
    rev: int | float | None
    deleted: bool


def data_items(body: Any) -> list[dict[str, Any]]:
    """The resources in an answer: a list at the top, or `data` with a list, one object or nothing.

    Raises UnexpectedAnswerError for anything else. Bare ids in a list are left out.
    """
    if isinstance(body, list):
        found: Any = body
    elif isinstance(body, dict):
        if "data" not in body and "id" not in body:
            raise UnexpectedAnswerError("the answer has no data")
        found = body.get("data") if "data" in body else body
    else:
        raise UnexpectedAnswerError("the answer is neither an object nor a list")
    if found is None:
        return []
    if isinstance(found, dict):
        return [found]
    if isinstance(found, list):
        return [item for item in found if isinstance(item, dict)]
    raise UnexpectedAnswerError("the data of the answer is neither an object nor a list")


def attributes_of(item: dict[str, Any]) -> dict[str, Any]:
    """The attributes of a resource, nested or flat."""
    nested = item.get("attributes")
    if isinstance(nested, dict):
        return nested
    return {key: value for key, value in item.items() if key not in _ENVELOPE}


def related_id(item: dict[str, Any], name: str) -> str | None:
    """The id of a related resource, from its data, or from its link where there is no data."""
    relationships = item.get("relationships")
    related = relationships.get(name) if isinstance(relationships, dict) else None
    if not isinstance(related, dict):
        return None
    if "data" in related:
        data = related["data"]
        return text(data.get("id")) if isinstance(data, dict) else None
    links = related.get("links")
    link = links.get("self") if isinstance(links, dict) else None
    found = _RELATED_LINK.fullmatch(link) if isinstance(link, str) else None
    return found[1] if found else None


def parse_record(object_name: ObjectName, item: dict[str, Any]) -> Record:
    """One record. Raises UnexpectedAnswerError if it has no id."""
    record_id = text(item.get("id"))
    if record_id is None:
        raise UnexpectedAnswerError(f"the answer holds one of the {object_name} without an id")
    attributes = attributes_of(item)
    if "extenalId" in attributes and "externalId" not in attributes:  # so spelled for companies, docs section 5
        attributes = {**attributes, "externalId": attributes["extenalId"]}
    return Record(
        object_name=object_name,
        id=record_id,
        attributes=attributes,
        company_id=related_id(item, "company") or _company_attribute(attributes),
        rev=_number(attributes.get("rev", item.get("rev"))),
        deleted=is_deleted(attributes),
    )


def parse_records(object_name: ObjectName, body: Any) -> list[Record]:
    """All records of an answer, deleted ones included."""
    return [parse_record(object_name, item) for item in data_items(body)]


def is_deleted(attributes: dict[str, Any]) -> bool:
    """Deleted things stay readable for a while."""
    deleted = attributes.get("deleted")
    return deleted is True if isinstance(deleted, bool) else bool(attributes.get("deletedAt"))


def _company_attribute(attributes: dict[str, Any]) -> str | None:
    company = attributes.get("company")
    return text(company.get("id") if isinstance(company, dict) else company)


def _number(value: Any) -> int | float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
