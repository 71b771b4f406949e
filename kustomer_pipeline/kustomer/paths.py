"""A request's path as it may be shown: with nobody's identifier in it (law 10), whatever was asked for.

    /v1/customers/email=jane%40example.com   → template /v1/customers/email={email}   shown /v1/customers/email=…
    /v1/customers/5f1a…,5f1b…                → template /v1/customers/{ids}           shown /v1/customers/<2 ids>
    /v1/companies?externalId=A-17&page=2     → template /v1/companies                 shown …?externalId=…&page=2

Only what is known to be harmless is let through: the words of the routes, the ids of Kustomer's records and jobs, the
numbers of pages. A template has no ids either, so there are few of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_WORDS: Final = frozenset(
    {
        *("v1", "auth", "tokens", "current", "customers", "companies", "bulk", "batches", "search", "tags"),
        *("metadata", "customer", "company", "audit-logs"),
    }
)
_IDENTIFIERS: Final = ("email", "phone", "externalId")
_RECORD_ID = re.compile(r"[0-9a-f]{24}")
_BULK_ID = re.compile(r"[0-9a-fA-F-]{16,64}")
_HARMLESS_QUERY: Final = {
    "page": re.compile(r"[0-9]{1,9}"),
    "pageSize": re.compile(r"[0-9]{1,9}"),
    "deleted": re.compile(r"true|false"),
    "sort": re.compile(r"-?[A-Za-z]{1,30}"),
}
_NAMED_QUERY: Final = ("externalId", "filter")


def template_of(path: str) -> str:
    """The route of a path: the same for all records."""
    return "/".join(template for template, _ in _segments(path))


def shown_path(path: str) -> str:
    """The path with its query, identifiers left out."""
    _, question, query = path.partition("?")
    shown = "/".join(segment for _, segment in _segments(path))
    return f"{shown}?{'&'.join(map(_shown_parameter, query.split('&')))}" if question else shown


def _segments(path: str) -> Iterator[tuple[str, str]]:
    """Each segment as the template has it, and as it is shown."""
    before = ""
    for segment in path.partition("?")[0].split("/"):
        yield (segment, segment) if not segment or segment in _WORDS else _unknown(segment, before)
        before = segment


def _unknown(segment: str, before: str) -> tuple[str, str]:
    field, equals, _ = segment.partition("=")
    if equals and field in _IDENTIFIERS:
        return f"{field}={{{field}}}", f"{field}=…"
    if "," in segment:
        return "{ids}", f"<{segment.count(',') + 1} ids>"
    if before == "bulk":
        return "{bulk_id}", segment if _BULK_ID.fullmatch(segment) else "…"
    return "{id}", segment if _RECORD_ID.fullmatch(segment) else "…"


def _shown_parameter(parameter: str) -> str:
    name, _, value = parameter.partition("=")
    harmless = _HARMLESS_QUERY.get(name)
    if harmless is not None and harmless.fullmatch(value):
        return parameter
    return f"{name}=…" if harmless is not None or name in _NAMED_QUERY else "…"
