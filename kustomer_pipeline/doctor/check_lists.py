"""What the lists of customers and companies can do, and several ids in one GET."""

from __future__ import annotations

from typing import Any, Final

from kustomer_pipeline.kustomer import (
    BadRequestError,
    KustomerError,
    NotFoundError,
    ObjectName,
    Record,
    data_items,
)
from kustomer_pipeline.mapping import nullable_fields

from .facts import Facts, Sample
from .findings import Finding, Level
from .questions import encoded, meta_of, parsed

SECTION = "org"
NOBODY: Final = "0" * 24  # an id in Kustomer's form that no record has


def error_form(facts: Facts) -> list[Finding]:
    """How errors look: from a question for a record that is not there."""
    try:
        facts.ask(facts.client.probe.read(f"/v1/customers/{NOBODY}", "/v1/customers/<no id>", "customer.read"))
    except NotFoundError:
        form = facts.seen.error_form
        return [Finding(SECTION, "errors", Level.OK, f"form {form}; every form is understood", value=form)]
    return [Finding(SECTION, "errors", Level.UNKNOWN, "a record that does not exist is not a 404 here")]


def list_of_customers(facts: Facts) -> list[Finding]:
    """The first page of all customers."""
    return _first_page(facts, "customers")


def list_of_companies(facts: Facts) -> list[Finding]:
    """The first page of all companies."""
    return _first_page(facts, "companies")


def _first_page(facts: Facts, name: ObjectName) -> list[Finding]:
    try:
        page = facts.ask(facts.client.probe.first_page(name))
    except (BadRequestError, NotFoundError) as error:
        says = f"refused ({error.status}): records are found by search and by look-ups, at 1 request for each"
        return [Finding(SECTION, f"list of {name}", Level.WARNING, says, value={"works": False})]
    records = tuple(parsed(name, page.items))
    facts.samples[name] = Sample(page, records)
    total = "no total" if page.total is None else f"{page.total:,} in all"
    sort = ", sorted by createdAt" if name == "customers" and facts.client.wire.sort_works else ""
    says = f"works: {total}, {page.size} a page{sort}"
    value = {"works": True, "total": page.total, "page_size": page.size, "sort": facts.client.wire.sort_works}
    return [Finding(SECTION, f"list of {name}", Level.OK, says, value=value)]


def list_filter(facts: Facts) -> list[Finding]:
    """Whether a list can be narrowed by time."""
    newest = max(facts.samples["customers"].live, key=_updated)
    moment = str(newest.attributes.get("updatedAt") or "")
    if not moment:
        return [Finding(SECTION, "list by time", Level.UNKNOWN, "the customers have no updatedAt")]
    query = encoded({"filter[updatedAt][gte]": moment, "page": "1", "pageSize": "100"})
    try:
        body = facts.ask(facts.client.probe.read(f"/v1/customers?{query}", "/v1/customers", "customer.read"))
    except BadRequestError:
        says = "refused: what changed lately cannot be listed by itself"
        return [Finding(SECTION, "list by time", Level.OK, says, value=False)]
    found = parsed("customers", data_items(body))
    works = bool(found) and all(str(record.attributes.get("updatedAt") or "") >= moment for record in found)
    says = "filter[updatedAt] works" if works else "filter[updatedAt] is ignored: what changed lately cannot be listed"
    return [Finding(SECTION, "list by time", Level.OK, says, value=works)]


def ids_at_once(facts: Facts) -> list[Finding]:
    """How many customers one GET takes: 2, then 50, then 100, as a run would ask."""
    ids = [record.id for record in facts.samples["customers"].live]
    if len(ids) < 2:
        return [Finding(SECTION, "ids in one GET", Level.UNKNOWN, "the org has too few customers to ask for two")]
    for count in (2, 50, 100):
        lists = facts.client.wire.id_lists("customers")
        if lists.works is not False and count <= lists.at_most and len(ids) >= min(count, 2):
            facts.ask(facts.client.get_many("customers", ids[:count]))
    lists = facts.client.wire.id_lists("customers")
    value = {"works": lists.works, "at_most": lists.at_most, "taken": lists.taken}
    if not lists.works:
        says = "refused: reading known customers costs 1 request for each, not 1 for a hundred"
        return [Finding(SECTION, "ids in one GET", Level.WARNING, says, value=value)]
    says = f"{lists.taken} were taken; a run asks for {lists.at_most} at most"
    found = [Finding(SECTION, "ids in one GET", Level.OK, says, value=value)]
    return [*found, _missing_id(facts, ids[0])]


def _missing_id(facts: Facts, record_id: str) -> Finding:
    path = f"/v1/customers/{record_id},{NOBODY}"
    try:
        body = facts.ask(facts.client.probe.read(path, "/v1/customers/<2 ids>", "customer.read"))
    except (NotFoundError, BadRequestError) as error:
        says = f"one that is missing makes the whole a {error.status}: asked again in halves, which costs more"
        return Finding(SECTION, "missing ids", Level.OK, says, value="refused")
    count = len(data_items(body))
    return Finding(SECTION, "missing ids", Level.OK, f"left out ({count} of 2 came back)", value="left out")


