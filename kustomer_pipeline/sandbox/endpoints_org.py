"""What other people's clients ask of an org beside its records: its users, and the lists that are empty here.

The sandbox has no conversations, messages, notes, custom objects, teams, shortcuts and so on: what lists them is an
empty list in the usual envelope.
"""

from __future__ import annotations

from .call import Answer, Call
from .errors import not_found
from .present import reference, tag_json
from .present_users import agent_json, user_json
from .records import Json, Record, digits
from .roles import ROLES
from .schema import IDENTITY_EVENT
from .times import iso
from .validation import validate

_LARGE_PAGE = 500
"""The maximum of lists of users and teams (docs/kustomer.md section 4.6)."""


def list_users(call: Call) -> Answer:
    """GET /v1/users: the machine user of each key, and one agent"""
    return call.list_answer(_users(call), lambda user: user, maximum=_LARGE_PAGE)


def get_user_by_id(call: Call) -> Answer:
    """GET /v1/users/{id}"""
    for user in _users(call):
        if user["id"] == call.variables[0].lower():
            return Answer(200, {"data": user})
    raise not_found("id")


def _users(call: Call) -> list[Json]:
    state = call.state
    return [agent_json(state), *(user_json(state, key, key.roles) for key in state.keys.values())]


def list_roles(call: Call) -> Answer:
    """GET /v1/auth/roles: every role there is, in one answer without pages"""
    names = dict.fromkeys(name for names in ROLES.values() for name in names)
    return Answer(200, {"data": [{"type": "role", "id": name} for name in names]})


def get_tag(call: Call) -> Answer:
    """GET /v1/tags/{id}"""
    tag = call.state.store.tags.by_id.get(call.variables[0].lower())
    if tag is None:
        raise not_found("id")
    return Answer(200, {"data": tag_json(call.state, tag)})


def nothing(call: Call) -> Answer:
    """A list of what the sandbox does not have."""
    return call.list_answer([], dict)


def list_teams(call: Call) -> Answer:
    """GET /v1/teams: none, on larger pages than other lists have"""
    return call.list_answer([], dict, maximum=_LARGE_PAGE)


def list_slas(call: Call) -> Answer:
    """GET /v1/slas?versions=all: no service level agreements, and none of their versions in `included`"""
    answer = nothing(call)
    answer.payload["included"] = []
    return answer


def nothing_of_customer(call: Call) -> Answer:
    """GET /v1/customers/{id}/messages and the like; 404 when there is no such customer"""
    record = call.state.store.find("customer", call.variables[0])
    if record is None or record.deleted:
        raise not_found("id")
    return nothing(call)


def get_custom_object(call: Call) -> Answer:
    """GET /v1/klasses/{name}/{id} and /externalId={id}: there are no custom objects"""
    raise not_found("externalId" if call.variables[1].startswith("externalId=") else "id")


def create_identity_event(call: Call) -> Answer:
    """POST /v1/tracking/identityEvent {"identity": {…}, "event": {"name": …}}: activity of a customer who is known.

    The customer is found by the external id, e-mail or phone of the identity, and is not changed but for the activity.
    """
    validate(call.body, IDENTITY_EVENT)
    identity = call.body["identity"]
    customer = _identified(call, identity)
    call.state.store.touch("customer", customer.id, now=call.now)
    event_id, stamp = call.state.store.new_id(call.now), iso(call.now)
    data = {
        "type": "tracking_identity",
        "id": event_id,
        "attributes": {
            "trackingId": identity.get("trackingId", event_id),
            **{name: identity[name] for name in ("email",) if name in identity},
            "status": "identified",
            "statusAt": stamp,
            "createdAt": stamp,
            "updatedAt": stamp,
        },
        "relationships": {
            "org": call.state.org_reference(),
            "customer": reference("customer", "customers", customer.id),
        },
        "links": {"self": f"/v1/tracking/identities/{event_id}"},
    }
    return Answer(201, {"data": data})


def _identified(call: Call, identity: Json) -> Record:
    looked_up = (
        ("externalId", identity.get("externalId")),
        ("email", identity.get("email", "").strip().lower()),
        ("phone", digits(identity.get("phone", ""))),
    )
    for field, value in looked_up:
        found = call.state.store.owner(field, value) if value else None
        if found is not None:
            return found
    raise not_found("identity")
