"""The live records that hold exactly one identifier: the sure way to know whether somebody is there.

    customers: GET /v1/customers/email={email}, …   one path, one answer
    companies: GET /v1/companies?externalId=…        a list, compared here

That a record holds the identifier is read on the record itself.
"""

from __future__ import annotations

from functools import partial
from urllib.parse import quote

from .calls import READ_ACTIONS, Call
from .errors import NotFoundError, UnexpectedAnswerError
from .identifiers import ObjectName, canonical, identifiers
from .lists import Lists
from .paging import Query
from .records import Record, parse_records
from .session import Session

_MAX_PAGES = 100
_PATH_FIELDS = ("externalId", "email", "phone")


class Finder:
    """Looks records up by identifier."""

    def __init__(self, session: Session, lists: Lists) -> None:
        self._session = session
        self._lists = lists

    async def look_up(self, object_name: ObjectName, field: str, value: str) -> list[Record]:
        """Live records that hold exactly this identifier. See KustomerClient.look_up."""
        wanted = canonical(field, value)
        if not wanted.strip():
            return []  # an empty identifier would ask for everybody
        if object_name == "customers":
            records = await self._customer_by(field, value)
        else:
            records = await self._companies_by(field, value, wanted)
        return [one for one in records if not one.deleted and wanted in identifiers(one.attributes, field)]

    async def _customer_by(self, field: str, value: str) -> list[Record]:
        if field not in _PATH_FIELDS:
            raise ValueError(f"customers are looked up by {', '.join(_PATH_FIELDS)}, not by {field}")
        value = value if field == "externalId" else value.strip()
        path = f"/v1/customers/{field}={quote(value, safe='', errors='surrogatepass')}"
        call = Call("GET", path, f"/v1/customers/{field}=…", READ_ACTIONS["customers"])
        try:
            return await self._session.ask(call, partial(parse_records, "customers"))
        except NotFoundError:
            return []

    async def _companies_by(self, field: str, value: str, wanted: str) -> list[Record]:
        """Only one of externalId and filter: with both, Kustomer ignores both (docs/kustomer.md section 5)."""
        if field not in ("externalId", "name"):
            raise ValueError(f"companies are looked up by externalId or name, not by {field}")
        query: Query = (("externalId", value),) if field == "externalId" else (("filter", value.strip()),)
        found: list[Record] = []
        pages = self._lists.pages("companies", query, _MAX_PAGES)
        try:
            async for page in pages:
                found += [record for record in page if wanted in identifiers(record.attributes, field)]
                if field == "externalId" and any(not record.deleted for record in found):
                    return found  # unique in an org: nothing to look for on further pages
        except NotFoundError:
            return []
        if pages.read >= _MAX_PAGES and not pages.complete:
            raise UnexpectedAnswerError(
                f"looking for one company by {field} returned over {_MAX_PAGES} pages, too many to be sure",
                method="GET",
                path="/v1/companies",
            )
        return found
