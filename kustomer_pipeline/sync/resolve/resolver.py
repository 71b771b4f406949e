"""Cases → Resolved: company and tags as Kustomer's ids, the record that the row is, and what of it is dead.

cases → links, tags → finder → distinct (two rows for one record) → Resolved
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kustomer_pipeline.kustomer import KustomerClient, KustomerError, ObjectName, Record

from ..decisions import Create, DeadReferences, Match, Resolved, Write
from ..expected import Marks, marks_of
from ..masking import mask_key, mask_text
from ..memory import Memory
from ..reasons import Reason, ReasonCode
from ..rows import Case
from .asking import grouped
from .finder import Finder
from .links import CompanyLinks
from .tags import TagNames


class Resolver:
    """Resolves the rows of one sync.

    frame_keys: keys of the frame. one_row_a_record: two rows for one record are a question for people (objects); else
    one of them is enough (audiences).
    """

    def __init__(
        self,
        client: KustomerClient,
        finder: Finder,
        memory: Memory,
        frame_keys: pa.Array,
        *,
        one_row_a_record: bool,
        links: CompanyLinks | None = None,
        tags: TagNames | None = None,
    ) -> None:
        self.client = client
        self.finder = finder
        self.links = links
        self.tags = tags
        self.met: set[str] = set()  # records that rows of the frame are, or may be
        self.is_planned_create: Callable[[Case, Mapping[str, Any]], bool] = lambda case, body: False
        self._memory = memory
        self._frame_keys = frame_keys
        self._one_row_a_record = one_row_a_record
        self._claims: dict[str, str] = {}

    def expect(self, marks: Marks) -> None:
        """Rows with one of these marks are not there yet, because an earlier plan creates them: nobody is asked."""
        if marks:
            self.is_planned_create = lambda case, _: (
                not (case.attempts or case.known_id)
                and not marks_of(self.object_name, case.row.by_field).isdisjoint(marks)
            )

    @property
    def object_name(self) -> ObjectName:
        """What the rows are."""
        return self.finder.object_name

    async def resolve(self, cases: Sequence[Case]) -> list[Resolved]:
        """One per case, in order. Raises KustomerError when Kustomer cannot be asked."""
        bodies = [_going_without(body, problem) for body, problem in await self.references(cases)]
        known = [
            Match(problem=problem) if problem else Match() if self.is_planned_create(case, body) else None
            for case, (body, problem, _) in zip(cases, bodies, strict=True)
        ]
        asking = [case for case, match in zip(cases, known, strict=True) if match is None]
        matches = iter(self._distinct(asking, await self.finder.find(asking) if asking else []))
        resolved = [
            Resolved(case, body, next(matches) if match is None else match, lacks=lacks)
            for case, (body, _, lacks), match in zip(cases, bodies, known, strict=True)
        ]
        return await self.with_dead_references(resolved)

    def on_record(self, write: Write, record: Record) -> None:
        """A single write was answered with the record: it may tell which id a tag's name has."""
        sent = (write.body if isinstance(write, Create) else write.patch.body).get("tags")
        if self.tags is not None and sent:
            self.tags.learn(sent, list(_tags_of(record)))

    def on_read(self, resolved: Resolved, record: Record) -> None:
        """A written record was read again, which may tell the same."""
        wanted, before = resolved.body.get("tags"), resolved.match.record
        if self.tags is not None and wanted:
            self.tags.learn([*wanted, *(_tags_of(before) if before else ())], list(_tags_of(record)))

    # --- references -----------------------------------------------------------------------------------------

    async def references(self, cases: Sequence[Case]) -> list[tuple[dict[str, object], Reason | None]]:
        """The bodies, company identifiers and tag names as ids; the reason where one is unknown.

        Raises KustomerError.
        """
        if self.links is not None:
            named = ((company, case.key) for case in cases if (company := case.row.body.get("company")))
            await self.links.resolve(grouped(named))
        if self.tags is not None and any(case.row.body.get("tags") for case in cases):
            await self.tags.load()
        return [self._with_ids(case) for case in cases]

    def _with_ids(self, case: Case) -> tuple[dict[str, object], Reason | None]:
        body, problem = dict(case.row.body), None
        company = body.get("company")
        if self.links is not None and company:
            problem = self.links.problem_of(company)
            body["company"] = self.links.id_of(company)
        if self.tags is not None and body.get("tags"):
            found = self.tags.ids_of(body["tags"])
            body["tags"] = list(found.ids)
            if found.unknown:
                named = ", ".join(mask_text(name) for name in found.unknown)
                text = f"Kustomer has no tag named {named}; make it there first"
                problem = Reason(ReasonCode.UNKNOWN_TAG, text, "tags")
        return body, problem

    # --- two rows for one record ----------------------------------------------------------------------------

    def _distinct(self, cases: Sequence[Case], matches: Sequence[Match]) -> list[Match]:
        holders: dict[str, list[str]] = defaultdict(list)
        for case, match in zip(cases, matches, strict=True):
            self.met.update(match.candidates)
            if match.record is not None:
                holders[match.record.id].append(case.key)
        self.met.update(holders)
        remembered = self._keys_remembered(set(holders))
        return [
            match if match.record is None else self._claim(case, match, match.record, holders, remembered)
            for case, match in zip(cases, matches, strict=True)
        ]

    def _claim(
        self,
        case: Case,
        match: Match,
        record: Record,
        holders: dict[str, list[str]],
        remembered: dict[str, list[tuple[str, bool]]],
    ) -> Match:
        """The first row to be a record has it; a record that another row of the frame has is not this row's."""
        known = remembered.get(record.id, [])
        elsewhere = [key for key, in_frame in known if in_frame and key not in holders[record.id]]
        first = self._claims.setdefault(record.id, next(iter(elsewhere), holders[record.id][0]))
        others = [key for key in dict.fromkeys([first, *holders[record.id]]) if key != case.key]
        if others and self._one_row_a_record:
            named = ", ".join(mask_key(key) for key in others[:3])
            text = f"the same record in Kustomer ({record.id}) as row {named}"
            return Match(problem=Reason(ReasonCode.SAME_RECORD, text), candidates=(record.id,))
        if first != case.key:
            return replace(match, same_as=first)
        return replace(match, displaced=tuple(key for key, _ in known if key != case.key))

    def _keys_remembered(self, ids: Collection[str]) -> dict[str, list[tuple[str, bool]]]:
        """Keys under which these records are remembered as accepted, and whether the source has them."""
        known = self._memory.snapshot
        there = pc.is_in(known.kustomer_ids, value_set=pa.array(sorted(ids), pa.string()))
        there = pc.and_(there, pc.equal(known.statuses, "accepted"))
        keys, records = known.keys.filter(there), known.kustomer_ids.filter(there)
        in_frame = pc.is_in(keys, value_set=self._frame_keys)
        found: dict[str, list[tuple[str, bool]]] = defaultdict(list)
        for id_, key, here in zip(records.to_pylist(), keys.to_pylist(), in_frame.to_pylist(), strict=True):
            found[id_].append((key, here))
        for id_, stayed in self._memory.holders(ids).items():
            found[id_] += [(one.key, True) for one in stayed]
        return found

    # --- dead references ------------------------------------------------------------------------------------

    async def with_dead_references(self, resolved: Sequence[Resolved]) -> list[Resolved]:
        """For updates that were refused: does the record refer to a company or a tag that is no longer there?"""
        refused = {
            place: one.match.record
            for place, one in enumerate(resolved)
            if one.match.record is not None and _was_refused(one.case)
        }
        if not refused:
            return list(resolved)
        linked = [(one.company_id, resolved[place].case.key) for place, one in refused.items() if one.company_id]
        companies = {company_id for company_id, _ in linked}
        with self.client.about(lambda: grouped(linked)):
            gone = companies - set(await self.client.get_many("companies", sorted(companies))) if companies else set()
        tags = await self._living_tags({tag for record in refused.values() for tag in _tags_of(record)})
        found = list(resolved)
        for place, record in refused.items():
            dead_tags = frozenset() if tags is None else frozenset(_tags_of(record)) - tags
            found[place] = replace(found[place], dead=DeadReferences(record.company_id in gone, dead_tags))
        return found

    async def _living_tags(self, wanted: Collection[str]) -> frozenset[str] | None:
        """Ids of the tags that are there; None where nobody can tell."""
        if not wanted:
            return frozenset()
        try:
            return frozenset(tag.id for tag in await self.client.tags() if not tag.deleted)
        except KustomerError:
            return None


def _going_without(
    body: Mapping[str, Any], problem: Reason | None
) -> tuple[Mapping[str, Any], Reason | None, Reason | None]:
    """(body, why the row cannot go, what it goes without). A link that the record has stays, as an unmapped one."""
    if problem is None or problem.code is not ReasonCode.WITHOUT_COMPANY:
        return body, problem, None
    return {name: value for name, value in body.items() if name != problem.field}, None, problem


def _was_refused(case: Case) -> bool:
    last = case.last
    return last is not None and last.operation == "update" and last.refusal is not None


def _tags_of(record: Record) -> Iterable[str]:
    return [str(tag) for tag in record.attributes.get("tags") or ()]