def unset_attributes(facts: Facts) -> list[Finding]:
    """Whether what is not set is absent or null; and how WhatsApp numbers come."""
    live = facts.samples["customers"].live
    may_be_unset = nullable_fields("customers")
    nulls = any(name in may_be_unset and value is None for one in live for name, value in one.attributes.items())
    form = "null" if nulls else "absent"
    found = [Finding(SECTION, "attributes not set", Level.OK, f"are {form}; both are read alike", value=form)]
    numbers = [item for record in live for item in record.attributes.get("whatsapps") or () if isinstance(item, dict)]
    if not numbers:
        says = f"none of {len(live)} customers has one"
        return [*found, Finding(SECTION, "WhatsApp numbers", Level.UNKNOWN, says)]
    prefixed = any(str(item.get("phone", "")).startswith("whatsapp:") for item in numbers)
    says = f"{'with' if prefixed else 'without'} the prefix whatsapp:, which is no part of the number here"
    return [*found, Finding(SECTION, "WhatsApp numbers", Level.OK, says, value={"prefix": prefixed})]


def companies_at_once(facts: Facts) -> list[Finding]:
    """Whether one GET takes several companies, and whether deleted ones are shown."""
    sample = facts.samples["companies"]
    found = [_deleted_companies(sample)]
    ids = [record.id for record in sample.live[:5]]
    if len(ids) < 2:
        return [*found, Finding(SECTION, "companies in one GET", Level.UNKNOWN, "the org has too few companies")]
    facts.ask(facts.client.get_many("companies", ids))
    works = facts.client.wire.id_lists("companies").works
    says = "works" if works else "refused, as nothing documents it: they are read one by one or from the list of all"
    return [*found, Finding(SECTION, "companies in one GET", Level.OK, says, value=works)]


def _deleted_companies(sample: Sample) -> Finding:
    if len(sample.live) < len(sample.records):
        says = "are shown in lists with deleted: true; they are passed over"
        return Finding(SECTION, "deleted companies", Level.OK, says, value="shown")
    return Finding(SECTION, "deleted companies", Level.UNKNOWN, f"none among {len(sample.records)} of the list")


def company_look_ups(facts: Facts) -> list[Finding]:
    """?externalId=, ?filter=, and both together."""
    live = facts.samples["companies"].live
    found: list[Finding] = []
    known = next((one for one in live if one.attributes.get("externalId")), None)
    if known is None:
        found.append(Finding(SECTION, "companies by externalId", Level.UNKNOWN, "no company has an externalId"))
    else:
        found += _by_external_id(facts, known)
    named = next((one for one in live if len(str(one.attributes.get("name") or "")) >= 5), None)
    if named is not None:
        found.append(_by_filter(facts, named))
    return found


def _by_external_id(facts: Facts, known: Record) -> list[Finding]:
    value = str(known.attributes["externalId"])
    form, hits = _asked(facts, {"externalId": value})
    right = known.id in hits and len(hits) <= 2
    says = f"answers with {form} of {len(hits)}" + ("" if right else ", not with the one asked for")
    found = [Finding(SECTION, "companies by externalId", Level.OK if right else Level.WARNING, says, value=form)]
    _, both = _asked(facts, {"externalId": value, "filter": "kustomer-pipeline-doctor"})
    ignored = len(both) > 1 or (len(both) == 1 and len(facts.samples["companies"].records) == 1)
    says = "both together are ignored" if ignored else "both together are not ignored"
    says += f" ({len(both)} came back); only one is ever sent"
    return [*found, Finding(SECTION, "externalId and filter", Level.OK, says, value={"ignored": ignored})]


def _by_filter(facts: Facts, named: Record) -> Finding:
    name = str(named.attributes["name"]).strip()
    how = "the whole name"
    if named.id in _asked(facts, {"filter": name[1:-1]})[1]:
        how = "any part of the name"
    elif named.id in _asked(facts, {"filter": name[:-1]})[1]:
        how = "the beginning of the name"
    return Finding(SECTION, "companies by filter", Level.OK, f"finds by {how}; names are compared here", value=how)


def _asked(facts: Facts, query: dict[str, str]) -> tuple[str, set[str]]:
    """The form of an answer, and the ids in it; nobody where it is refused."""
    path = f"/v1/companies?{encoded({**query, 'page': '1', 'pageSize': '100'})}"
    try:
        body: Any = facts.ask(facts.client.probe.read(path, "/v1/companies", "company.read"))
    except KustomerError as error:
        return f"a refusal ({error.status})", set()
    data = body.get("data") if isinstance(body, dict) else body
    form = "a list" if isinstance(data, list) else "one object"
    return form + (" with meta" if meta_of(body) else ""), {str(item.get("id")) for item in data_items(body)}


def _updated(record: Record) -> str:
    return str(record.attributes.get("updatedAt") or "")
