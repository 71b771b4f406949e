"""Records, tags, jobs and lists in Kustomer's JSON (docs/kustomer.md 4.5, 4.6, 6, 7.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .jobs import Job
from .records import WHATSAPP, Json, Record, full_attributes, repeated_attributes, shown_attributes
from .state import SandboxState
from .tags import Tag
from .times import iso

_PLURALS = {"customer": "customers", "company": "companies"}
_MASK = "*****"
_MAIN_KEYS = ("email", "phone", "externalId", "username", "url", "domain")
_LISTS_WITH_EXTRAS = (
    "emails",
    "phones",
    "externalIds",
    "sharedEmails",
    "sharedPhones",
    "socials",
    "urls",
    "locations",
)


def reference(kind: str, path: str, record_id: str) -> Json:
    """A relationship to one object."""
    return {"links": {"self": f"/v1/{path}/{record_id}"}, "data": {"type": kind, "id": record_id}}


@dataclass(frozen=True)
class Look:
    """How records are shown where that can be switched; each is a fault in fault_names.py."""

    extras: bool = False
    """Items of lists have sub-keys that cannot be written."""
    masked: tuple[str, ...] = ()
    nulls: bool = False
    plain_whatsapps: bool = False


def record_json(state: SandboxState, record: Record, look: Look) -> Json:
    """A customer or company."""
    attributes = full_attributes(record) if look.nulls else shown_attributes(record)
    for name in look.masked:
        _mask(attributes, name)
    if look.plain_whatsapps and attributes["whatsapps"]:
        attributes["whatsapps"] = [
            {**item, "phone": item["phone"].removeprefix(WHATSAPP)} for item in attributes["whatsapps"]
        ]
    if look.extras:
        for name in _LISTS_WITH_EXTRAS:
            if attributes.get(name):
                attributes[name] = [{"id": None, **item, "externalVerified": False} for item in attributes[name]]
    if record.kind == "customer":
        company = state.store.find("company", record.company) if record.company else None
        attributes |= repeated_attributes(record, company.attributes["name"] if company else None)
    path = _PLURALS[record.kind]
    relationships: Json = {
        "org": state.org_reference(),
        "messages": {"links": {"self": f"/v1/{path}/{record.id}/messages"}},
        "createdBy": reference("user", "users", record.created_by),
        "modifiedBy": reference("user", "users", record.modified_by),
    }
    if record.kind == "company":
        del relationships["messages"]
    if record.company:
        relationships["company"] = reference("company", "companies", record.company)
    return {
        "type": record.kind,
        "id": record.id,
        "attributes": attributes,
        "relationships": relationships,
        "links": {"self": f"/v1/{path}/{record.id}"},
    }


def _mask(attributes: Json, name: str) -> None:
    if name.startswith("custom."):
        key = name.removeprefix("custom.")
        if key in attributes.get("custom", {}):
            attributes["custom"] = {**attributes["custom"], key: _MASK}
    elif isinstance(attributes.get(name), list):
        attributes[name] = [
            {key: _MASK if key in _MAIN_KEYS else value for key, value in item.items()} for item in attributes[name]
        ]
    elif attributes.get(name) is not None:
        attributes[name] = _MASK


def merge_json(state: SandboxState, source: str, target: str) -> Json:
    """A merge of two customers that was done."""
    return {
        "type": "customer_merge",
        "attributes": {"source": source, "target": target},
        "relationships": {
            "org": state.org_reference(),
            "customer": reference("customer", "customers", target),
        },
    }


def tag_json(state: SandboxState, tag: Tag) -> Json:
    """A tag."""
    return {
        "type": "tag",
        "id": tag.id,
        "attributes": {
            "name": tag.name,
            "color": tag.color,
            "deleted": tag.deleted_at is not None,
            "deletedAt": iso(tag.deleted_at) if tag.deleted_at is not None else None,
            "createdAt": iso(tag.created),
            "updatedAt": iso(tag.updated),
            "modifiedAt": iso(tag.updated),
        },
        "relationships": {
            "org": state.org_reference(),
            "createdBy": reference("user", "users", tag.created_by),
        },
        "links": {"self": f"/v1/tags/{tag.id}"},
    }


def job_json(state: SandboxState, job: Job, now: float) -> Json:
    """A bulk job: what was submitted, and how far it is."""
    path = _PLURALS[job.kind]
    method = {"create": "POST", "update": "PUT", "delete": "DELETE"}[job.operation]
    finished = [batch.completed_at for batch in job.batches if batch.completed_at is not None]
    complete = len(finished) == len(job.batches)
    updated = max(finished, default=job.submitted)
    return {
        "type": "bulk",
        "id": job.id,
        "attributes": {
            "ids": job.ids,
            "context": f"api.sobjects.{path}.bulk-{job.operation}",
            "status": job.status(now),
            "v2": True,
            "batches": {"complete": len(finished), "total": len(job.batches)},
            "payload": {
                "api": {
                    "data": job.echo,
                    "path": f"/v1/{path}",
                    "user": {
                        "id": job.by,
                        "userType": "machine",
                        "roles": list(job.roles),
                        "orgName": state.org_name,
                        "subject": job.by,
                        "org": state.org_id,
                    },
                    "requestId": f"request-{job.id}",
                    "service": "sobjects",
                    "method": method,
                }
            },
            "createdAt": iso(job.submitted),
            "updatedAt": iso(updated),
            "completed": complete,
        },
        "relationships": {
            "org": state.org_reference(),
            "createdBy": reference("user", "users", job.by),
        },
        "links": {"self": f"/v1/bulk/{job.id}"},
    }


def list_json(
    data: list[Any],
    *,
    link: Callable[[int], str],
    page: int,
    page_size: int,
    total: int,
    reports_total: bool,
    last: int,
) -> Json:
    """The envelope of a list: meta, links (relative; `next` is null on the `last` page) and data.

    `link` gives the path with the query of a page.
    """
    meta: Json = {"pageSize": page_size, "page": page}
    links: Json = {
        "self": link(page),
        "first": link(1),
        "prev": link(page - 1) if page > 1 else None,
        "next": link(page + 1) if page < last else None,
    }
    if reports_total:
        meta.update(total=total, totalPages=last)
        links["last"] = link(max(last, 1))
    return {"meta": meta, "links": links, "data": data}
