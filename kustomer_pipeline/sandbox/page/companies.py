"""Companies: the list of them as trees, parents above their children, and one whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from ..records import Record, full_attributes
from ..state import SandboxState
from .customers import COLUMNS as CUSTOMER_COLUMNS
from .customers import customer_row
from .holders import Ids
from .html import Child, Html, chip, code, element, joined, link, quiet
from .links import company_link, spaced, tag_link, tag_links
from .parts import Row, facts, not_found, pager, section, table
from .parts import written as shown_time
from .record import changes, whole
from .visit import PAGE_SIZE, Sheet, Visit

_COLUMNS = ["Name", "External id", "Parent", "Children", "Customers", "Tags", "Changed", "rev"]
_BELOW = 200
"""Companies of one tree in the list; the page of each company shows all right below it."""
_MEMBERS = 25


def companies_page(visit: Visit) -> Sheet:
    """The list of companies; with `tag`, those that hold it, without the trees."""
    tag_id = visit.asked("tag")
    if not tag_id:
        return Sheet("Companies", section("Companies", _trees(visit)))
    state = visit.state
    holders = visit.holders.of_tag("company", tag_id)
    chosen = islice(holders, visit.start, visit.start + PAGE_SIZE)
    rows = [_row(visit, state.store.records["company"][company_id]) for company_id in chosen]
    tag = tag_link(state, tag_id, "company") if tag_id in state.store.tags.by_id else code(tag_id)
    note = quiet("Those that hold ", tag, ". ", link("All companies", "/companies"))
    return Sheet(
        "Companies", section("Companies", note, table(_COLUMNS, rows), pager(visit, len(rows), count=len(holders)))
    )


def company_page(visit: Visit, record_id: str) -> Sheet:
    """One company whole, its place in the hierarchy, and its customers."""
    state = visit.state
    record = state.store.find("company", record_id)
    if record is None:
        return not_found("company")
    attributes = full_attributes(record)
    members = visit.holders.of_company(record.id)
    above, below = _lineage(state, record.id), state.store.hierarchy.children_of(record.id)
    values: list[tuple[str, Child]] = [
        ("Id", code(record.id)),
        ("External id", attributes["externalId"] or "none"),
        ("Tags", tag_links(state, attributes["tags"], "company") or "none"),
        ("Customers", f"{len(members):,}"),
        ("Above it", spaced([company_link(state, company) for company in above], " / ") or "nothing"),
        *changes(visit, record),
    ]
    if record.deleted:
        values.insert(0, ("State", chip("deleted", "bad")))
    name = str(attributes["name"])
    return Sheet(
        name,
        joined(
            section(name, facts(values)),
            section("Right below it", _below(visit, below)) if below else None,
            section("Its customers", _members(visit, members)),
            whole(visit, record),
        ),
    )


def _lineage(state: SandboxState, company_id: str) -> list[str]:
    """The companies above this one, from the top."""
    above: list[str] = []
    parent = state.store.hierarchy.parent_of(company_id)
    while parent is not None:
        above.insert(0, parent)
        parent = state.store.hierarchy.parent_of(parent)
    return above


def _trees(visit: Visit) -> Html:
    """A page of the companies at the top, each with all below it."""
    state = visit.state
    tops = (company_id for company_id in state.store.company_ids if state.store.hierarchy.parent_of(company_id) is None)
    chosen = list(islice(tops, visit.start, visit.start + PAGE_SIZE))
    more = next(tops, None) is not None
    count = len(state.store.company_ids)
    rows = (row for company_id in chosen for row in _tree(visit, company_id))
    where = pager(visit, len(chosen), more=more) if more or visit.start else None
    return joined(quiet(f"{count:,}, each above its children.") if count else None, table(_COLUMNS, rows), where)


def _tree(visit: Visit, company_id: str) -> Iterator[Row]:
    store = visit.state.store
    for number, (depth, each) in enumerate(islice(_walk(visit.state, company_id), _BELOW + 1)):
        if number == _BELOW:
            more = link("the page of the company at the top", f"/companies/{company_id}")
            yield Row(joined("The rest: see ", more), *[None] * (len(_COLUMNS) - 1))
            return
        yield _row(visit, store.records["company"][each], depth)


def _walk(state: SandboxState, company_id: str, depth: int = 0) -> Iterator[tuple[int, str]]:
    """A company and all below it, parents first."""
    yield depth, company_id
    for child in state.store.hierarchy.children_of(company_id):
        yield from _walk(state, child, depth + 1)


def _row(visit: Visit, record: Record, depth: int = 0) -> Row:
    state = visit.state
    attributes = full_attributes(record)
    indent = "\u2003" * (depth - 1) + "\u2514 " if depth else ""
    return Row(
        joined(indent, company_link(state, record.id)),
        attributes["externalId"],
        company_link(state, state.store.hierarchy.parent_of(record.id)),
        len(state.store.hierarchy.children_of(record.id)) or None,
        f"{len(visit.holders.of_company(record.id)):,}",
        tag_links(state, attributes["tags"], "company"),
        shown_time(attributes["modifiedAt"]),
        record.rev,
    )


def _below(visit: Visit, company_ids: Iterable[str]) -> Html:
    records = visit.state.store.records["company"]
    return table(_COLUMNS, (_row(visit, records[company_id]) for company_id in company_ids), tall=True)


def _members(visit: Visit, ids: Ids) -> Html:
    records = visit.state.store.records["customer"]
    chosen = islice(ids, visit.start, visit.start + _MEMBERS)
    rows = [customer_row(visit.state, records[member]) for member in chosen]
    return element("div", table(CUSTOMER_COLUMNS, rows), pager(visit, len(rows), count=len(ids), size=_MEMBERS))
