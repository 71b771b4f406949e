"""Look-ups by path, tags, batches of bulk jobs, the refusal of a missing role; and what was remembered of all that."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from kustomer_pipeline.kustomer import (
    BadRequestError,
    KustomerError,
    NotFoundError,
    PermissionDeniedError,
    attributes_of,
    data_items,
    roles_for,
)
from kustomer_pipeline.kustomer.bulk_answers import batch_items

from .check_lists import NOBODY
from .facts import Facts
from .findings import Finding, Level
from .questions import encoded, latest, meta_of, values_of

SECTION = "org"


def look_ups(facts: Facts) -> list[Finding]:
    """Whether case matters in an e-mail address, and the plus in a phone number."""
    live = latest(facts.samples["customers"].live)
    emails, phones = values_of(live, "email", 1), values_of(live, "phone", 1)
    found = []
    if emails:
        works = _finds(facts, "email", emails[0].upper())
        says = "finds it in any case" if works else "finds it in its own case only; addresses are sent in small letters"
        found.append(Finding(SECTION, "look-up by e-mail", Level.OK, says, value={"any_case": works}))
    else:
        found.append(Finding(SECTION, "look-up by e-mail", Level.UNKNOWN, "no customer of the first page has one"))
    if not phones:
        says = "no customer of the first page has one"
        return [*found, Finding(SECTION, "look-up by phone", Level.UNKNOWN, says)]
    forms = {"with plus": _finds(facts, "phone", f"+{phones[0]}"), "without plus": _finds(facts, "phone", phones[0])}
    works_with = [form for form, works in forms.items() if works]
    if not forms["with plus"]:
        says = f"finds it {works_with[0] if works_with else 'in no form'}: numbers are asked for with a plus"
        advice = "Match on another identifier before phone, or customers may be missed."
        return [*found, Finding(SECTION, "look-up by phone", Level.WARNING, says, advice, forms)]
    return [*found, Finding(SECTION, "look-up by phone", Level.OK, f"finds it {' and '.join(works_with)}", value=forms)]


def _finds(facts: Facts, field: str, value: str) -> bool:
    try:
        return bool(facts.ask(facts.client.look_up("customers", field, value)))
    except BadRequestError:
        return False


def tags(facts: Facts) -> list[Finding]:
    """Whether the tags can be listed, and whether deleted ones are among them."""
    try:
        of_all, of_live = _tag_page(facts, {}), _tag_page(facts, {"deleted": "false"})
    except (PermissionDeniedError, NotFoundError) as error:
        status = "the key may not list them" if isinstance(error, PermissionDeniedError) else "there is no such list"
        says = f"{status}: tags are written by name, and their ids learnt from the answers"
        return [Finding(SECTION, "tags", Level.WARNING, says, "Give the key the role org.permission.tag.read.", False)]
    value = {"listed": len(of_live), "deleted_shown": sum(of_all), "deleted_despite_filter": sum(of_live)}
    says = f"can be listed ({len(of_live)} on the first page); "
    says += f"{sum(of_all)} deleted ones without deleted=false, {sum(of_live)} with it; they are passed over"
    return [Finding(SECTION, "tags", Level.OK, says, value=value)]


def _tag_page(facts: Facts, query: dict[str, str]) -> list[bool]:
    """For each tag of the first page, whether it is deleted."""
    path = f"/v1/tags?{encoded({**query, 'page': '1', 'pageSize': '100'})}"
    body = facts.ask(facts.client.probe.read(path, "/v1/tags", "tag.read"))
    attributes = [attributes_of(item) for item in data_items(body)]
    return [bool(one.get("deleted") or one.get("deletedAt")) for one in attributes]


def batches(facts: Facts) -> list[Finding]:
    """The form of a bulk job's batches, from the newest job that the state remembers."""
    jobs = facts.state.left_behind(facts.token.org_id) if facts.state is not None and facts.token is not None else []
    newest = max((job for job in jobs if job.bulk_id), key=lambda job: job.oldest, default=None)
    if newest is None:
        says = "the state has no job left to ask for; the first run shows it, and every form is understood"
        return [Finding(SECTION, "bulk batches", Level.UNKNOWN, says, "Or use --write-to.")]
    path = f"/v1/bulk/{newest.bulk_id}/batches"
    try:
        body = facts.ask(facts.client.probe.read(path, "/v1/bulk/<id>/batches", "bulk.read"))
    except NotFoundError:
        says = "Kustomer does not know the job that the state remembers (any more)"
        return [Finding(SECTION, "bulk batches", Level.UNKNOWN, says)]
    return [batches_finding(SECTION, body)]


