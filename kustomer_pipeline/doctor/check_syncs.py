"""The syncs: whether they load, their custom attributes and tags in Kustomer, what the state holds of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from kustomer_pipeline.components.sync_config import SyncConfig
from kustomer_pipeline.kustomer import NotFoundError, ObjectName, PermissionDeniedError, Tag, attributes_of, data_items
from kustomer_pipeline.sync.wording import quantity

from .facts import Facts
from .findings import Finding, Level

_RESOURCES: Final[Mapping[ObjectName, str]] = {"customers": "customer", "companies": "company"}
_GIVEN_UP_AFTER = timedelta(minutes=30)  # docs/architecture.md, the life of a bulk job
# The types that the endings of names stand for (docs/kustomer.md section 9), in every word that was seen for them.
_TYPES: Final[Mapping[str, frozenset[str]]] = {
    "Str": frozenset({"string", "text"}),
    "Txt": frozenset({"string", "text"}),
    "Num": frozenset({"number", "integer"}),
    "Bool": frozenset({"boolean", "bool"}),
    "At": frozenset({"date", "datetime", "date-time", "string"}),
    "Url": frozenset({"url", "uri", "string"}),
    "Tree": frozenset({"tree", "string"}),
    "Id": frozenset({"id", "string"}),
}


def loaded(facts: Facts) -> list[Finding]:
    """Whether the syncs load, as Dagster would load them."""
    if facts.load_problem is not None:
        return [Finding("syncs", "syncs", Level.PROBLEM, facts.load_problem, "Put the files right.")]
    advice = "Put the file right; until then it sends nothing."
    broken = [Finding("syncs", sync.name, Level.PROBLEM, str(sync), advice) for sync in facts.broken]
    if not facts.syncs and not broken:
        says = "there are none yet"
        return [Finding("syncs", "syncs", Level.OK, says, "The README says how to write the first one.", [])]
    names = [sync.name for sync in facts.syncs]
    says = f"{', '.join(names)} load" if names else "none loads"
    return [*broken, Finding("syncs", "syncs", Level.OK, says, value=names)]


def remembered_of_syncs(facts: Facts) -> list[Finding]:
    """Rows, jobs left behind, and what a guard holds, sync by sync."""
    if facts.state is None or facts.token is None:
        return [Finding("syncs", "what is remembered", Level.UNKNOWN, "there is no state to look at yet")]
    org_id = facts.token.org_id
    rows = dict(facts.state.org(org_id).syncs())
    now = datetime.fromtimestamp(facts.clock.time(), UTC)
    found = []
    for sync in facts.syncs:
        count = rows.get(sync.name, 0)
        found.append(
            Finding(
                "syncs",
                sync.name,
                Level.OK,
                f"{quantity(count, 'row is', 'rows are')} remembered",
                value={"rows": count},
            )
        )
        found += _held(facts, sync)
    there = {sync.name for sync in facts.syncs} | {sync.name for sync in facts.broken}
    gone = [name for name in rows if name not in there]
    if gone and not facts.chosen:
        says = f"rows are remembered of {', '.join(gone)}, which no sync is named"
        advice = "Was one renamed? Write renamed_from into the new one before its first run."
        found.append(Finding("syncs", "former syncs", Level.WARNING, says, advice, gone))
    for job in facts.state.left_behind(org_id):
        age = now - job.oldest
        minutes = int(age.total_seconds() // 60)
        jobs = quantity(job.count, f"bulk job of {job.sync} was", f"bulk jobs of {job.sync} were")
        says = f"{jobs} left behind, the oldest {quantity(minutes, 'minute', 'minutes')} ago"
        advice = "The next run of the sync collects them" + (", or gives them up." if age > _GIVEN_UP_AFTER else ".")
        value = {"sync": job.sync, "jobs": job.count, "oldest": job.oldest.isoformat()}
        found.append(Finding("syncs", "jobs left behind", Level.WARNING, says, advice, value))
    return found


def _held(facts: Facts, sync: SyncConfig) -> Iterator[Finding]:
    assert facts.state is not None  # the caller has looked
    last = facts.state.last_run(facts.token.org_id if facts.token else "", sync.name)
    if last is None or not (last.removals_held or last.changes_held):
        return
    says = f"the last run held {quantity(last.removals_held, 'removal', 'removals')}"
    says += f" and {quantity(last.changes_held, 'change', 'changes')}"
    value = {"removals_held": last.removals_held, "changes_held": last.changes_held}
    yield Finding(
        "syncs", f"held by {sync.name}", Level.WARNING, says, "Look at its plan, and approve or mend it.", value
    )


def tags_of_audiences(facts: Facts) -> list[Finding]:
    """Whether each audience's tag is there, by the id that the state knows."""
    audiences = [sync for sync in facts.syncs if sync.tag_name is not None]
    if not audiences:
        return []
    try:
        tags = facts.ask(facts.client.tags())
    except (PermissionDeniedError, NotFoundError):
        return [Finding("syncs", "tags", Level.UNKNOWN, "not known: the key may not list them")]
    return [_tag_of(facts, sync.name, sync.tag_name or "", tags) for sync in audiences]


