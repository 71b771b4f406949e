"""Rows in, decisions out, written until each has its outcome. What a run and a plan have in common.

settle:   rows → links, tags → who are they → decisions        (reads Kustomer; the plan stops here)
attempt:  settle → finish what needs no write → write the rest → settle again what was refused or unanswered
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kustomer_pipeline.kustomer import KustomerClient, Record

from .decide import Decider, rejected
from .identity import UNIQUE, Finder
from .links import CompanyLinks
from .masking import mask_key, mask_text
from .readback import Sample
from .remembered import LogLine, RowState, Snapshot
from .report import Ledger, Outcome
from .rows import Create, Decision, Done, Match, Row, Update
from .spec import AudienceSpec, ObjectSpec
from .sync_state import SyncState
from .tags import TagNames
from .writer import Writer, Written

ROUNDS = 4
_EXPLANATIONS_A_RUN = 200


@dataclass
class Engine:
    """Settles and attempts the rows of one sync. `writer` and `ledger` are absent when only planning."""

    spec: ObjectSpec | AudienceSpec
    client: KustomerClient
    state: SyncState
    run_id: str
    decider: Decider
    finder: Finder
    snapshot: Snapshot
    frame_keys: pa.Array
    ledger: Ledger
    writer: Writer | None = None
    links: CompanyLinks | None = None
    tag_names: TagNames | None = None
    on_step: Callable[[], None] = lambda: None
    sample: Sample | None = None
    removed: int = 0
    claims: dict[str, str] = field(default_factory=dict)
    protected: set[str] = field(default_factory=set)
    orphans: set[str] = field(default_factory=set)
    _explanations_left: int = _EXPLANATIONS_A_RUN

    # --- settling -------------------------------------------------------------------------------------------

    def settle(self, rows: Sequence[Row]) -> list[Decision]:
        """One decision per row, in order. Raises KustomerError when Kustomer cannot be asked."""
        problems = self._resolve(rows)
        asking = [row for index, row in enumerate(rows) if index not in problems]
        matches = iter(self._distinct(asking, self._match(asking)))
        return [
            problems[index] if index in problems else self._decide(row, next(matches)) for index, row in enumerate(rows)
        ]

    def _resolve(self, rows: Sequence[Row]) -> dict[int, Decision]:
        """Company identifiers and tag names become Kustomer ids; rows whose company or tag is unknown are rejected."""
        problems: dict[int, Decision] = {}
        if self.links is not None:
            self.links.resolve(row.source["company"] for row in rows if row.source.get("company"))
        for index, row in enumerate(rows):
            resolved = dict(row.source)
            company = row.source.get("company")
            if self.links is not None and company:
                problem = self.links.problem_of(company)
                if problem is not None:
                    problems[index] = rejected(row, problem)
                resolved["company"] = self.links.id_of(company)
            if self.tag_names is not None and resolved.get("tags"):
                resolved["tags"], unknown = self.tag_names.ids_of(resolved["tags"])
                if unknown:
                    named = ", ".join(mask_text(name) for name in unknown)
                    problems[index] = rejected(row, f"Kustomer has no tag named {named}; make it there first")
            row.desired = resolved
        return problems

    def _match(self, rows: Sequence[Row]) -> list[Match]:
        """Who the rows are. Members who left are known by their Kustomer id alone."""
        leaving = [row.known_id for row in rows if row.leaving and row.known_id]
        live = self.client.get_many("customers", leaving) if leaving else {}
        found = iter(self.finder.find([row for row in rows if not row.leaving]))
        return [Match(live.get(row.known_id or ""), proven=True) if row.leaving else next(found) for row in rows]

    def _distinct(self, rows: Sequence[Row], matches: Sequence[Match]) -> list[Match]:
        """Two rows for one record: for objects nobody can say which is right, in an audience one is enough."""
        staying = [(row, match) for row, match in zip(rows, matches, strict=True) if not row.leaving]
        for _, match in staying:
            self.protected.update(match.candidates)
        holders: dict[str, list[str]] = defaultdict(list)
        for row, match in staying:
            if match.record is not None:
                holders[match.record.id].append(row.key)
        self.protected.update(holders)
        in_state = self._keys_in_state(set(holders))
        return [
            match if match.record is None or row.leaving else self._claim(row, match, holders, in_state)
            for row, match in zip(rows, matches, strict=True)
        ]

    def _claim(self, row: Row, match: Match, holders: dict[str, list[str]], in_state: dict[str, list[str]]) -> Match:
        assert match.record is not None
        id_ = match.record.id
        elsewhere = [key for key in in_state.get(id_, ()) if key not in holders[id_]]
        first = self.claims.get(id_) or next(iter(elsewhere), holders[id_][0])
        self.claims[id_] = first
        others = [key for key in dict.fromkeys([first, *holders[id_]]) if key != row.key]
        if isinstance(self.spec, ObjectSpec) and others:
            named = ", ".join(mask_key(key) for key in others[:3])
            return Match(problem=f"the same record in Kustomer ({id_}) as row {named}", candidates=(id_,))
        return match if first == row.key else replace(match, same_as=first)

    def _keys_in_state(self, ids: set[str]) -> dict[str, list[str]]:
        """Keys of this frame under which the state has these records as landed."""
        known = self.snapshot
        there = pc.is_in(known.kustomer_ids, value_set=pa.array(sorted(ids), pa.string()))
        there = pc.and_(there, pc.equal(known.statuses, "accepted"))
        keys, records = known.keys.filter(there), known.kustomer_ids.filter(there)
        in_frame = pc.is_in(keys, value_set=self.frame_keys)
        found: dict[str, list[str]] = defaultdict(list)
        for id_, key in zip(records.filter(in_frame).to_pylist(), keys.filter(in_frame).to_pylist(), strict=True):
            found[id_].append(key)
        return found

    def _decide(self, row: Row, match: Match) -> Decision:
        found = match.record.id if match.record else None
        if row.owned_before and not row.leaving and row.known_id not in (None, found):
            self.orphans.add(row.known_id or "")  # tagged by us and now somebody else: it leaves like any other member
        if match.same_as is not None and match.record is not None:
            reason = f"the same customer as row {mask_key(match.same_as)}"
            return Done(row, Outcome.SKIPPED, match.record.id, reason, remember="skipped")
        return self.decider.decide(row, match, self._explain)

    def _explain(self, row: Row, record: Record | None) -> str:
        """Why Kustomer refused a row: in its words, and whose identifier stands in the way if one does."""
        said = f"Kustomer refused it: {row.refusal}"
        if self._explanations_left <= 0:
            return said
        self._explanations_left -= 1
        for name in UNIQUE[self.spec.object]:
            for value in row.identifiers(name):
                for other in self.client.look_up(self.spec.object, name, value):
                    if record is None or other.id != record.id:
                        return f"its {name} belongs to another record in Kustomer ({other.id}); {said}"
        return said

    # --- attempting -----------------------------------------------------------------------------------------

    def attempt(self, rows: Sequence[Row]) -> None:
        """Bring rows to their outcome. Raises KustomerError; what was settled by then stays settled."""
        todo = list(rows)
        for _ in range(ROUNDS):
            if not todo:
                return
            todo = self._round(todo)
        for row in todo:
            self._set(row, Outcome.DEFERRED, reason="it kept changing in Kustomer while it was written; next run")

    def _round(self, rows: list[Row]) -> list[Row]:
        assert self.writer is not None
        decisions = self.settle(rows)
        self.finish([decision for decision in decisions if isinstance(decision, Done)])
        again: list[Row] = []
        writes = [decision for decision in decisions if not isinstance(decision, Done)]
        self.writer.write(writes, lambda written: self._written(written, again))
        return again

    def finish(self, dones: Sequence[Done]) -> None:
        """Rows that need no write: their outcome, and what the state keeps of them."""
        states, forget, log = [], [], []
        for done in dones:
            row, kept = done.row, done.remember
            self._set(row, done.outcome, done.kustomer_id, done.reason)
            removed = row.leaving and row.maybe_updated  # the answer was lost, the work was done
            self.removed += removed
            log.append(LogLine(row.key, "removed" if removed else str(done.outcome), done.kustomer_id, done.reason))
            if kept == "forget":
                if not row.young:
                    forget.append(row.key)
            elif kept == "rejected" and not row.leaving:
                id_ = done.kustomer_id or row.known_id
                states.append(
                    RowState(
                        row.key,
                        "rejected",
                        None,
                        id_,
                        owned=row.owned,
                        sent_lists=row.sent_lists,
                        reason=done.reason,
                    )
                )
            elif kept is not None and not row.leaving:
                owned = row.owned and kept == "accepted"
                lists = row.new_lists if kept == "accepted" else row.sent_lists
                fingerprint = None if row.young else row.fingerprint
                states.append(RowState(row.key, kept, fingerprint, done.kustomer_id, owned=owned, sent_lists=lists))
        for id_ in self.orphans:
            states.append(RowState(f"id={id_}", "accepted", None, id_, owned=True))
        self.orphans.clear()
        unlearned, self.finder.unlearned = self.finder.unlearned, []
        for object_, field_, values in unlearned:
            self.state.unlearn(object_, field_, values)
        learned, self.finder.learned = self.finder.learned, []
        if self.links is not None:
            learned += self.links.learned
            self.links.learned = []
        if states or forget or log or learned:
            self.state.remember(self.run_id, states, log=log, forget=forget, identities=learned)
        self.on_step()

    def _written(self, written: list[Written], again: list[Row]) -> None:
        for one in written:
            row = one.decision.row
            created = isinstance(one.decision, Create)
            if one.result == "done":
                self.removed += row.leaving
                if self.sample is not None and one.kustomer_id is not None:
                    self.sample.add(row, one.kustomer_id, self.decider)
                self._set(row, Outcome.CREATED if created else Outcome.UPDATED, one.kustomer_id)
            elif one.result == "unfinished":
                reason = "sent, and still in Kustomer's queue; the next run collects the answer"
                self._set(row, Outcome.DEFERRED, reason=reason)
            elif one.result == "rejected":
                self.finish([rejected(row, f"Kustomer refused it: {one.error}", row.known_id)])
            else:
                self._look_again(one)
                again.append(row)
        self.on_step()

    def _look_again(self, one: Written) -> None:
        """A refused or unanswered write: the row is settled anew, from what Kustomer holds by then."""
        row = one.decision.row
        row.doubt = True
        row.refusal = one.error if one.result == "refused" else None
        if isinstance(one.decision, Update):
            row.sent, row.sent_rev, row.known_id = "update", one.decision.live.rev, one.decision.live.id
            row.maybe_updated |= one.result == "unknown"
            row.young |= one.lost
        else:
            row.sent = "create"
            row.maybe_created |= one.result == "unknown"
            if one.result == "refused":
                self.finder.refused_as_existing(self.spec.match_on[0], 1)

    def _set(self, row: Row, outcome: Outcome, kustomer_id: str | None = None, reason: str | None = None) -> None:
        if row.position >= 0:
            self.ledger.set(row.position, outcome, kustomer_id=kustomer_id, reason=reason)


def frame_keys(mapped: pd.DataFrame) -> pa.Array:
    """The keys of a mapped frame as one Arrow array."""
    array = pa.array(mapped["_key"], type=pa.string(), from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def identities_of(spec: ObjectSpec | AudienceSpec) -> Callable[[Create | Update, str], list[tuple[str, str, str, str]]]:
    """What a written row teaches about where its unique identifiers are."""

    def identities(decision: Create | Update, kustomer_id: str) -> list[tuple[str, str, str, str]]:
        if decision.row.leaving:
            return []
        return [
            (spec.object, name, value, kustomer_id)
            for name in UNIQUE[spec.object]
            for value in decision.row.identifiers(name)
        ]

    return identities
