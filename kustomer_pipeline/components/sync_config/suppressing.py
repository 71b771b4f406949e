"""Whose rows a sync leaves out: a list that is a query of its own."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from typing import Any

from pydantic import Field

from kustomer_pipeline.mapping import MATCH_ON, FieldConfigError, field_type

from .parts import Attributes
from .problems import Problem, did_you_mean, listed


class Suppress(Attributes):
    """People whose rows are skipped."""

    query: str = Field(
        min_length=1,
        description="The SQL that returns one identifier a row, of everybody whose rows are left out; nulls count for "
        "nothing. It is asked in each run, before anything is sent; when it fails, the run does.",
        examples=["select email from privacy.erasures"],
    )
    match_on: str = Field(
        description="What it returns: customers: externalId, email or phone. companies: externalId or name."
    )


def suppress_problems(listing: Suppress | None, kind: str, fields: Mapping[str, Any]) -> Iterator[Problem]:
    """What nobody could be recognised by."""
    if listing is None:
        return
    known: Collection[str] = MATCH_ON[kind]
    where = ("suppress", "match_on")
    if not listing.query.strip():
        yield Problem(("suppress", "query"), "the query is empty")
    if listing.match_on not in known:
        hint = did_you_mean(listing.match_on, known)
        yield Problem(where, f"{listing.match_on!r} is not allowed; {kind} are recognised by {listed(known)}.{hint}")
    elif not any(_is(kind, field, listing.match_on) for field in fields):
        yield Problem(
            where, f"this sync maps no {listing.match_on}, so nobody would be recognised: map it, or use another"
        )


def _is(kind: str, field: str, identifier: str) -> bool:
    with suppress(FieldConfigError):  # an unknown field is another problem, told by itself
        return field == identifier or field_type(kind, field).identifier == identifier
    return False
