"""What search takes, and what it knows: mostly through the client's own search, so that a run cannot differ."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from kustomer_pipeline.kustomer import BadRequestError, Record, data_items, identifiers

from .facts import Facts
from .findings import Finding, Level
from .questions import latest, meta_of, parsed, values_of

SECTION = "org"
_FIELDS = ("email", "externalId", "phone")
_DOCUMENTED = 20  # criteria of `or` (docs/kustomer.md section 8)
_FORGETS_AFTER = timedelta(days=2 * 365)
_PAGES = 100  # that a search gives


def many_values(facts: Facts) -> list[Finding]:
    """Whether `in` works for each identifier, and the size of a page: the client finds both out by searching."""
    live = latest(facts.samples["customers"].live)
    found = []
    for field in _FIELDS:
        name = f"search with in, {field}"
        values = values_of(live, field, 3)
        if len(values) < 2:
            found.append(Finding(SECTION, name, Level.UNKNOWN, f"too few of {len(live)} customers have one"))
            continue
        hits = facts.ask(facts.client.search("customers", field, values))
        if not facts.client.abilities.search:
            return [Finding(SECTION, "search", Level.UNKNOWN, "is refused, whatever the roles of the key say")]
        works = facts.client.wire.searches("customers", field).in_works
        if works is None:
            says = "search found none of them, so it stays open: it may lag behind, or not know old records"
            found.append(Finding(SECTION, name, Level.UNKNOWN, says, "Run the doctor again later."))
            continue
        batch = facts.client.search_batch("customers", field)
        words = "works" if works else "does not work: alternatives (or) are asked for"
        says = f"{words}; {batch} values a search ({len(hits)} of {len(values)} found)"
        found.append(Finding(SECTION, name, Level.OK, says, value={"in": works, "values_a_search": batch}))
    size = facts.client.wire.search_page_size
    if size is None:
        return [*found, Finding(SECTION, "search page size", Level.UNKNOWN, "no search was answered")]
    return [*found, Finding(SECTION, "search page size", Level.OK, f"{size} a page are taken", value=size)]


def criteria(facts: Facts) -> list[Finding]:
    """20 alternatives, as documented; and one more."""
    taken = {count: _takes(facts, count) for count in (_DOCUMENTED, _DOCUMENTED + 1)}
    if not taken[_DOCUMENTED]:
        says = f"{_DOCUMENTED} are refused, though documented: a refused search is asked again with half of them"
        return [Finding(SECTION, "search criteria", Level.WARNING, says, value={"at_most": f"below {_DOCUMENTED}"})]
    more = "more are taken too" if taken[_DOCUMENTED + 1] else f"{_DOCUMENTED + 1} are refused"
    says = f"{_DOCUMENTED} are taken, {more}; a run asks for {_DOCUMENTED}"
    return [Finding(SECTION, "search criteria", Level.OK, says, value={"more": taken[_DOCUMENTED + 1]})]


def _takes(facts: Facts, count: int) -> bool:
    values = [{"customer_externalId": {"equals": f"kustomer-pipeline-doctor-{n}"}} for n in range(count)]
    return _search(facts, {"queryContext": "customer", "or": values}) is not None


def context(facts: Facts) -> list[Finding]:
    """Whether queryContext may be left out."""
    body = {"and": [{"customer_externalId": {"equals": "kustomer-pipeline-doctor"}}]}
    required = _search(facts, body) is None
    says = "is required" if required else "may be left out"
    return [Finding(SECTION, "search queryContext", Level.OK, f"{says}; it is always sent", value=required)]


def reach(facts: Facts) -> list[Finding]:
    """How many customers search knows, against the list; whether it says that it ran out of time."""
    everybody = {"customer_created_at": {"gte": "1970-01-01T00:00:00.000Z"}}
    body = _search(facts, {"queryContext": "customer", "and": [everybody]})
    if body is None:
        return [Finding(SECTION, "search reach", Level.UNKNOWN, "a search for everybody is refused")]
    meta, total = meta_of(body), facts.samples["customers"].page.total
    known = meta.get("total")
    pages = meta.get("totalPages")
    value = {"total": known, "total_pages": pages, "of_list": total, "timed_out": meta.get("timed_out")}
    says = f"knows {_number(known)} of {_number(total)} customers"
    if isinstance(pages, int) and pages > _PAGES:
        says += f"; promises {pages:,} pages and gives {_PAGES}: more is found window by window"
    if meta.get("timed_out") is True:
        says += "; ran out of time, so the list of all is read where everybody is meant"
        return [Finding(SECTION, "search reach", Level.WARNING, says, value=value)]
    return [Finding(SECTION, "search reach", Level.OK, says, value=value)]


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else "an unknown number of"


def looseness(facts: Facts) -> list[Finding]:
    """Whether an e-mail address is found by a part of it."""
    emails = values_of(latest(facts.samples["customers"].live), "email", 1)
    if not emails:
        return [Finding(SECTION, "search by e-mail", Level.UNKNOWN, "no customer of the first page has an e-mail")]
    domain = emails[0].rpartition("@")[2]
    body = _search(facts, {"queryContext": "customer", "and": [{"customer_email": {"equals": domain}}]})
    loose = bool(body is not None and data_items(body))
    says = "matches by words of the address" if loose else "matches whole addresses only"
    return [Finding(SECTION, "search by e-mail", Level.OK, f"{says}; hits are compared here", value={"loose": loose})]


def company_external_id(facts: Facts) -> list[Finding]:
    """Whether companies can be searched by externalId, which no documentation says."""
    name = "search by company_externalId"
    known = next((one for one in facts.samples["companies"].live if one.attributes.get("externalId")), None)
    if known is None:
        return [Finding(SECTION, name, Level.UNKNOWN, "no company has an externalId")]
    criterion = {"company_externalId": {"equals": known.attributes["externalId"]}}
    body = _search(facts, {"queryContext": "company", "and": [criterion]})
    works = body is not None and [item.get("id") for item in data_items(body)] == [known.id]
    says = "works, though not documented" if works else "does not work"
    return [Finding(SECTION, name, Level.OK, f"{says}; companies are looked up one by one", value=works)]


def tags(facts: Facts) -> list[Finding]:
    """Whether the holders of a tag are found."""
    tag = next((held[0] for one in facts.samples["customers"].live if (held := one.attributes.get("tags"))), None)
    if not isinstance(tag, str):
        return [Finding(SECTION, "search by tag", Level.UNKNOWN, "no customer of the first page has a tag")]
    works = {operator: _finds_holders(facts, operator, tag) for operator in ("equals", "in")}
    by = [operator for operator, right in works.items() if right]
    if not by:
        says = "finds no holders: mirror_scope: tag would see fewer members than there are"
        return [Finding(SECTION, "search by tag", Level.WARNING, says, "Use mirror_scope: owned.", works)]
    return [Finding(SECTION, "search by tag", Level.OK, f"works with {' and '.join(by)}", value=works)]


def _finds_holders(facts: Facts, operator: str, tag: str) -> bool:
    criterion = {"customer_tags": {operator: [tag] if operator == "in" else tag}}
    body = _search(facts, {"queryContext": "customer", "and": [criterion]})
    held = [tag in (one.attributes.get("tags") or ()) for one in parsed("customers", data_items(body))] if body else []
    return bool(held) and sum(held) * 2 > len(held)  # a few may have changed since they were indexed


def old_records(facts: Facts) -> list[Finding]:
    """Whether search has forgotten who was not touched for two years."""
    limit = datetime.fromtimestamp(facts.clock.time(), UTC) - _FORGETS_AFTER
    old = (_identifier(one) for one in facts.samples["customers"].live if _is_before(one, limit))
    field, value = next((found for found in old if found is not None), (None, None))
    if field is None or value is None:
        says = "no customer of the first page was untouched for two years"
        return [Finding(SECTION, "search for old records", Level.UNKNOWN, says)]
    hits = facts.ask(facts.client.search("customers", field, [value]))
    says = "knows them" if hits else "has forgotten them, as documented"
    says += "; who is not found is looked up before anything is said"
    return [Finding(SECTION, "search for old records", Level.OK, says, value={"found": bool(hits)})]


def _identifier(record: Record) -> tuple[str, str] | None:
    """The field and the value of one that it holds."""
    for field in _FIELDS:
        if values := identifiers(record.attributes, field):
            return field, values[0]
    return None


def _is_before(record: Record, limit: datetime) -> bool:
    updated = str(record.attributes.get("updatedAt") or "")
    try:
        return datetime.fromisoformat(updated.replace("Z", "+00:00")) < limit
    except (ValueError, TypeError):
        return False


def _search(facts: Facts, body: dict[str, Any]) -> Any:
    """The answer, None where the question is refused."""
    try:
        return facts.ask(facts.client.probe.search(body))
    except BadRequestError:
        return None