def batches_finding(section: str, body: Any) -> Finding:
    """What an answer to …/batches shows of its form."""
    items = batch_items(body)
    results = any(isinstance(attributes_of(item).get("results"), list) for item in items)
    form = "a list" if isinstance(body, list) else "data with meta" if meta_of(body) else "data"
    value = {"form": form, "results": results, "links": isinstance(body, dict) and "links" in body}
    if not results and items:
        says = f"come as {form} without results: every record of a job is looked up, 1 request for a hundred"
        return Finding(section, "bulk batches", Level.WARNING, says, value=value)
    return Finding(section, "bulk batches", Level.OK, f"come as {form}, results for each item", value=value)


def missing_role(facts: Facts) -> list[Finding]:
    """Which status a missing role has: asked where the key lacks one."""
    probe = facts.client.probe
    questions: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
        "bulk.read": lambda: probe.read(f"/v1/bulk/{NOBODY}", "/v1/bulk/<no id>", "bulk.read"),
        "metadata.read": lambda: probe.read("/v1/metadata/customer", "/v1/metadata/customer", "metadata.read"),
        "company.read": lambda: probe.read("/v1/companies?page=1&pageSize=1", "/v1/companies", "company.read"),
        "search": lambda: probe.search({"queryContext": "customer", "and": []}, page_size=1),
    }
    held = facts.token.roles if facts.token else ()
    for action, question in questions.items():
        if held and facts.client.abilities.may(action) is False:
            before = len(facts.seen.statuses)
            try:
                facts.ask(question())
            except KustomerError:
                status = facts.seen.statuses[before] if len(facts.seen.statuses) > before else None
                says = f"is a {status} (asked without {roles_for(action)[0]}); a bad key is told apart from it"
                return [Finding(SECTION, "missing role", Level.OK, says, value=status)]
            says = f"the key may use {action} without a role for it, as it seems"
            return [Finding(SECTION, "missing role", Level.UNKNOWN, says)]
    says = "the key lacks no role that a question could be asked without"
    return [Finding(SECTION, "missing role", Level.UNKNOWN, says)]


def remembered(facts: Facts) -> list[Finding]:
    """What runs found out and remember, beside what was found now."""
    known, now = _flat(facts.remembered()), _flat(facts.client.wire.learned())
    if not known:
        return [Finding(SECTION, "remembered", Level.OK, "nothing yet: the first run finds it out and remembers it")]
    different = {
        name: [known[name], now[name]] for name in known if now.get(name) is not None and known[name] != now[name]
    }
    told = ", ".join(f"{name}: {value}" for name, value in known.items() if value is not None)
    value = {"remembered": known, "found": now, "different": different}
    if different:
        said = "; ".join(f"{name} is remembered as {old}, and was {new} now" for name, (old, new) in different.items())
        advice = "Runs go by what they remember until it is refused; nothing is lost by it but requests."
        return [Finding(SECTION, "remembered", Level.WARNING, said, advice, value)]
    return [Finding(SECTION, "remembered", Level.OK, told, value=value)]


def _flat(learned: dict[str, Any]) -> dict[str, Any]:
    """`{"ids": {"customers": [true, 100, 50]}}` → `{"ids.customers.works": true, …}`: what can be compared, with names.

    How many were taken so far, and the present size of an `in`, grow with use and are no difference.
    """
    flat: dict[str, Any] = {}
    for name, (works, at_most, *_) in (learned.get("ids") or {}).items():
        flat[f"several ids, {name}"] = works
        flat[f"ids in one GET, {name}"] = at_most if works else None
    for name, (in_works, criteria, *_) in (learned.get("search") or {}).items():
        flat[f"search with in, {name}"] = in_works
        flat[f"search criteria, {name}"] = criteria if in_works is False else None
    for name, taken in (learned.get("rev") or {}).items():
        flat[f"rev, {name}"] = taken
    flat["search page size"] = learned.get("search_page_size")
    flat["list sorted"] = learned.get("sort")
    return {name: value for name, value in flat.items() if value is not None} if learned else {}
