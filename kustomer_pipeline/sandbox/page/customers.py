"""Customers: the list of them, and one whole."""

from __future__ import annotations

from itertools import islice

from ..records import Record, digits, full_attributes
from ..state import SandboxState
from .html import Child, Html, chip, code, element, joined, link, quiet
from .links import company_link, lines, record_link, tag_link, tag_links
from .parts import Row, facts, not_found, pager, section, table, written
from .record import changes, whole
from .visit import PAGE_SIZE, Sheet, Visit

COLUMNS = ["Name", "E-mail", "External id", "Company", "Tags", "Changed", "rev"]


def customers_page(visit: Visit) -> Sheet:
    """The list of customers: all, those who hold a tag, or whoever has an identifier."""
    find, tag_id = visit.asked("find"), visit.asked("tag")
    if find:
        found = [customer_row(visit.state, record) for record in _found(visit.state, find)]
        body = table(COLUMNS, found) if found else quiet("Nobody has that.")
        return Sheet("Customers", section("Customers", _search(visit), body))
    note = None
    if tag_id:
        known = tag_id in visit.state.store.tags.by_id
        tag = tag_link(visit.state, tag_id, "customer") if known else code(tag_id)
        note = quiet("Those who hold ", tag, ". ", link("All customers", "/customers"))
    return Sheet("Customers", section("Customers", _search(visit), note, customers_list(visit, tag_id)))


def customers_list(visit: Visit, tag_id: str = "", *, tall: bool = False) -> Html:
    """A page of the list."""
    store = visit.state.store
    ids = visit.holders.of_tag("customer", tag_id) if tag_id else store.live["customer"]
    chosen = islice(ids, visit.start, visit.start + PAGE_SIZE)
    rows = [customer_row(visit.state, store.records["customer"][record_id]) for record_id in chosen]
    return joined(table(COLUMNS, rows, tall=tall), pager(visit, len(rows), count=len(ids)))


def customer_row(state: SandboxState, record: Record) -> Row:
    """A customer in a list."""
    attributes = full_attributes(record)
    return Row(
        link(str(attributes["displayName"]), f"/customers/{record.id}"),
        lines([item["email"] for item in attributes["emails"]]),
        attributes["externalId"],
        company_link(state, record.company),
        tag_links(state, attributes["tags"], "customer"),
        written(attributes["modifiedAt"]),
        record.rev,
    )


def customer_page(visit: Visit, record_id: str) -> Sheet:
    """One customer whole."""
    state = visit.state
    record = state.store.find("customer", record_id)
    if record is None:
        return not_found("customer")
    attributes = full_attributes(record)
    target = state.store.merged.get(record.id)
    values: list[tuple[str, Child]] = [
        ("Id", code(record.id)),
        ("Company", company_link(state, record.company) or "none"),
        ("Tags", tag_links(state, attributes["tags"], "customer") or "none"),
        *changes(visit, record),
    ]
    if target:
        values.insert(0, ("Merged into", record_link(state, "customer", target)))
    if record.deleted:
        values.insert(0, ("State", chip("merged" if target else "deleted", "bad")))
    name = str(attributes["displayName"])
    return Sheet(name, joined(section(name, facts(values)), whole(visit, record)))


def _search(visit: Visit) -> Html:
    if visit.refresh:
        return quiet("The search is back when the page does not refresh itself.")
    field = element("input", name="find", value=visit.asked("find"), type="search")
    label = element("label", "Id, e-mail, phone or external id", field, class_="wide")
    return element("form", label, element("button", "Find"), class_="row", action="/customers")


def _found(state: SandboxState, text: str) -> list[Record]:
    """The customers with this identifier, each once."""
    store = state.store
    found = [store.find("customer", text), store.owner("email", text.lower()), store.owner("externalId", text)]
    if digits(text):
        found.append(store.owner("phone", digits(text)))
    return list({record.id: record for record in found if record is not None}.values())