def _tag_of(facts: Facts, sync: str, name: str, tags: list[Tag]) -> Finding:
    there = next((tag for tag in tags if tag.name == name), None)
    there = there or next((tag for tag in tags if tag.name.casefold() == name.casefold()), None)
    known = None
    if facts.state is not None and facts.token is not None:
        known = facts.state.org(facts.token.org_id).fact(f"tag:{name.casefold()}")
    title, value = f"tag of {sync}", {"tag": name, "id": there.id if there else None, "remembered": known}
    if known is not None and there is None:
        says = f"{name!r} was {known} and is gone: renamed or deleted in Kustomer. A run would make a new tag"
        advice = "If it was renamed, write its new name into the sync: what is remembered belongs to its id."
        return Finding("syncs", title, Level.WARNING, says, advice, value)
    if there is None:
        return Finding("syncs", title, Level.OK, f"{name!r} is not there yet: the first run makes it", value=value)
    if known is not None and known != there.id:
        says = f"{name!r} is {there.id} now and was {known}: the audience starts from nothing"
        return Finding("syncs", title, Level.WARNING, says, "Was it deleted and made anew? Look at the plan.", value)
    return Finding("syncs", title, Level.OK, f"{name!r} is there ({there.id})", value=value)


def custom_attributes(facts: Facts) -> list[Finding]:
    """The custom attributes that syncs write, against the org's own description of them."""
    used: dict[ObjectName, dict[str, list[str]]] = {}
    for sync in facts.syncs:
        for field in (mapping.field for mapping in sync.mappings if mapping.field.startswith("custom.")):
            of_object = used.setdefault(sync.spec.object, {})
            of_object.setdefault(field.removeprefix("custom."), []).append(sync.name)
    found: list[Finding] = []
    for name, attributes in used.items():
        resource = _RESOURCES[name]
        try:
            path = f"/v1/metadata/{resource}"
            body = facts.ask(facts.client.probe.read(path, path, "metadata.read"))
        except (PermissionDeniedError, NotFoundError):
            says = f"the attributes of {name} cannot be read with this key"
            advice = "Give the key the role org.permission.metadata.read, or look in Kustomer's settings."
            found.append(Finding("attributes", resource, Level.UNKNOWN, says, advice))
            continue
        items = data_items(body)
        declared = attributes_of(items[0]).get("properties") if items else None
        described = declared if isinstance(declared, dict) else {}
        found += [_attribute(f"{resource} {one}", one, described.get(one)) for one in sorted(attributes)]
    return found


def _attribute(title: str, name: str, described: Any) -> Finding:
    refused = "rows with it may be refused"
    if not isinstance(described, dict):
        says = f"is not declared: {refused}, if this org takes declared ones only"
        return Finding("attributes", title, Level.WARNING, says, "Declare it in Kustomer's settings.", "missing")
    if described.get("deletedAt") or described.get("deleted") is True:
        advice = "Restore it, or take it out of the sync."
        return Finding("attributes", title, Level.WARNING, f"was deleted in Kustomer: {refused}", advice, "deleted")
    kind = described.get("type")
    ending = next((one for one in _TYPES if name.endswith(one)), None)
    if ending is not None and isinstance(kind, str) and kind not in _TYPES[ending]:
        says = f"is a {kind} in Kustomer, and its name says {ending}: {refused}"
        return Finding("attributes", title, Level.WARNING, says, "Use the attribute that has this type.", kind)
    if described.get("multi") or described.get("array"):
        says = f"takes a list in Kustomer, and a sync sends one value: {refused}"
        return Finding("attributes", title, Level.WARNING, says, value="list")
    if choices := described.get("enumeration"):
        says = f"takes {len(choices)} values only: rows with another are refused"
        advice = "Compare the column with Kustomer's settings."
        return Finding("attributes", title, Level.WARNING, says, advice, {"enumeration": len(choices)})
    return Finding("attributes", title, Level.OK, f"is declared ({kind or 'without a type'})", value=kind)
