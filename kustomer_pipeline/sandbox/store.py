"""The org's records, in memory: unique identifiers, links, revisions, tags. Knows nothing of HTTP.

Every write makes a new `Record` and appends it to `changes`, from which the search index catches up in its
own time. Lookups go by index. Callers hold the org's lock.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any

from .audit import ACTIVITY, AuditLog
from .custom import Metadata
from .errors import bad_parameter, duplicate, not_found, outdated
from .hierarchy import Hierarchy
from .merging import merged
from .ordering import Key, Order
from .records import Json, Record, changed, identifiers
from .tags import TagBook
from .times import iso

_IDENTIFIER_PARAMETERS = {
    "email": "emails",
    "phone": "phones",
    "whatsapp": "whatsapps",
    "social": "socials",
    "externalId": "externalId",
    "companyExternalId": "externalId",
}


@dataclass(frozen=True)
class WriteOptions:
    """How a write is done where Kustomer's documentation leaves a choice; each is a switch in faults.py."""

    replace: bool = False
    unlink_company: bool = False
    """A customer update without `company` takes the link away (docs/kustomer.md section 4.4)."""
    ignore_rev: bool = False
    auto_create_tags: bool = True
    keep_deleted_external_id: bool = False
    """The externalId of a deleted company stays taken."""
    refuse_untag: bool = False
    """An update that takes a tag away from a record is refused."""
    refuse_dead_tags: bool = False
    """A deleted tag is refused although the record holds it already."""
    conflicts: Callable[[], bool] | None = None
    """Asked for each update with `rev`: whether it is refused whatever the rev."""


