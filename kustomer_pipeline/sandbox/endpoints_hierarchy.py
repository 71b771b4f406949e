"""The hierarchy of companies (docs/kustomer.md section 10a): it can be written; no endpoint is known that reads it."""

from __future__ import annotations

from .call import Answer, Call
from .errors import ApiError
from .hierarchy import NAME, Edge
from .present import reference
from .records import Json
from .schema import text
from .times import iso
from .validation import Schema, validate

_EDGE: Schema = {
    "type": "object",
    "properties": {
        "sourceId": text(format="object-id"),
        "targetId": text(format="object-id"),
        "name": text(enum=(NAME,)),
    },
    "required": ("sourceId", "targetId"),
    "additionalProperties": False,
}
_PARENT: Schema = {
    "type": "object",
    "properties": {"parentId": text(format="object-id")},
    "required": ("parentId",),
    "additionalProperties": False,
}


def create_edge(call: Call) -> Answer:
    """POST /v1/kedge {"sourceId": the parent, "targetId": the child, "name"?: "company_hierarchy"}"""
    _refuse_if_busy(call)
    validate(call.body, _EDGE)
    hierarchy = call.state.store.hierarchy
    edge = hierarchy.link(call.body["sourceId"], call.body["targetId"], by=call.user_id, now=call.now)
    return Answer(201, {"data": _edge_json(call, edge)})


def set_parent(call: Call) -> Answer:
    """POST /v1/kedge/{companyId}/parent {"parentId": …}: in place of the parent that there was"""
    _refuse_if_busy(call)
    validate(call.body, _PARENT)
    (child,) = call.variables
    edge = call.state.store.hierarchy.set_parent(child, call.body["parentId"], by=call.user_id, now=call.now)
    return Answer(201, {"data": _edge_json(call, edge)})


def delete_edge(call: Call) -> Answer:
    """DELETE /v1/kedge/{edgeId}"""
    _refuse_if_busy(call)
    call.state.store.hierarchy.remove_edge(call.variables[0])
    return Answer(204)


def delete_parent(call: Call) -> Answer:
    """DELETE /v1/kedge/{companyId}/parent"""
    _refuse_if_busy(call)
    call.state.store.hierarchy.remove_parent(call.variables[0])
    return Answer(204)


def _refuse_if_busy(call: Call) -> None:
    if call.fault("hierarchy_busy"):
        raise ApiError(409, "conflict", "Another write to this hierarchy is in progress")


def _edge_json(call: Call, edge: Edge) -> Json:
    return {
        "type": "kedge",
        "id": edge.id,
        "attributes": {
            "name": NAME,
            "sourceId": edge.parent,
            "targetId": edge.child,
            "createdAt": iso(edge.created),
            "updatedAt": iso(edge.created),
        },
        "relationships": {
            "org": call.state.org_reference(),
            "source": reference("company", "companies", edge.parent),
            "target": reference("company", "companies", edge.child),
            "createdBy": reference("user", "users", edge.created_by),
        },
        "links": {"self": f"/v1/kedge/{edge.id}"},
    }
