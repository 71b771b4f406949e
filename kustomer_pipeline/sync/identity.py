"""Who is this row in Kustomer? The cheap ways first, each answer checked on the live record.

    known id → hints from the state → search, or the list of companies → (multi-get: live) → path look-up

Cheap ways only ever propose; a match counts when the live record holds the identifier. "Does not exist" is only
said by a path look-up, or later by a create that Kustomer accepts (docs/kustomer.md section 8: search lags and
forgets after two years). Two candidates, or identifiers that point to different records, match nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from kustomer_pipeline.kustomer import BadRequestError, KustomerClient, Record

from .rows import Match, Row, identifiers
from .spec import Object
from .sync_state import SyncState

_PROBE_ROWS = 100  # rows after which search must have proved worth its price
_WORTHWHILE = 0.05  # share of rows found; below it a refused create is cheaper than asking first
_FEW = 2  # up to so many rows a path look-up costs no more than a search
_LABELS = {"externalId": "externalId", "email": "e-mail", "phone": "phone", "name": "name"}
UNIQUE = {"customers": ("externalId", "email", "phone"), "companies": ("externalId",)}


@dataclass
class _Usefulness:
    """How often search found somebody by one identifier: a first load into an empty org stops asking."""

    tried: int = 0
    found: int = 0

    @property
    def worthwhile(self) -> bool:
        return self.tried < _PROBE_ROWS or self.found >= _WORTHWHILE * self.tried


@dataclass
class _Case:
    """A row whose record is being looked for."""

    row: Row
    seen: dict[str, Record] = field(default_factory=dict)
    match: Match | None = None

    def judge(self, match_on: Sequence[str]) -> None:
        self.match = judge(self.row, list(self.seen.values()), match_on)


class Finder:
    """Finds the records of rows, remembers which ways were useful, collects hints for the state."""

    def __init__(
        self,
        client: KustomerClient,
        state: SyncState,
        object: Object,
        match_on: Sequence[str],
        *,
        proofs_left: int | None = None,
        creates: bool = False,
        every_rung: bool = False,
    ) -> None:
        self.client = client
        self.state = state
        self.object: Object = object
        self.match_on = tuple(match_on)
        self.proofs_left = proofs_left
        self.creates = creates
        self.every_rung = every_rung
        self.unlearned: list[tuple[str, str, list[str]]] = []
        self.learned: list[tuple[str, str, str, str]] = []
        self._usefulness = {name: _Usefulness() for name in self.match_on}

    def find(self, rows: Sequence[Row]) -> list[Match]:
        """One match per row, in order. Raises KustomerError when Kustomer cannot be asked."""
        cases = [_Case(row) for row in rows]
        self._try_at_hand(cases)
        if self.object == "customers":
            self._try_search(cases)
        else:
            self._try_list(_open(cases))
        for case in cases:
            self._prove(case)
        self._learn(cases)
        return [case.match or Match() for case in cases]

    def refused_as_existing(self, name: str, rows: int) -> None:
        """Creates that Kustomer refused because the record exists: search would have found them."""
        self._usefulness[name].found += rows

    # --- the ways, cheapest first ---------------------------------------------------------------------------

    def _try_at_hand(self, cases: list[_Case]) -> None:
        """Ids known from earlier runs, and hints."""
        proposed: dict[int, set[str]] = {
            index: {case.row.known_id} for index, case in enumerate(cases) if case.row.known_id
        }
        unknown = [(index, case) for index, case in enumerate(cases) if not case.row.known_id]
        for name in self.match_on:
            values = {value for _, case in unknown for value in case.row.identifiers(name)}
            hints = self.state.identities(self.object, name, sorted(values)) if values else {}
            for index, case in unknown:
                for value in case.row.identifiers(name):
                    if value in hints:
                        proposed.setdefault(index, set()).add(hints[value])
        self._read([(cases[index], ids) for index, ids in proposed.items()])
        for index, case in unknown:
            if index in proposed and case.match is None:
                self.unlearned += [(self.object, name, case.row.identifiers(name)) for name in self.match_on]

    def _try_search(self, cases: list[_Case]) -> None:
        for name in self.match_on:
            asking = [case for case in cases if self._asks(case, name)]
            doubtful = [case for case in asking if case.row.doubt]
            hopeful = [case for case in asking if not case.row.doubt]
            if len(doubtful) > _FEW:
                self._search(name, doubtful)
            if self.creates and len(hopeful) <= _FEW:
                continue  # a create asks the same question, and is its own answer when the row is new
            probe = max(0, _PROBE_ROWS - self._usefulness[name].tried)
            for part in (hopeful[:probe], hopeful[probe:]):
                if part and self._usefulness[name].worthwhile:
                    self._search(name, part)

    def _asks(self, case: _Case, name: str) -> bool:
        """Whether this identifier of the row still has to be looked for: nobody is found yet, or whoever is found does
        not hold it, so that it may be somebody else's (where it is written, Kustomer refuses that by itself)."""
        if not case.row.identifiers(name):
            return False
        found = case.match.record if case.match else None
        return case.match is None or (self.every_rung and found is not None and not _holds(found, name, case.row))

    def _search(self, name: str, cases: list[_Case]) -> None:
        values = list(dict.fromkeys(value for case in cases for value in case.row.identifiers(name)))
        hits = self.client.search(self.object, name, values)
        proposed = [
            (case, {record.id for value in case.row.identifiers(name) for record in hits.get(value, [])})
            for case in cases
        ]
        self._read([(case, ids) for case, ids in proposed if ids])
        self._usefulness[name].tried += len(cases)
        self._usefulness[name].found += sum(case.match is not None for case in cases)

    def _try_list(self, cases: list[_Case]) -> None:
        """The list of companies is the live database itself: a complete walk is proof."""
        questions = sum(len(case.row.identifiers(name)) for case in cases for name in self.match_on)
        if len(cases) <= _FEW:
            return
        records, complete = self.client.walk_companies(max_pages=max(1, questions // 2))
        holders: dict[tuple[str, str], list[Record]] = {}
        for record in records:
            for name in self.match_on:
                for value in identifiers(record.attributes, name):
                    holders.setdefault((name, value), []).append(record)
        for case in cases:
            for name in self.match_on:
                for value in case.row.identifiers(name):
                    case.seen.update({record.id: record for record in holders.get((name, value), [])})
            case.judge(self.match_on)
            if case.match is None and complete:
                case.match = Match(proven=True)

    def _prove(self, case: _Case) -> None:
        """Path look-ups by every identifier of the ladder: the only way to learn that somebody is not there."""
        names = [name for name in self.match_on if self._asks(case, name)]
        if not case.row.doubt or self.proofs_left == 0 or not (names or case.match is None):
            return
        if self.proofs_left is not None:
            self.proofs_left -= 1
        for name in names:
            for value in case.row.identifiers(name):
                try:
                    found = self.client.look_up(self.object, name, value)
                except BadRequestError:
                    case.match = Match(problem=f"Kustomer does not take this row's {_LABELS[name]} as an identifier")
                    return
                case.seen.update({record.id: record for record in found})
        case.judge(self.match_on)
        case.match = case.match or Match(proven=True)

    def _read(self, proposed: list[tuple[_Case, set[str]]]) -> None:
        """Read the proposed records live and judge each case by them."""
        wanted = {id_ for case, ids in proposed for id_ in ids if id_ not in case.seen}
        live = self.client.get_many(self.object, sorted(wanted)) if wanted else {}
        for case, ids in proposed:
            case.seen.update({id_: live[id_] for id_ in ids if id_ in live})
            case.judge(self.match_on)

    def _learn(self, cases: Iterable[_Case]) -> None:
        for case in cases:
            record = case.match.record if case.match else None
            if record is not None and record.id != case.row.known_id:
                self.learned += hints_of(self.object, self.match_on, case.row, record.id)


def hints_of(object: Object, match_on: Sequence[str], row: Row, kustomer_id: str) -> list[tuple[str, str, str, str]]:
    """What the state may keep of where a row's identifiers are: (object, field, value, Kustomer id)."""
    return [(object, name, value, kustomer_id) for name in match_on for value in row.identifiers(name)]


def judge(row: Row, records: Sequence[Record], match_on: Sequence[str]) -> Match | None:
    """The ladder, on live records. None: none of them holds an identifier of the row."""
    for rung, name in enumerate(match_on):
        holders = [record for record in records if _holds(record, name, row)]
        if name == "name":  # names are not unique: another externalId makes it another company
            holders = [record for record in holders if not _other_external_id(record, row, match_on)]
        if not holders:
            continue
        if len(holders) > 1:
            ids = ", ".join(sorted(record.id for record in holders))
            return Match(
                problem=f"more than one record in Kustomer has this row's {_LABELS[name]}: {ids}",
                candidates=tuple(record.id for record in holders),
            )
        chosen = holders[0]
        for higher in match_on[:rung]:
            if higher == "externalId" and _other_external_id(chosen, row, match_on):
                return Match(
                    problem=f"the record with this row's {_LABELS[name]} ({chosen.id}) has another externalId",
                    candidates=(chosen.id,),
                )
        for lower in match_on[rung + 1 :]:
            others = [record.id for record in records if record.id != chosen.id and _holds(record, lower, row)]
            if others and lower != "name":
                return Match(
                    problem=f"this row's {_LABELS[name]} and {_LABELS[lower]} belong to different records in "
                    f"Kustomer: {chosen.id} and {', '.join(sorted(others))}",
                    candidates=(chosen.id, *others),
                )
        return Match(record=chosen)
    return None


def _holds(record: Record, name: str, row: Row) -> bool:
    return not set(identifiers(record.attributes, name)).isdisjoint(row.identifiers(name))


def _other_external_id(record: Record, row: Row, match_on: Sequence[str]) -> bool:
    """Whether the record is known under an externalId, and not under the row's."""
    wanted, present = row.identifiers("externalId"), identifiers(record.attributes, "externalId")
    return "externalId" in match_on and bool(wanted and present) and set(wanted).isdisjoint(present)


def _open(cases: Sequence[_Case]) -> list[_Case]:
    return [case for case in cases if case.match is None]
