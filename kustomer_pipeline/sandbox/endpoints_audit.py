"""GET /v1/audit-logs: who changed what, newest first (docs/kustomer.md section 10a)."""

from __future__ import annotations

from itertools import islice
from urllib.parse import urlencode

from .audit import SECONDS_TO_EXPIRY, Entry, number_of
from .call import Answer, Call
from .errors import bad_parameter
from .present import reference
from .records import Json
from .times import iso, parse_date
from .validation import is_id

_MAX_COUNT = 1_000
_OBJECT_TYPES = {
    "bill_subscription", "business_rule", "company", "conversation", "customer", "message", "search", "shortcut",
    "tag", "user", "work_item", "ip_rule", "work_session", "shopify_rest",
}  # fmt: skip
_OLDEST = "0" * 24
"""An `after` that leaves nothing out."""


def list_audit_logs(call: Call) -> Answer:
    """GET /v1/audit-logs?filter[objectType]=customer&filter[objectId]=…&count=100&before=<id>&after=<id>

    The filters objectType, objectId, userId, include, start and end may also be given without `filter[…]`.
    """
    count = _count(call)
    before, after = _range(call)
    wanted = _types(call)
    object_id, user_id = _filter(call, "objectId"), _filter(call, "userId")
    if object_id is not None and _filter(call, "objectType") is None:
        raise bad_parameter("Requires objectType", "filter[objectId]")
    start, end = _moment(call, "start"), _moment(call, "end")
    entries = (
        entry
        for entry in call.state.store.audit.newest_first(call.now)
        if (before is None or entry.number < before)
        and entry.number > after
        and (not wanted or entry.after.kind in wanted)
        and object_id in (None, entry.after.id)
        and user_id in (None, entry.user_id)
        and (start is None or entry.after.at >= start)
        and (end is None or entry.after.at <= end)
    )
    page = list(islice(entries, count))
    more = next(entries, None) is not None
    links: Json = {
        "self": _link(call, {}),
        "first": _link(call, {"before": None, "after": None}),
        "previous": None,
        "next": _link(call, {"before": page[-1].id, "after": call.query.get("after", _OLDEST)}) if more else None,
    }
    return Answer(200, {"meta": {"count": len(page)}, "links": links, "data": [_entry(call, one) for one in page]})


def _filter(call: Call, name: str) -> str | None:
    return call.query.get(f"filter[{name}]", call.query.get(name))


def _count(call: Call) -> int:
    given = call.query.get("count", "100")
    if not (given.isascii() and given.isdigit() and len(given) <= 4 and 1 <= int(given) <= _MAX_COUNT):
        raise bad_parameter(f"Not within 1 and {_MAX_COUNT}", "count")
    return int(given)


def _range(call: Call) -> tuple[int | None, int]:
    """The numbers between which the entries are: below the first (None: no limit), above the second."""
    before, after = call.query.get("before"), call.query.get("after")
    if before is None and after is None:
        return None, 0
    for name, value in (("before", before), ("after", after)):
        if value is None or not is_id(value):
            raise bad_parameter("before and after are the ids of entries, and each requires the other", name)
    return number_of(str(before)), number_of(str(after))


def _types(call: Call) -> set[str]:
    given = _filter(call, "objectType")
    more = _filter(call, "include")
    types = {name for name in [given, *(more.split(",") if more else ())] if name}
    if not types <= _OBJECT_TYPES:
        raise bad_parameter("Not one of the allowed values", "filter[objectType]")
    return types


def _moment(call: Call, name: str) -> float | None:
    given = _filter(call, name)
    moment = None if given is None else parse_date(given)
    if given is not None and moment is None:
        raise bad_parameter("Invalid date", f"filter[{name}]")
    return moment


def _link(call: Call, changes: dict[str, str | None]) -> str:
    query = {name: value for name, value in {**call.query, **changes}.items() if value is not None}
    return f"{call.record.path}?{urlencode(query, safe='[],')}" if query else call.record.path


def _entry(call: Call, entry: Entry) -> Json:
    state, after = call.state, entry.after
    machines = {key.user_id for key in state.keys.values()}
    user_type = "system" if entry.user_id is None else "machine" if entry.user_id in machines else "user"
    attributes: Json = {
        "eventName": f"kustomer.{after.kind}.{entry.verb}",
        "eventVerb": entry.verb,
        "org": state.org_id,
        "userType": user_type,
        "objectId": after.id,
        "objectType": after.kind,
        "changes": entry.changes(),
        "createdAt": iso(after.at),
        "publishedAt": iso(after.at),
        "expiresAt": iso(after.at + SECONDS_TO_EXPIRY),
    }
    relationships: Json = {"org": state.org_reference()}
    if entry.user_id is not None:
        attributes |= {"userId": entry.user_id, "client": "api" if user_type == "machine" else "web"}
        attributes["ip"] = "127.0.0.1"
        relationships["user"] = reference("user", "users", entry.user_id)
    return {
        "type": "audit_log",
        "id": entry.id,
        "attributes": attributes,
        "relationships": relationships,
        "links": {"self": f"/v1/audit-logs/{entry.id}"},
    }