class Store:
    """Customers, companies, tags and metadata of one org."""

    def __init__(self) -> None:
        self.records: dict[str, dict[str, Record]] = {"customer": {}, "company": {}}
        self.live: dict[str, dict[str, None]] = {"customer": {}, "company": {}}
        self.changes: deque[Record] = deque()
        self.company_ids: list[str] = []
        """In the order in which they were made."""
        self.customers_by = {"createdAt": Order(), "updatedAt": Order()}
        self.merged: dict[str, str] = {}
        """Customers that were merged away, and into whom."""
        self.metadata = Metadata()
        self.audit = AuditLog()
        self.tags = TagBook(self.new_id, self.audit.add)
        self.hierarchy = Hierarchy(lambda company_id: self.find("company", company_id), self.new_id)
        self._companies: dict[str, dict[str, None]] = {}
        self._owners: dict[tuple[Hashable, ...], str] = {}
        self._machine = secrets.token_hex(5)
        self._count = secrets.randbelow(1 << 20)

    def new_id(self, now: float) -> str:
        """24 hexadecimal digits that grow with time."""
        self._count += 1
        return f"{int(now) & 0xFFFFFFFF:08x}{self._machine}{self._count & 0xFFFFFF:06x}"

    # ---- reading ----

    def find(self, kind: str, record_id: str) -> Record | None:
        """The record, deleted or not."""
        return self.records[kind].get(record_id.lower())

    def owner(self, *identifier: Hashable) -> Record | None:
        """The record that has a unique identifier: `owner("email", "jane@x.com")`, `owner("phone", "15550001")`,
        `owner("companyExternalId", "7")`.
        """
        record_id = self._owners.get(identifier)
        kind = "company" if identifier[0] == "companyExternalId" else "customer"
        return self.records[kind][record_id] if record_id else None

    def companies_with(self, external_id: str) -> list[Record]:
        """The companies with this externalId: a deleted one has it still, but does not own it any more."""
        return [self.records["company"][record_id] for record_id in self._companies.get(external_id, ())]

    def exists(self, record_id: str) -> bool:
        """Whether any record that is not deleted has this id."""
        return any(record_id.lower() in live for live in self.live.values())

    # ---- writing ----

    def create(self, kind: str, body: Json, *, by: str, now: float, options: WriteOptions) -> Record:
        """A new record; raises the refusal (duplicate identifier, company that is not there, unknown tag)."""
        return self._write(kind, None, body, by=by, now=now, options=options)

    def update(self, kind: str, record_id: str, body: Json, *, by: str, now: float, options: WriteOptions) -> Record:
        """The changed record; raises the refusal, also for a `rev` that is not the current one."""
        current = self.find(kind, record_id)
        if current is None or (current.deleted and kind == "customer"):
            raise not_found("id")
        if "rev" in body and not options.ignore_rev:
            conflict = options.conflicts is not None and options.conflicts()
            if conflict or body["rev"] != current.rev:
                raise outdated(current.rev)
        return self._write(kind, current, body, by=by, now=now, options=options)

    def delete(self, kind: str, record_id: str, *, by: str, now: float) -> None:
        """Delete a customer: it is gone for every read, and its identifiers are free again."""
        current = self.find(kind, record_id)
        if current is None or current.deleted:
            raise not_found("id")
        stamp = iso(now)
        attributes = {**current.attributes, "deleted": True, "updatedAt": stamp, "modifiedAt": stamp}
        attributes["rev"] = current.rev + 1
        self._put(current, replace(current, attributes=attributes, modified_by=by, at=now), frees=True)

    def merge(self, source_id: str, target_id: str, *, by: str, now: float) -> Record:
        """Merge a customer into another: the source is gone, and the target has what identified it (section 4.1)."""
        source, target = self._live_customer(source_id, "source"), self._live_customer(target_id, "target")
        if source.id == target.id:
            raise bad_parameter("The source is the target", "source")
        attributes, company = merged(source, target, now)
        self.delete("customer", source.id, by=by, now=now)
        self.merged[source.id] = target.id
        record = replace(target, attributes=attributes, company=company, modified_by=by, at=now)
        self._put(target, record, said="merge")
        return record

    def _live_customer(self, record_id: str, parameter: str) -> Record:
        record = self.find("customer", record_id)
        if record is None or record.deleted:
            raise not_found(parameter)
        return record

    def touch(self, kind: str, record_id: str, *, now: float) -> Record:
        """Activity that changes no attribute: `rev` and `updatedAt` move, `modifiedAt` does not."""
        current = self.find(kind, record_id)
        if current is None or current.deleted:
            raise not_found("id")
        attributes = {**current.attributes, "updatedAt": iso(now), "rev": current.rev + 1}
        record = replace(current, attributes=attributes, at=now)
        self._put(current, record, said=ACTIVITY)
        return record

    def _write(
        self, kind: str, current: Record | None, body: Json, *, by: str, now: float, options: WriteOptions
    ) -> Record:
        company = self._linked_company(kind, current, body, options)
        attributes = self._attributes(kind, current, body, now, options)
        record_id = current.id if current else self.new_id(now)
        frees = bool(attributes.get("deleted")) and not options.keep_deleted_external_id
        if not frees:
            self._refuse_duplicates(kind, record_id, attributes)
        if "tags" in body:
            held = current.attributes.get("tags", ()) if current else ()
            ids = self.tags.resolve(
                body["tags"],
                held=() if options.refuse_dead_tags else held,
                auto_create=options.auto_create_tags,
                by=by,
                now=now,
            )
            if options.refuse_untag and not set(held) <= set(ids):
                raise bad_parameter("Tags may not be removed", "tags")
            attributes.pop("tags", None)
            if ids:
                attributes["tags"] = ids
        record = Record(kind, record_id, attributes, company, current.created_by if current else by, by, now)
        self._put(current, record, frees=frees)
        return record

    def _attributes(
        self, kind: str, current: Record | None, body: Json, now: float, options: WriteOptions
    ) -> dict[str, Any]:
        if current is None:
            return changed(kind, {}, body, now, rev=1)
        before = current.attributes
        if options.replace:
            before = {name: before[name] for name in ("createdAt", "importedAt") if name in before}
        return changed(kind, before, body, now, rev=current.rev + 1)

    def _linked_company(self, kind: str, current: Record | None, body: Json, options: WriteOptions) -> str | None:
        if kind == "company":
            return None
        if "company" not in body:
            lost = current is None or options.unlink_company or options.replace
            return None if lost or current is None else current.company
        wanted = body["company"]
        if wanted is None:
            return None
        company = self.find("company", wanted)
        if company is None or company.deleted:
            raise bad_parameter("Company not found", "company")
        return company.id

    def _refuse_duplicates(self, kind: str, record_id: str, attributes: Json) -> None:
        for identifier in identifiers(kind, attributes):
            if self._owners.get(identifier, record_id) != record_id:
                raise duplicate(_IDENTIFIER_PARAMETERS[str(identifier[0])])

    def _put(self, before: Record | None, record: Record, *, frees: bool = False, said: str | None = None) -> None:
        self.audit.add(before, record, said)
        if record.kind == "company":
            self._put_company(before, record)
        else:
            for name, order in self.customers_by.items():
                order.move(_key(before, name), _key(record, name))
        if before is not None:
            for identifier in identifiers(record.kind, before.attributes):
                if self._owners.get(identifier) == record.id:
                    del self._owners[identifier]
        if not frees:
            for identifier in identifiers(record.kind, record.attributes):
                self._owners[identifier] = record.id
        self.records[record.kind][record.id] = record
        if record.deleted:
            self.live[record.kind].pop(record.id, None)
        else:
            self.live[record.kind][record.id] = None
        self.changes.append(record)

    def _put_company(self, before: Record | None, record: Record) -> None:
        if before is None:
            self.company_ids.append(record.id)
        elif "externalId" in before.attributes:
            self._companies[before.attributes["externalId"]].pop(record.id)
        if "externalId" in record.attributes:
            self._companies.setdefault(record.attributes["externalId"], {})[record.id] = None


def _key(record: Record | None, name: str) -> Key | None:
    return None if record is None or record.deleted else (record.attributes[name], record.id)
