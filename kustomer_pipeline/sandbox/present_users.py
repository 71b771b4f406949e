"""Keys and users in Kustomer's JSON (docs/kustomer.md section 1.3)."""

from __future__ import annotations

from collections.abc import Sequence

from .present import reference
from .records import Json
from .state import ApiKey, SandboxState
from .times import iso


def token_json(state: SandboxState, key: ApiKey, roles: Sequence[str], now: float) -> Json:
    """The key that asks."""
    return {
        "type": "auth_token",
        "id": key.id,
        "attributes": {
            "lastTokenChars": key.secret[-4:],
            "name": key.name,
            "ipAddress": "127.0.0.1",
            "userAgent": None,
            "roles": list(roles),
            "createdAt": iso(key.created),
            "updatedAt": iso(key.created),
            "lastAccessedAt": iso(now),
        },
        "relationships": {"org": state.org_reference(), "user": reference("user", "users", key.user_id)},
        "links": {"self": "/v1/auth/tokens/current"},
    }


def user_json(state: SandboxState, key: ApiKey, roles: Sequence[str]) -> Json:
    """The machine user behind a key."""
    return {
        "type": "user",
        "id": key.user_id,
        "attributes": {
            "name": key.name,
            "displayName": key.name,
            "userType": "machine",
            "roles": list(roles),
            "createdAt": iso(key.created),
            "updatedAt": iso(key.created),
            "deletedAt": None,
        },
        "relationships": {"org": state.org_reference()},
        "links": {"self": f"/v1/users/{key.user_id}"},
    }


def agent_json(state: SandboxState) -> Json:
    """The person as whom agents edit."""
    return {
        "type": "user",
        "id": state.agent_id,
        "attributes": {
            "name": "Agent",
            "displayName": "Agent",
            "email": "agent@example.com",
            "userType": "user",
            "createdAt": iso(state.created),
            "updatedAt": iso(state.created),
            "deletedAt": None,
        },
        "relationships": {"org": state.org_reference()},
        "links": {"self": f"/v1/users/{state.agent_id}"},
    }
