"""Reading live records: by id, by identifier, and company after company. Never through search, which lags.

What is absent from an answer to many ids is asked for again before it is called missing; that a record
holds an identifier is read on the record. So a short or odd answer costs requests and never an error of
judgement.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from urllib.parse import quote

from .calls import Call
from .errors import BadRequestError, NotFoundError, PayloadTooLargeError, UnexpectedAnswerError
from .paging import Pages, Query
from .records import ObjectName, Record, canonical, identifiers, parse_record, parse_records
from .session import Session

IDS_PER_REQUEST = 50  # the largest number is not documented, docs/kustomer.md section 4.1
PAGE_SIZE = 100
MAX_PAGES = 100
_FIRST_PAGE: Query = (("page", "1"), ("pageSize", str(PAGE_SIZE)))
_FEW = 4  # up to here single reads are cheaper than trying anything else
_PLAIN_ID = re.compile(r"[0-9A-Za-z_-]+")
_KUSTOMER_ID = re.compile(r"[0-9a-f]{24}")
_PATH_FIELDS = ("externalId", "email", "phone")
_READ = {"customers": "customer.read", "companies": "company.read"}


class Reader:
    """Reads records; remembers what turned out not to work in this org."""

    def __init__(self, session: Session, base_url: str) -> None:
        self._session = session
        self._base_url = base_url
        self._many_works: dict[ObjectName, bool | None] = {"customers": None, "companies": None}
        self._company_pages: int | None = None  # how many there are at least

    def get_many(self, object: ObjectName, ids: Sequence[str]) -> dict[str, Record]:
        """Live records by id; those that are missing or deleted are absent. See KustomerClient.get_many."""
        # What is not even a plain word is no id, and "" or ".." would ask for something else altogether.
        wanted = [id for id in dict.fromkeys(ids) if _PLAIN_ID.fullmatch(id)]
        read = self._customers if object == "customers" else self._companies
        found: dict[str, Record] = {}
        rest = list(wanted)
        while rest:
            # Without lists of ids the companies are read in one go: they share the pages of the list of all.
            together = object == "companies" and self._many_works[object] is False
            chunk = rest if together else rest[:IDS_PER_REQUEST]
            rest = rest[len(chunk) :]
            found |= read(chunk)
        return {id: found[id] for id in wanted if id in found and not found[id].deleted}

    def look_up(self, object: ObjectName, field: str, value: str) -> list[Record]:
        """Live records that hold exactly this identifier. See KustomerClient.look_up."""
        wanted = canonical(field, value)
        if not wanted.strip():
            return []  # an empty identifier would ask for everybody
        of_customers = object == "customers"
        records = self._customer_by(field, value) if of_customers else self._companies_by(field, value, wanted)
        return [record for record in records if not record.deleted and wanted in identifiers(record, field)]

    def walk_companies(self, max_pages: int) -> tuple[list[Record], bool]:
        """Every live company, up to that many pages, and whether that is all of them."""
        pages = self._company_list(_FIRST_PAGE, max_pages)
        records = [record for page in pages for record in page if not record.deleted]
        self._company_pages = pages.read
        return records, pages.complete

    # --- by id

    def _customers(self, ids: Sequence[str]) -> dict[str, Record]:
        """A list of ids in one request; halved when refused, asked again for what it left out."""
        if len(ids) < 2 or self._many_works["customers"] is False:
            return self._singly("customers", ids)
        found = self._list_of("customers", ids)
        if found is None or (not found and not self._many_works["customers"]):
            return self._halves(ids)
        rest = [id for id in ids if id not in found]
        return found | self._customers(rest) if found and rest else found

    def _halves(self, ids: Sequence[str]) -> dict[str, Record]:
        half = len(ids) // 2
        found = self._customers(ids[:half]) | self._customers(ids[half:])
        if len(ids) == 2 and len(found) == 2 and not self._many_works["customers"]:
            self._many_works["customers"] = False  # both are there, and yet the pair was refused
        return found

    def _companies(self, ids: Sequence[str]) -> dict[str, Record]:
        """For companies no list of ids is documented: it is tried once, then single reads or the list of
        all.
        """
        works = self._many_works["companies"]
        if works is None and len(ids) > 1:
            found = self._list_of("companies", ids) or {}
            works = self._many_works["companies"] = len(found) > 1
        elif works and len(ids) > 1:
            found = self._list_of("companies", ids) or {}
        else:
            found = {}
        rest = [id for id in ids if id not in found]
        if works:
            # As with customers, a shorter list may show more; a list without result settles it only one by
            # one.
            return found | (self._companies(rest) if found and len(rest) > _FEW else self._singly("companies", rest))
        return found | self._from_list_or_singly(rest)

    def _from_list_or_singly(self, ids: Sequence[str]) -> dict[str, Record]:
        """Whichever is cheaper. How many pages the list has is not told, so at most half the price is
        staked on it.
        """
        stake = len(ids) // 2
        found: dict[str, Record] = {}
        if len(ids) > _FEW and (self._company_pages is None or self._company_pages <= stake):
            wanted = set(ids)
            pages = self._company_list(_FIRST_PAGE, stake)
            for page in pages:
                found |= {record.id: record for record in page if record.id in wanted}
                if len(found) == len(wanted):
                    break
            self._company_pages = max(pages.read, self._company_pages or 0)
        return found | self._singly("companies", [id for id in ids if id not in found])

    def _list_of(self, object: ObjectName, ids: Sequence[str]) -> dict[str, Record] | None:
        """Those of `ids` that one request shows, deleted ones included; None if it was refused."""
        call = Call("GET", f"/v1/{object}/{','.join(ids)}", f"/v1/{object}/<{len(ids)} ids>", _READ[object])
        try:
            records = self._session.ask(call, partial(parse_records, object))
        except (NotFoundError, BadRequestError, PayloadTooLargeError, UnexpectedAnswerError):
            return None
        wanted = set(ids)
        found = {record.id: record for record in records if record.id in wanted}
        if len(found) > 1:
            self._many_works[object] = True
        return found

    def _singly(self, object: ObjectName, ids: Sequence[str]) -> dict[str, Record]:
        found = (self._one(object, id) for id in ids)
        return {record.id: record for record in found if record is not None}

    def _one(self, object: ObjectName, id: str) -> Record | None:
        try:
            path = f"/v1/{object}/{id}"
            records = self._session.ask(Call("GET", path, path, _READ[object]), partial(parse_records, object))
        except NotFoundError:
            return None
        except BadRequestError:
            if _KUSTOMER_ID.fullmatch(id):
                raise
            return None  # not an id of Kustomer's at all, so there is no such record
        return next((record for record in records if record.id == id), None)

    # --- by identifier

    def _customer_by(self, field: str, value: str) -> list[Record]:
        if field not in _PATH_FIELDS:
            raise ValueError(f"customers are looked up by {', '.join(_PATH_FIELDS)}, not by {field}")
        value = value if field == "externalId" else value.strip()
        path = f"/v1/customers/{field}={quote(value, safe='', errors='surrogatepass')}"
        call = Call("GET", path, f"/v1/customers/{field}=…", _READ["customers"])
        try:
            return self._session.ask(call, partial(parse_records, "customers"))
        except NotFoundError:
            return []

    def _companies_by(self, field: str, value: str, wanted: str) -> list[Record]:
        """Only one of externalId and filter: with both, Kustomer ignores both (docs section 5)."""
        if field not in ("externalId", "name"):
            raise ValueError(f"companies are looked up by externalId or name, not by {field}")
        query: Query = (("externalId", value),) if field == "externalId" else (("filter", value.strip()),)
        found: list[Record] = []
        pages = self._company_list((*query, *_FIRST_PAGE), MAX_PAGES)
        try:
            for page in pages:
                found += [record for record in page if wanted in identifiers(record, field)]
                if field == "externalId" and any(not record.deleted for record in found):
                    return found  # unique in an org: nothing to look for on further pages
        except NotFoundError:
            return []
        if pages.read >= MAX_PAGES and not pages.complete:
            raise UnexpectedAnswerError(
                f"looking for one company by {field} returned over {MAX_PAGES} pages, too many to be sure",
                method="GET",
                path="/v1/companies",
            )
        return found

    def _company_list(self, query: Query, max_pages: int) -> Pages[Record]:
        return Pages(
            self._session,
            Call("GET", "/v1/companies", "/v1/companies", _READ["companies"]),
            query,
            partial(parse_record, "companies"),
            base_url=self._base_url,
            max_pages=max_pages,
        )
