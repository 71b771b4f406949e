"""The page at `/`: what is in the org and what was asked, for people. Plain HTML, everything escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from itertools import islice

from .records import Record, full_attributes
from .state import SandboxState
from .times import iso

PAGE_SIZE = 100
_SHOWN_REQUESTS = 50

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem;
  color: #1c2430; }
h1 { margin-bottom: 0; } h2 { margin: 2.2rem 0 .5rem; }
dl { display: flex; flex-wrap: wrap; gap: .5rem 2.5rem; margin: 1rem 0; }
dt { color: #66707f; font-size: .85rem; }
dd { margin: 0; font-size: 1.15rem; font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; width: 100%; } th { text-align: left; color: #66707f; font-weight: 500; }
th, td { padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #e3e7ec; vertical-align: top; }
code { font-size: .85rem; } .tag { background: #e8eefc; border-radius: .7rem; padding: .05rem .6rem; }
.bad { color: #b3261e; } .quiet { color: #66707f; }
"""


def render_page(state: SandboxState, start: int) -> str:
    """The page, with the customers from number `start` (from 0)."""
    now = state.now()
    store = state.store
    customers = [store.records["customer"][i] for i in islice(store.live["customer"], start, start + PAGE_SIZE)]
    companies = [store.records["company"][i] for i in islice(store.live["company"], PAGE_SIZE)]
    count, company_count = len(store.live["customer"]), len(store.live["company"])
    tags = [tag for tag in store.tags.by_id.values() if tag.deleted_at is None]
    holders = {tag.id: 0 for tag in tags}
    for record_id in store.live["customer"]:
        for tag_id in store.records["customer"][record_id].attributes.get("tags", ()):
            if tag_id in holders:
                holders[tag_id] += 1
    jobs = [job.status(now) for job in state.jobs.jobs.values()]
    facts = {
        "Customers": f"{count:,}",
        "Companies": f"{company_count:,}",
        "Tags": f"{len(tags):,}",
        "Bulk jobs": f"{len(jobs):,} ({sum(status != 'complete' for status in jobs)} not complete)",
        "Budget left": f"{state.limits.org.remaining(now):,} of {state.limits.org.limit:,} this minute",
        "Faults": ", ".join(state.faults.describe()) or "none",
    }
    return "".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f"<title>Kustomer sandbox: {escape(state.org_name)}</title><style>{_STYLE}</style></head><body>",
            f"<h1>Kustomer sandbox: {escape(state.org_name)}</h1>",
            f'<p class="quiet">Org <code>{escape(state.org_id)}</code>, in memory, '
            f"new at {escape(iso(state.created))}. It is not Kustomer; nothing leaves this machine.</p>",
            "<dl>",
            *(f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in facts.items()),
            "</dl>",
            "<h2>Customers</h2>",
            _table(["Name", "E-mail", "External id", "Company", "Tags", "Changed", "rev"],
                   (_customer_row(state, record) for record in customers)),
            _pager(start, count),
            "<h2>Companies</h2>",
            _table(["Name", "External id", "Changed", "rev"], (_company_row(record) for record in companies)),
            _first_of(company_count),
            "<h2>Tags</h2>",
            _table(["Name", "Customers", "Id"],
                   ([_tag(tag.name), f"{holders[tag.id]:,}", _code(tag.id)] for tag in tags)),
            f"<h2>Last {_SHOWN_REQUESTS} requests</h2>",
            _table(["At", "Request", "Bytes", "Status"], _request_rows(state)),
            "</body></html>",
        ]
    )  # fmt: skip


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    if not body:
        return '<p class="quiet">None yet.</p>'
    names = "".join(f"<th>{name}</th>" for name in head)
    return f"<table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>"


def _first_of(count: int) -> str:
    return f'<p class="quiet">The first {PAGE_SIZE} of {count:,}.</p>' if count > PAGE_SIZE else ""


def _customer_row(state: SandboxState, record: Record) -> list[str]:
    attributes = full_attributes(record)
    company = state.store.find("company", record.company) if record.company else None
    tags = [state.store.tags.by_id[tag_id].name for tag_id in attributes["tags"]]
    return [
        escape(str(attributes["displayName"])),
        "<br>".join(escape(item["email"]) for item in attributes["emails"]),
        escape(str(attributes["externalId"] or "")),
        escape(str(company.attributes["name"])) if company else "",
        " ".join(_tag(name) for name in tags),
        escape(str(attributes["modifiedAt"])),
        str(record.rev),
    ]


def _company_row(record: Record) -> list[str]:
    attributes = full_attributes(record)
    return [
        escape(str(attributes["name"])),
        escape(str(attributes["externalId"] or "")),
        escape(str(attributes["modifiedAt"])),
        str(record.rev),
    ]


def _request_rows(state: SandboxState) -> Iterable[list[str]]:
    for record in islice(reversed(state.log), _SHOWN_REQUESTS):
        query = f"?{record.query}" if record.query else ""
        status = "no answer" if record.status is None else str(record.status)
        bad = record.status is None or record.status >= 400
        fault = f" ({record.fault})" if record.fault else ""
        yield [
            escape(iso(record.at)),
            _code(f"{record.method} {record.path}{query}"),
            f"{record.body_bytes:,}",
            f'<span class="bad">{escape(status + fault)}</span>' if bad else escape(status + fault),
        ]


def _pager(start: int, count: int) -> str:
    if count <= PAGE_SIZE and start == 0:
        return ""
    links = []
    if start > 0:
        links.append(f'<a href="/?start={max(0, start - PAGE_SIZE)}">previous {PAGE_SIZE}</a>')
    if start + PAGE_SIZE < count:
        links.append(f'<a href="/?start={start + PAGE_SIZE}">next {PAGE_SIZE}</a>')
    shown = f"{start + 1:,} to {min(start + PAGE_SIZE, count):,}" if start < count else "none"
    return f'<p class="quiet">{shown} of {count:,}. {" ".join(links)}</p>'


def _tag(name: str) -> str:
    return f'<span class="tag">{escape(name)}</span>'


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"
