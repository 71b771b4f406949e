"""Who leaves a mirrored audience: whoever holds its tag and is not among the rows, under whatever key or merged
identity.

    remembered members (mirror_scope: tag: all holders) - rows of the frame → candidates → live records → who leaves

Nobody is judged by what is remembered alone: a candidate's live record is read first. If it has an identifier of a row
of the frame it is that row's member (two members who were merged, an address that moved) and stays; if it is gone, the
identifiers of its key are looked up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from kustomer_pipeline.kustomer import KustomerClient, Record, identifiers
from kustomer_pipeline.mapping import hash_of

from ..decisions import Decision, Match, Nothing, Resolved, Wave
from ..desired import Desired, member
from ..ledger import Outcome
from ..resolve import Resolver, judge
from ..rows import Case
from ..spec import AudienceSpec
from .audiences import Audience


@dataclass(frozen=True)
class Candidates:
    """Who may have to leave.

    cases: members to be looked at. members: of how many. done_with: remembered keys of which nothing needs to be kept.
    handed_over: records that another row of the frame has now, and that are ours under its key.
    """

    cases: tuple[Case, ...]
    members: int
    done_with: tuple[str, ...] = ()
    handed_over: tuple[str, ...] = ()


class Leavers:
    """Finds and decides about those who leave. `resolver` has met the rows of the frame by then."""

    def __init__(
        self, client: KustomerClient, desired: Desired, spec: AudienceSpec, strategy: Audience, resolver: Resolver
    ) -> None:
        self.client = client
        self.desired = desired
        self.spec = spec
        self.strategy = strategy
        self.resolver = resolver
        self._leaving: set[str] = set()

    def any_candidate(self) -> bool:
        """Whether somebody may have to leave, as far as what is remembered tells."""
        return self.spec.mirror_scope == "tag" or bool(self.absent().cases)

    def absent(self) -> Candidates:
        """From what is remembered: members under keys that the frame no longer has."""
        snapshot, places = self.desired.snapshot, pa.array(self.desired.compared.absent)
        ids, keys = snapshot.kustomer_ids.take(places), snapshot.keys.take(places)
        stays = pc.is_in(ids, value_set=self.desired.compared.ids.drop_null())  # also under the key of an invalid row
        elsewhere = self.desired.memory.holders(id_ for id_ in ids.to_pylist() if id_)
        cases: dict[str, Case] = {}
        done_with, handed_over = [], []
        columns = (places.to_pylist(), ids.to_pylist(), keys.to_pylist(), snapshot.owned.take(places).to_pylist())
        for place, id_, key, owned, stayed in zip(*columns, stays.to_pylist(), strict=True):
            if not owned or not id_:
                done_with.append(key)
            elif stayed or id_ in elsewhere or id_ in self.resolver.met:
                done_with.append(key)
                handed_over.append(id_)
            elif id_ in cases:  # two rows were this one member: it leaves once
                done_with.append(key)
            else:
                cases[id_] = self.desired.member(place)
        return Candidates(tuple(cases.values()), len(self.strategy.owned_ids), tuple(done_with), tuple(handed_over))

    async def candidates(self) -> Candidates:
        """Everybody who may have to leave. Raises KustomerError."""
        absent = self.absent()
        if self.spec.mirror_scope == "owned" or self.strategy.tag_id is None:
            return absent
        holders = {record.id for record in await self.client.tag_holders(self.spec.object, self.strategy.tag_id)}
        known = set(self.desired.compared.ids.drop_null().to_pylist()) | self.resolver.met
        known |= self.desired.memory.holders(holders).keys()
        ours = {case.known_id for case in absent.cases}
        others = [member(f"id={id_}", id_, self.spec.match_on, owned=False) for id_ in sorted(holders - known - ours)]
        members = len(holders | {id_ for id_ in ours if id_})
        return Candidates((*absent.cases, *others), members, absent.done_with, absent.handed_over)

    async def decide(self, cases: Sequence[Case]) -> Wave:
        """One decision per member, from the live records. Raises KustomerError when Kustomer cannot be asked."""
        asking = self.resolver.finder.asking
        live = await asking.records([(case, [case.known_id]) for case in cases if case.known_id])
        gone = [case for case in cases if case.known_id not in live]
        found = iter(await self.resolver.finder.find(gone)) if gone else iter(())
        matches = [Match(record=live[case.known_id]) if case.known_id in live else next(found) for case in cases]
        records = [match.record for match in matches if match.record is not None]
        rows, stayed = self._rows_of(records), self._stayed(records)
        resolved = [Resolved(case, case.row.body, match) for case, match in zip(cases, matches, strict=True)]
        resolved = await self.resolver.with_dead_references(resolved)
        staying = {*rows, *stayed, *self.resolver.met}
        decisions = tuple(self._decide(one, staying) for one in resolved)
        ours = (one.match.record for one in resolved if one.case.owned)
        kept = tuple(record.id for record in ours if record is not None and record.id in staying)
        return Wave(decisions, orphans=kept, moved=(*self._moved(rows), *stayed.values()))

    def _rows_of(self, records: Sequence[Record]) -> dict[str, Case]:
        """Of these records, those that are a row of the frame: record id → the row."""
        held = self._identifiers(records)
        places = self.desired.rows_with(held.keys())
        cases = self.desired.cases(self.desired.positions(*places.values()))
        return {
            held[identifier].id: case
            for identifier, case in zip(places, cases, strict=True)
            if judge(case, [held[identifier]], self.spec.match_on) is not None
        }

    def _stayed(self, records: Sequence[Record]) -> dict[str, str]:
        """Of these records, those that have an identifier of a row which stayed in the warehouse: record id → its key.

        Whether it is that row's record is decided when the row is looked at, in the next run; until then it stays.
        """
        held = {hash_of(field, value): record.id for (field, value), record in self._identifiers(records).items()}
        return {held[hashed]: key for hashed, key in self.desired.memory.rows_with(held.keys()).items()}

    def _identifiers(self, records: Sequence[Record]) -> dict[tuple[str, str], Record]:
        return {
            (field, value): record
            for record in records
            for field in self.spec.match_on
            for value in identifiers(record.attributes, field)
        }

    def _decide(self, resolved: Resolved, staying: Collection[str]) -> Decision:
        record = resolved.match.record
        if record is not None and (record.id in staying or self._leaves_already(resolved, record)):
            return Nothing(resolved, Outcome.UNCHANGED, record.id, forget=True)
        return self.strategy.decide(resolved)

    def _leaves_already(self, resolved: Resolved, record: Record) -> bool:
        """Two remembered members who are one record by now: the first of them takes the tag away."""
        again = bool(resolved.case.attempts)
        seen = record.id in self._leaving
        self._leaving.add(record.id)
        return seen and not again

    def _moved(self, rows: dict[str, Case]) -> Iterator[str]:
        """Keys of the rows that are another record than is remembered: the next run looks at them anew."""
        return (case.key for id_, case in rows.items() if case.known_id != id_ and id_ not in self.resolver.met)
