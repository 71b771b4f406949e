"""Small helpers for questions of another form than the client's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from kustomer_pipeline.kustomer import ObjectName, Record, identifiers
from kustomer_pipeline.kustomer.records import parse_record


def encoded(query: Mapping[str, str]) -> str:
    """A query string, every value percent-encoded."""
    return urlencode(query, quote_via=quote, safe="")


def meta_of(body: Any) -> Mapping[str, Any]:
    """The meta of an answer."""
    meta = body.get("meta") if isinstance(body, dict) else None
    return meta if isinstance(meta, dict) else {}


def parsed(name: ObjectName, items: Iterable[dict[str, Any]]) -> list[Record]:
    """Records of an answer."""
    return [parse_record(name, item) for item in items]


def latest(records: Sequence[Record]) -> list[Record]:
    """Those that changed last first: search forgets the others after two years."""
    return sorted(records, key=lambda record: str(record.attributes.get("updatedAt") or ""), reverse=True)


def values_of(records: Sequence[Record], field: str, count: int) -> list[str]:
    """Identifiers of some records, at most one each."""
    found = (next(iter(identifiers(record.attributes, field)), None) for record in records)
    return list(dict.fromkeys(value for value in found if value))[:count]
