"""A sync of an org opened: from a specification and a frame to the stream of its decisions.

    spec → strategy (this is where the kind of sync is asked for) → memory of its scope → resolver → stream

The scope of what is remembered is '' for records, and the tag's id for audiences: another tag, or the same one made
anew, starts from nothing, and whom the old one was given to stays known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pandas as pd

from kustomer_pipeline.kustomer import KustomerClient
from kustomer_pipeline.mapping import INVALID, KEY

from .audience_tag import BY_NAME, UNMADE, TagOfAudience, known_tag, notes_on_former_names, notes_on_former_tags, tag_of
from .desired import Desired
from .expected import NOTHING, Marks
from .guard import Guard
from .ledger import Ledger
from .memory import Apart, Memory, Part, Whole
from .permit import FREE, Permit, Waiting
from .reconcile import Stream
from .resolve import CompanyLinks, Finder, Resolver, TagNames
from .rest import Rest, require_same
from .selection import unknown_keys
from .spec import AudienceSpec, ObjectSpec, RemovalLimit, RunOptions, SyncSpec
from .state import OrgState, StateStore, SyncState
from .strategies import Audience, Leavers, Objects, Strategy
from .suppression import NOBODY

WIRE_FACT = "wire"  # what was found out about the org's wire
PROOFS_OF_A_PLAN = 200  # rows that a plan proves absent by path look-ups


@dataclass(frozen=True)
class Opened:
    """A stream and what belongs to it. `tag`: of an audience. `notes`: what a person should know."""

    stream: Stream
    state: SyncState
    strategy: Strategy
    tag: TagOfAudience | None = None
    notes: tuple[str, ...] = ()

    @property
    def memory(self) -> Memory:
        """What is remembered of its rows."""
        return self.stream.desired.memory


class Opening:
    """Opens one sync for a run or a plan. Needs the client's token to be read."""

    def __init__(
        self,
        spec: SyncSpec,
        mapped: pd.DataFrame,
        client: KustomerClient,
        store: StateStore,
        org_id: str,
        options: RunOptions,
        *,
        planning: bool = False,
        rest: Rest | None = None,
    ) -> None:
        self.spec = spec
        self.mapped = mapped
        self.left_out = NOBODY
        self.client, self.store = client, store
        self.org: OrgState = store.org(org_id)
        self.org_id = org_id
        self.options = options
        self.planning = planning
        self.rest = rest
        self.permit: Permit = FREE
        self.expected: Marks = NOTHING
        # What is remembered under the sync's former name, as long as nothing is under its own.
        known, former = dict(self.org.syncs()), spec.renamed_from
        self.name = former if planning and former and former in known and spec.name not in known else spec.name

    async def open(self, under_way: frozenset[str] = frozenset()) -> Opened:
        """The stream of the sync. Raises KustomerError. A tag that is missing and wanted is made (not by a plan).

        What the tag's id was last time is good enough where nothing is to be done: an unchanged audience costs nothing.
        """
        if isinstance(self.spec, ObjectSpec):
            allowed = self.client.wire.writable(self.spec.object, "update", False)
            objects = Objects.of(self.spec, allowed)
            return self._opened(lambda _: objects, "", under_way, None)
        known = known_tag(self.spec.tag, self.org)
        self.bring_together(known)
        opened = self.open_audience(self.spec, known, under_way) if known.id is not None else None
        if opened is not None and opened.stream.idle:
            return opened
        make, remember = self._may_make_tag, not self.planning
        tag = await tag_of(self.client, self.org, self.spec, known, make=make, remember=remember)
        if opened is not None and tag.scope == known.scope:
            return opened
        self.bring_together(tag)
        return self.open_audience(self.spec, tag, under_way)

    def bring_together(self, tag: TagOfAudience) -> None:
        """What was remembered before the tag's id was known belongs to the id."""
        by_name = f"{BY_NAME}{tag.name.casefold()}"
        if tag.id is not None and not self.planning and by_name in dict(self.org.scopes(self.name)):
            self.org.move_scope(self.name, by_name, tag.id)

    def open_audience(self, spec: AudienceSpec, tag: TagOfAudience, under_way: frozenset[str] = frozenset()) -> Opened:
        """The stream of an audience whose tag is known, as far as it can be."""
        adopts = self.options.adopt
        return self._opened(lambda known: Audience(spec, tag.id, known.owned, adopts), tag.scope, under_way, tag)

    def by_name(self, opened: Opened, under_way: frozenset[str]) -> Opened | None:
        """The audience as one that adds its tag by name, for a key that may not read tags; None where the id is known,
        or there is nobody to learn it from."""
        tag = opened.tag
        if not isinstance(self.spec, AudienceSpec) or tag is None or tag.id is not None or tag.readable:
            return None
        if not len(opened.stream.selected.positions):
            return None
        return self.open_audience(replace(self.spec, mode="add"), tag, under_way)

    def with_tag(self, tag: TagOfAudience, under_way: frozenset[str]) -> Opened:
        """The audience, now that its tag's id is known."""
        assert isinstance(self.spec, AudienceSpec)
        return self.open_audience(self.spec, tag, under_way)

    def clean_ups(self, tag: TagOfAudience | None) -> Iterator[Opened]:
        """Audiences of nobody, one for each tag that this sync gave and no longer has: everybody leaves them."""
        if not isinstance(self.spec, AudienceSpec) or tag is None:
            return
        for scope, count in self.org.scopes(self.name):
            if count and scope not in (tag.scope, UNMADE, ""):
                everybody = RemovalLimit(share=1.0, count=count)  # asked for by name: nothing for the guard
                spec = replace(self.spec, mode="mirror", mirror_scope="owned", tag=scope, max_removals=everybody)
                nobody = Opening(spec, self.mapped.iloc[:0], self.client, self.store, self.org_id, self.options)
                nobody.permit = self.permit
                yield nobody.open_audience(spec, TagOfAudience(scope, scope))

    @property
    def _may_make_tag(self) -> bool:
        """A plan makes nothing, a run that waits for approval neither, and an audience of nobody needs no tag."""
        return not self.planning and not isinstance(self.permit, Waiting) and bool(self.mapped[INVALID].isna().any())

    def _notes(self, tag: TagOfAudience | None) -> list[str]:
        """What a person should know of the key, and of tags given under another name."""
        notes = list(self.client.abilities.lines())
        if tag is not None:
            known_as = {self.name, self.spec.name}
            notes += notes_on_former_tags(self.org, self.name, tag) + notes_on_former_names(self.org, known_as, tag)
        return notes

    # --- the stream -----------------------------------------------------------------------------------------

    def _opened(
        self,
        strategy_of: Callable[[Memory], Strategy],
        scope: str,
        under_way: frozenset[str],
        tag: TagOfAudience | None,
    ) -> Opened:
        """What is remembered is read once, for the strategy and for all that follows."""
        state = self.store.of(self.org_id, self.name, scope)
        memory = self._memory(state)
        strategy = strategy_of(memory)
        desired = Desired(
            self.spec,
            self.mapped,
            state,
            memory,
            self.client.clock,
            full_resync=self.options.every_row,
            again=self.options.asked_for,
            keep_first_of_repeated=not strategy.one_row_a_record,
        )
        resolver = self._resolver(strategy, desired, state)
        leavers = None
        if isinstance(self.spec, AudienceSpec) and isinstance(strategy, Audience) and self.spec.mode == "mirror":
            leavers = Leavers(self.client, desired, self.spec, strategy, resolver)
        stream = Stream(
            self.client,
            desired,
            resolver,
            strategy,
            Guard(self.org_id, self.spec.name, scope, state.approvals.used(), asks=not self.permit.judged_already),
            Ledger(self.mapped[KEY]),
            self.options,
            leavers=leavers,
            under_way=under_way,
            planning=self.planning,
            permit=self.permit,
        )
        return Opened(stream, state, strategy, tag, tuple(self._notes(tag)))

    def _memory(self, state: SyncState) -> Memory:
        """What is remembered: of every row, or of those that left the warehouse. Raises RowsOutOfDateError."""
        if self.spec.shard is not None:
            return Apart(state, state.rows.snapshot())
        if self.rest is None or self.rest.whole:
            return Whole(state.rows.snapshot())
        require_same(
            self.rest,
            state.scope,
            self.spec.signature,
            state.lines.trusted(),
            every_row=self.options.every_row,
            lacking=bool(unknown_keys(self.options, self.mapped[KEY])),
        )
        keys = [*self.mapped[KEY], *self.left_out.keys, *self.rest.gone()]
        return Part(state, state.rows.snapshot_of(keys), self.rest)

    def _resolver(self, strategy: Strategy, desired: Desired, state: SyncState) -> Resolver:
        unknown = desired.unknown()
        as_planned = self.planning or self.permit.judged_already  # what a plan was made of comes out as in the plan
        finder = Finder(
            self.client,
            state.identities,
            self.spec.object,
            self.spec.match_on,
            unknown=len(unknown),
            wanted=lambda: desired.identifiers_of(unknown),
            creates_prove=strategy.creates_prove and not as_planned,
            every_rung=not strategy.one_row_a_record,
            proofs=PROOFS_OF_A_PLAN if self.planning else None,
        )
        link = next((mapping for mapping in self.spec.fields if mapping.field == "company"), None)
        links = None
        if link is not None:
            different = self.mapped["company"].dropna().unique().tolist()
            match, reject = link.match or "externalId", link.missing != "send_without"
            links = CompanyLinks(self.client, state.identities, match, different, self.expected, reject=reject)
        tags = TagNames(self.client, self.org) if any(mapping.field == "tags" for mapping in self.spec.fields) else None
        resolver = Resolver(
            self.client,
            finder,
            desired.memory,
            desired.compared.keys,
            one_row_a_record=strategy.one_row_a_record,
            links=links,
            tags=tags,
        )
        if self.spec.tag is not None:
            resolver.expect(self.expected)
        return resolver
