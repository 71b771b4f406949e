"""Reading live records by id. Never through search, which lags.

    ids → lists of ids, several at once → those that are there

What is absent from an answer to many ids is asked for again before it is called missing. So a short or odd answer costs
requests and never an error of judgement. How many ids one request takes is found out: the first list of a size goes
alone, the others follow together.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from functools import partial

from .calls import READ_ACTIONS, Call
from .concurrently import all_of
from .errors import BadRequestError, NotFoundError, PayloadTooLargeError, UnexpectedAnswerError
from .identifiers import ObjectName
from .lists import Lists
from .records import Record, parse_records
from .session import Session
from .wire import Wire

_FEW = 4  # up to here single reads are cheaper than trying anything else
_PLAIN_ID = re.compile(r"[0-9A-Za-z_-]+")
_KUSTOMER_ID = re.compile(r"[0-9a-f]{24}")


class Reader:
    """Reads records by id; what turns out about lists of ids is kept in `wire`."""

    def __init__(self, session: Session, lists: Lists, wire: Wire) -> None:
        self._session = session
        self._lists = lists
        self._wire = wire
        self._trial = asyncio.Lock()
        self._company_pages: int | None = None  # how many there are at least

    async def get_many(
        self, object_name: ObjectName, ids: Sequence[str], *, deleted: bool = False
    ) -> dict[str, Record]:
        """Records by id; those that are missing are absent, and so are deleted ones. See KustomerClient.get_many."""
        # What is not even a plain word is no id, and "" or ".." would ask for something else altogether.
        wanted = [record_id for record_id in dict.fromkeys(ids) if _PLAIN_ID.fullmatch(record_id)]
        found: dict[str, Record] = {}
        rest = list(wanted)
        while rest and self._is_trial(object_name, len(rest)):
            async with self._trial:
                if self._is_trial(object_name, len(rest)):
                    size = self._wire.id_lists(object_name).at_most
                    found |= await self._read(object_name, rest[:size])
                    rest = rest[size:]
        size = self._chunk_size(object_name, len(rest))
        chunks = [rest[start : start + size] for start in range(0, len(rest), size)]
        for part in await all_of(self._read(object_name, chunk) for chunk in chunks):
            found |= part
        return {one: found[one] for one in wanted if one in found and (deleted or not found[one].deleted)}

    def _is_trial(self, object_name: ObjectName, count: int) -> bool:
        """Whether the next list would be longer than any that was taken so far."""
        lists = self._wire.id_lists(object_name)
        return lists.works is not False and min(count, lists.at_most) > max(1, lists.taken)

    def _chunk_size(self, object_name: ObjectName, count: int) -> int:
        lists = self._wire.id_lists(object_name)
        # Without lists of ids the companies are read in one go: they share the pages of the list of all.
        together = object_name == "companies" and lists.works is False
        return max(1, count) if together else lists.at_most

    async def _read(self, object_name: ObjectName, ids: Sequence[str]) -> dict[str, Record]:
        return await (self._customers(ids) if object_name == "customers" else self._companies(ids))

    async def _customers(self, ids: Sequence[str]) -> dict[str, Record]:
        """A list of ids in one request; halved when refused, asked again for what it left out."""
        lists = self._wire.id_lists("customers")
        if len(ids) < 2 or lists.works is False:
            return await self._singly("customers", ids)
        found = await self._list_of("customers", ids)
        if found is None or (not found and not lists.works):
            return await self._halves(ids, refused=found is None)
        rest = [record_id for record_id in ids if record_id not in found]
        return found | await self._customers(rest) if found and rest else found

    async def _halves(self, ids: Sequence[str], *, refused: bool) -> dict[str, Record]:
        lists = self._wire.id_lists("customers")
        half = len(ids) // 2
        found = await self._customers(ids[:half]) | await self._customers(ids[half:])
        if len(ids) == 2 and len(found) == 2 and not lists.works:
            lists.works = False  # both are there, and yet the pair was refused
        if refused and len(found) == len(ids) and lists.taken >= half > 1:
            lists.at_most = min(lists.at_most, lists.taken)  # everybody is there: it was refused for its length
        return found

    async def _companies(self, ids: Sequence[str]) -> dict[str, Record]:
        """For companies no list of ids is documented: it is tried once, then single reads or the list of all."""
        lists = self._wire.id_lists("companies")
        found: dict[str, Record] = {}
        if lists.works is not False and len(ids) > 1:
            found = await self._list_of("companies", ids) or {}
            if lists.works is None:
                lists.works = len(found) > 1
        rest = [record_id for record_id in ids if record_id not in found]
        if not lists.works:
            return found | await self._from_list_or_singly(rest)
        # As with customers, a shorter list may show more; a list without result settles it only one by one.
        again = bool(found) and len(rest) > _FEW
        return found | await (self._companies(rest) if again else self._singly("companies", rest))

    async def _from_list_or_singly(self, ids: Sequence[str]) -> dict[str, Record]:
        """Whichever is cheaper. How many pages the list has is not told: at most half the price is staked on it."""
        stake = len(ids) // 2
        found: dict[str, Record] = {}
        if len(ids) > _FEW and (self._company_pages is None or self._company_pages <= stake):
            wanted = set(ids)
            pages = self._lists.pages("companies", (), stake)
            async for page in pages:
                found |= {record.id: record for record in page if record.id in wanted}
                if len(found) == len(wanted):
                    break
            self._company_pages = max(pages.read, self._company_pages or 0)
        return found | await self._singly("companies", [one for one in ids if one not in found])

    async def _list_of(self, object_name: ObjectName, ids: Sequence[str]) -> dict[str, Record] | None:
        """Those of `ids` that one request shows, deleted ones included; None if it was refused."""
        path, shown = f"/v1/{object_name}/{','.join(ids)}", f"/v1/{object_name}/<{len(ids)} ids>"
        call = Call("GET", path, shown, READ_ACTIONS[object_name], names=tuple(ids))
        try:
            records = await self._session.ask(call, partial(parse_records, object_name))
        except (NotFoundError, BadRequestError, PayloadTooLargeError, UnexpectedAnswerError):
            return None
        wanted = set(ids)
        found = {record.id: record for record in records if record.id in wanted}
        if len(found) > 1:
            lists = self._wire.id_lists(object_name)
            lists.works, lists.taken = True, max(lists.taken, len(ids))
        return found

    async def _singly(self, object_name: ObjectName, ids: Sequence[str]) -> dict[str, Record]:
        found = await all_of(self._one(object_name, record_id) for record_id in ids)
        return {record.id: record for record in found if record is not None}

    async def _one(self, object_name: ObjectName, record_id: str) -> Record | None:
        path = f"/v1/{object_name}/{record_id}"
        try:
            call = Call("GET", path, path, READ_ACTIONS[object_name], names=(record_id,))
            records = await self._session.ask(call, partial(parse_records, object_name))
        except NotFoundError:
            return None
        except BadRequestError:
            if _KUSTOMER_ID.fullmatch(record_id):
                raise
            return None  # not an id of Kustomer's at all, so there is no such record
        return next((record for record in records if record.id == record_id), None)
