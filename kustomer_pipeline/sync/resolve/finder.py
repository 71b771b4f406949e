"""Who is this row in Kustomer? Cheap ways propose, live records decide, and only proof says that nobody is there.

    at hand (known ids, hints of the state) → the cheapest way for the rest (cost.py) → path look-ups where absence
    must be proven

"Does not exist" is said by a path look-up, by a walk through the whole list, or later by a create that Kustomer
accepts; never by search, which lags and forgets after two years (docs/kustomer.md section 8).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence

from kustomer_pipeline.kustomer import BadRequestError, KustomerClient, ObjectName

from ..decisions import Match
from ..identifier_set import IdentifierSet
from ..reasons import Reason, ReasonCode
from ..rows import Case
from ..state import Identities, value_hash
from .asking import Asking, KeysOf, own_key
from .cost import PAGE, Question, Way, choose
from .hints import Hints, hints_of
from .ladder import LABELS, holds, judge
from .listing import WholeList
from .search import Search, Share

_FEWEST_PROBES, _MOST_PROBES = 20, 100  # rows by which search shows how many of them Kustomer has
_ASK_SIZE_FROM, _OF_PLANNED_CUSTOMERS_FROM = 50, 3  # rows from which it is worth a request to know how large the org is


class Finder:
    """Finds the records of rows.

    match_on: the ladder. unknown: how many rows will be asked for that no id is remembered of. wanted: their
    identifiers, asked for when the whole list is walked. creates_prove: a create of a row that exists is refused.
    every_rung: all identifiers of a row must be checked, also those that nothing will be written with. proofs: how many
    rows may be proven absent by path look-ups (None: any number). keys_of: see Asking.
    """

    def __init__(
        self,
        client: KustomerClient,
        hints_of_state: Identities,
        object_name: ObjectName,
        match_on: Sequence[str],
        *,
        unknown: int,
        wanted: Callable[[], IdentifierSet],
        creates_prove: bool = False,
        every_rung: bool = False,
        proofs: int | None = None,
        keys_of: KeysOf = own_key,
    ) -> None:
        self.client = client
        self.asking = Asking(client, object_name, keys_of)
        self.object_name: ObjectName = object_name
        self.match_on = tuple(match_on)
        self.hints = Hints()
        self._of_state = hints_of_state
        self._unknown = unknown
        self._probes = max(_FEWEST_PROBES, min(_MOST_PROBES, unknown // 50))
        self._creates_prove = creates_prove
        self._every_rung = every_rung
        self._proofs = proofs
        self._share = Share()
        self._still_open = 1.0  # of the new rows of a wave, those of whom the state has no hint
        self._size: int | None = None
        self._list = WholeList(client, object_name, self.match_on, wanted)

    async def find(self, cases: Sequence[Case]) -> list[Match]:
        """One match per case, in order. Raises KustomerError when Kustomer cannot be asked."""
        searches = [Search(case) for case in cases]
        await self._at_hand(searches)
        new = [one for one in searches if not one.case.known_id and not one.case.attempts]
        self._still_open = sum(map(self._open, new)) / len(new) if new else 1.0
        # Rows whose create was refused or may have gone through must be looked for: a create would be no answer.
        for doubtful in (True, False):
            await self._find_cheaply([one for one in searches if one.case.must_prove is doubtful and self._open(one)])
        self._unknown = max(0, self._unknown - len(new))
        await self._prove_absence(searches)
        self._learn(searches)
        return [one.result for one in searches]

    def saw(self, *, existing: int = 0, absent: int = 0) -> None:
        """What creates have shown: whom Kustomer refused because it has them, and whom it took."""
        self._share.saw(existing, absent)

    # --- at hand --------------------------------------------------------------------------------------------

    async def _at_hand(self, searches: Sequence[Search]) -> None:
        """Ids known from earlier runs, and hints."""
        proposed: dict[int, set[str]] = {
            place: {one.case.known_id} for place, one in enumerate(searches) if one.case.known_id
        }
        unknown = [(place, one) for place, one in enumerate(searches) if not one.case.known_id]
        for name in self.match_on:
            values = sorted({value for _, one in unknown for value in one.case.identifiers(name)})
            hints = self._of_state.find(self.object_name, name, values) if values else {}
            for place, one in unknown:
                found = {hints[value] for value in one.case.identifiers(name) if value in hints}
                if found:
                    proposed.setdefault(place, set()).update(found)
        await self._read([(searches[place], ids) for place, ids in proposed.items()])
        for place, one in unknown:
            if place in proposed and one.match is None:
                self.hints.wrong += [
                    (name, value_hash(v)) for name in self.match_on for v in one.case.identifiers(name)
                ]

    async def _read(self, proposed: Sequence[tuple[Search, Collection[str]]]) -> None:
        """Read the proposed records live, and judge each case by them."""
        live = await self.asking.records([(one.case, set(ids) - one.seen.keys()) for one, ids in proposed])
        for one, ids in proposed:
            one.seen.update({id_: live[id_] for id_ in ids if id_ in live})
            one.match = judge(one.case, list(one.seen.values()), self.match_on)

    # --- the cheapest way -----------------------------------------------------------------------------------

    async def _find_cheaply(self, searches: Sequence[Search]) -> None:
        """By the cheapest way. The first new rows are searched for: they show how many Kustomer has."""
        rest = list(searches)
        if await self._worth_a_probe(rest):
            await self._search(rest[: self._probes])
            rest = [one for one in rest if not one.counted]
        if not rest:
            return
        way = await self._way(rest)
        if way == "search":
            await self._search(rest)
        elif way == "walk":
            await self._look_in_list(rest)
        elif way == "paths":
            await self._look_up_all(rest)

    async def _worth_a_probe(self, searches: Sequence[Search]) -> bool:
        """Not where nobody can be there: in an empty org."""
        if not searches or searches[0].case.must_prove or self._list.was_read or not self._creates_prove:
            return False
        fit = self._share.asked < self._probes < self._unknown and self.client.abilities.search
        return fit and (self._unknown < _ASK_SIZE_FROM or await self._ask_size() != 0)

    async def _way(self, searches: Sequence[Search]) -> Way:
        """The cheapest way for these rows, and for those like them that are still to come."""
        if self._list.was_read:
            return "walk"
        rows = max(round(self._unknown * self._still_open), len(searches))
        if rows >= _ASK_SIZE_FROM:
            await self._ask_size()
        by_search = [self.client.search_batch(self.object_name, name) for name in self.match_on]
        searchable = self.client.abilities.search and any(by_search)
        question = Question(
            rows=rows,
            identifiers=len(self.match_on),
            exist=0.0 if self._size == 0 else self._share.value,
            creates_prove=self._creates_prove and not searches[0].case.must_prove,
            search_batch=by_search[0] if searchable else 0,
            org_size=self._size,
            rate=self.client.requests_a_second,
            bulk=self.client.abilities.bulk(self.object_name),
        )
        return choose(question).way

    async def _ask_size(self) -> int | None:
        """None where the list cannot be read: then nothing is known of it, and it is no way."""
        if self._size is None:
            self._size = await self.client.org_size(self.object_name)
        return self._size

    async def _search(self, searches: Sequence[Search]) -> None:
        """Identifier by identifier; whoever is found is not asked for any further."""
        for name in self.match_on:
            asking = [one for one in searches if self._asks(one, name)]
            hits = await self.asking.search(name, [one.case for one in asking])
            proposed = [
                (one, {record.id for value in one.case.identifiers(name) for record in hits.get(value, ())})
                for one in asking
            ]
            await self._read([(one, ids) for one, ids in proposed if ids])
        if self.client.abilities.search:  # else nothing was asked, and the rows are looked for in another way
            self._share.count(searches)

    async def _look_in_list(self, searches: Sequence[Search]) -> None:
        """The list is the live database itself: whoever is not in the whole of it is not there."""
        just_now = not self._list.was_read
        await self._list.read()
        proposed = ((one, self._list.ids_with(one.case.identifiers)) for one in searches)
        await self._read([(one, ids) for one, ids in proposed if ids])
        for one in searches:
            one.listed = True
            # What was tried after the list was read may have made a record that is not in it.
            one.absent = self._list.complete and (just_now or not one.case.attempts)
        self._share.count(searches)

    # --- proof ----------------------------------------------------------------------------------------------

    def _open(self, one: Search) -> bool:
        return any(self._asks(one, name) for name in self.match_on)

    def _asks(self, one: Search, name: str) -> bool:
        """Whether this identifier of the row still has to be looked for: nobody is found yet, or whoever is found does
        not hold it, so that it may be somebody else's (where it is written, Kustomer refuses that by itself)."""
        if not one.case.identifiers(name):
            return False
        found = one.match.record if one.match else None
        return one.match is None or (self._every_rung and found is not None and not holds(found, name, one.case))

    async def _prove_absence(self, searches: Sequence[Search]) -> None:
        """Whoever is not found and must not be missed: by the whole list where that is cheaper, else by path."""
        if self._list.was_read:
            await self._look_in_list([one for one in searches if self._open(one) and not one.listed])
        to_prove = [one for one in searches if self._needs_proof(one)]
        if not self._list.was_read and await self._list_is_cheaper(len(to_prove)):
            await self._look_in_list(to_prove)
            to_prove = [one for one in to_prove if self._needs_proof(one)]
        if self._proofs is not None:
            to_prove, self._proofs = to_prove[: self._proofs], max(0, self._proofs - len(to_prove))
        await self._look_up_all(to_prove)

    async def _list_is_cheaper(self, rows: int) -> bool:
        planned = self._proofs is not None and self.object_name == "customers"  # whose list tells its total
        size = await self._ask_size() if rows >= (_OF_PLANNED_CUSTOMERS_FROM if planned else _ASK_SIZE_FROM) else None
        return size is not None and size / PAGE < rows * len(self.match_on)

    def _needs_proof(self, one: Search) -> bool:
        must = one.case.must_prove or not (self.client.abilities.search or self._creates_prove)
        return must and not one.absent and self._open(one)

    async def _look_up_all(self, searches: Sequence[Search]) -> None:
        await asyncio.gather(*(self._look_up(one) for one in searches))

    async def _look_up(self, one: Search) -> None:
        for name in self.match_on:
            for value in one.case.identifiers(name) if self._asks(one, name) else ():
                try:
                    found = await self.asking.look_up(one.case, name, value)
                except BadRequestError:
                    text = f"Kustomer does not take this row's {LABELS[name]} as an identifier"
                    one.match = Match(problem=Reason(ReasonCode.NOT_AN_IDENTIFIER, text, name))
                    return
                one.seen.update({record.id: record for record in found})
            one.match = judge(one.case, list(one.seen.values()), self.match_on)
        one.absent = one.match is None

    def _learn(self, searches: Sequence[Search]) -> None:
        for one in searches:
            record = one.match.record if one.match else None
            if record is not None and record.id != one.case.known_id:
                self.hints.learned += hints_of(self.match_on, one.case, record.id)
