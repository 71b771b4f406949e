"""The first page: how to reach the org, what is in it, what is left of its budgets, what was asked last."""

from __future__ import annotations

from ..state import ApiKey
from .customers import customers_list
from .faults import active_table
from .html import Child, Html, element, joined, link, quiet
from .parts import facts, section
from .requests import last_requests
from .visit import Sheet, Visit

_LAST = 20
_MASK = "\u2022" * 12


def overview_page(visit: Visit) -> Sheet:
    """The overview."""
    parts = [
        section("This org", facts(_counts(visit), "big")),
        section("Connect to it", _connection(visit), class_="key"),
        section("What is left of the budgets", _budgets(visit)),
        section("Faults that are switched on", active_table(visit.state), quiet(link("Switch faults", "/faults"))),
        section("Customers", customers_list(visit, tall=True)),
        section(f"Last {_LAST} requests", last_requests(visit.state, _LAST), quiet(link("All requests", "/requests"))),
    ]
    return Sheet("Overview", joined(parts))


def _counts(visit: Visit) -> list[tuple[str, Child]]:
    store = visit.state.store
    live_tags = sum(tag.deleted_at is None for tag in store.tags.by_id.values())
    jobs = visit.state.jobs.jobs.values()
    unfinished = sum(not job.complete for job in jobs)
    return [
        ("Customers", link(f"{len(store.live['customer']):,}", "/customers")),
        ("Companies", link(f"{len(store.live['company']):,}", "/companies")),
        ("Tags", link(f"{live_tags:,}", "/tags")),
        ("Bulk jobs", joined(link(f"{len(jobs):,}", "/jobs"), f" ({unfinished:,} not complete)")),
        ("Requests", link(f"{len(visit.state.log):,}", "/requests")),
    ]


def _budgets(visit: Visit) -> Html:
    limits, now = visit.state.limits, visit.now
    window = f"new in {limits.org.reset_at(now) - now:.0f} s"
    values = [("Requests of the org", _left(limits.org.remaining(now), limits.org.limit))]
    for key in visit.state.keys.values():
        searches = _left(limits.search.remaining(now, key.id), limits.search.limit)
        values.append((f"Searches of {_key_name(key)}", searches))
    return joined(facts(values), quiet(f"Both by the minute, {window}."))


def _left(left: int, limit: int) -> Html:
    meter = element("meter", min=0, max=limit, low=limit // 5, value=left, aria_hidden="true")
    return joined(f"{left:,} of {limit:,} ", meter)


def _key_name(key: ApiKey) -> str:
    return f"{key.name} (\u2026{key.secret[-4:]})" if len(key.secret) > 12 else key.name


def _connection(visit: Visit) -> Html:
    key = visit.state.key.secret
    url = f"KUSTOMER_BASE_URL={visit.address}\n"
    return joined(
        element("pre", f"{url}KUSTOMER_API_KEY={_MASK}"),
        element(
            "details",
            element("summary", "Show the key"),
            element("pre", f"{url}KUSTOMER_API_KEY={key}", id="environment"),
        ),
        element("button", "Copy both lines, with the key", type="button", hidden=True, data_copy="environment"),
    )
