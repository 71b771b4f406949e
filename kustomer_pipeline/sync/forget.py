"""One person forgotten: found, kept out of later runs, and removed from everything that the pipeline keeps.

    who → on the list: from now on no run writes anything of the person
        → found again, under the org's lock: state, Kustomer, copies
        → deleted in Kustomer, if asked for → copies in the warehouse → state → frames → receipt

In this order, so that whoever is killed in between asks for the same again and it goes on: what finds the person is
removed last.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from kustomer_pipeline.kustomer import KustomerClient, PermissionDeniedError, missing_roles

from .apply import collect_left_behind
from .persons import Copies, Finder, ForgetError, Who, named_person
from .spec import SyncSpec
from .state import Entry, Person, Receipt, StateStore, Traces

IN_KUSTOMER = "kustomer.customers"


@dataclass(frozen=True)
class Beyond:
    """What is to be removed besides the state. `warehouse`: before the state is, `frames`: after it, because they hold
    the identifiers themselves. `everywhere`: these are all the copies that there are."""

    warehouse: Sequence[Copies] = ()
    frames: Sequence[Copies] = ()
    everywhere: bool = False
    in_kustomer: bool = False

    @property
    def copies(self) -> Sequence[Copies]:
        """All of them."""
        return (*self.warehouse, *self.frames)


def forget(
    who: Who,
    *,
    client: KustomerClient,
    state: StateStore,
    specs: Sequence[SyncSpec] = (),
    beyond: Beyond = Beyond(),
    when_suppressed: Callable[[], None] = lambda: None,
) -> Receipt:
    """Forget a person. The same again goes on where it was stopped, and finds nothing where it was done.

    specs: the syncs of the project: under which keys they have whom. when_suppressed: called as soon as no new run
    writes anything of the person; waits for runs that began before.

    Raises ForgetError and PermissionDeniedError before anything is done; KustomerError, StateError and whatever copies
    raise half-way.
    """
    named, entry = named_person(who, specs)
    return client.run(_Forgetting(named, entry, client, state, specs, beyond, when_suppressed).done())


@dataclass(frozen=True)
class _Forgetting:
    """One call."""

    named: Person
    entry: Entry
    client: KustomerClient
    store: StateStore
    specs: Sequence[SyncSpec]
    beyond: Beyond
    when_suppressed: Callable[[], None]

    async def done(self) -> Receipt:
        """All steps."""
        token = await self.client.token()
        self._require_roles(token.roles)
        traces, receipts = self.store.traces(token.org_id), self.store.receipts(token.org_id)
        finder = Finder(self.client, traces, self.specs, self.beyond.copies)
        person = await finder.find(self.named)
        self._require_everywhere(traces, person)
        receipt = self._on_the_list(self._begun(token.org_id), person)
        self.when_suppressed()
        with self.store.lock(token.org_id) as lock:
            for sync in traces.syncs_with_jobs():
                await collect_left_behind(self.client, self.store.of(token.org_id, sync), receipt.receipt_id)
            person = await finder.find(self.named)  # a run may have gone on until now
            receipt = self._on_the_list(receipt, person)
            self._require_no_job(traces, person)
            receipt = _with(receipt, await self._deleted(person))
            for removed in self._removals(traces, person):
                receipt = _with(receipt, removed)
                receipts.keep(receipt)
                lock.check()
            traces.rebuild()
            receipt = replace(receipt, finished_at=self.store.now())
            receipts.keep(receipt)
        return receipt

    def _begun(self, org_id: str) -> Receipt:
        """A receipt, or the one that is not finished."""
        receipts, subject = self.store.receipts(org_id), self.store.suppressed(org_id).seal().of(self.entry)
        receipt = receipts.unfinished(subject) or Receipt(uuid.uuid4().hex, org_id, subject, self.store.now())
        receipts.keep(receipt)
        return receipt

    def _on_the_list(self, receipt: Receipt, person: Person) -> Receipt:
        """All that is known of the person is on the list, as of this receipt."""
        entries = {self.entry, *((person.object_name, field, value) for field, value in person.identifiers)}
        new = self.store.suppressed(receipt.org_id).add(entries, receipt.receipt_id)
        receipt = _with(receipt, {"suppressed": new})
        self.store.receipts(receipt.org_id).keep(receipt)
        return receipt

    def _removals(self, traces: Traces, person: Person) -> Iterator[Mapping[str, int]]:
        """Step by step: what was removed."""
        for place in self.beyond.warehouse:
            yield place.remove(person)
        yield {f"state.{table}": count for table, count in traces.remove(person).items()}
        for place in self.beyond.frames:
            yield place.remove(person)

    async def _deleted(self, person: Person) -> Mapping[str, int]:
        if not self.beyond.in_kustomer:
            return {}
        live = await self.client.get_many("customers", sorted(person.ids))
        for id_ in sorted(live):
            await self.client.delete_customer(id_)
        return {IN_KUSTOMER: len(live)}

    def _require_roles(self, roles: Collection[str]) -> None:
        if not self.beyond.in_kustomer:
            return
        if self.named.object_name != "customers":
            raise ForgetError("Only customers can be deleted in Kustomer; nothing was done")
        missing = missing_roles(roles, ["customer.read", "customer.delete"])
        if missing:
            raise PermissionDeniedError(
                f"The API key lacks what deleting in Kustomer needs: {', '.join(missing)}. Roles of a key cannot be "
                "changed: create a new key in Kustomer under Settings > Security > API Keys. Nothing was done."
            )

    def _require_no_job(self, traces: Traces, person: Person) -> None:
        """A create that is still in the queue would make the deleted record anew."""
        if self.beyond.in_kustomer and traces.under_way(person):
            raise ForgetError(
                "A bulk job with a record of this person is still in Kustomer's queue, and would come after the "
                "deletion. Nothing is sent any more; ask for the same again in some minutes"
            )

    def _require_everywhere(self, traces: Traces, person: Person) -> None:
        lined = sorted({row.sync for row in traces.rows(person) if row.has_line})
        if lined and not self.beyond.everywhere:
            raise ForgetError(
                f"The rows of {', '.join(lined)} are compared in the warehouse, which holds this person's as it was "
                "accepted: it has to go there too (--everywhere). Nothing was done"
            )


def _with(receipt: Receipt, more: Mapping[str, int]) -> Receipt:
    removed = dict(receipt.removed)
    for what, count in more.items():
        removed[what] = removed.get(what, 0) + count
    return replace(receipt, removed=removed)
