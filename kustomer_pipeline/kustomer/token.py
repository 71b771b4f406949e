"""Whose key this is and what it may do (docs/kustomer.md section 1.3)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from .abilities import Abilities
from .answers import text
from .calls import TOKEN_PATH, Call
from .errors import UnexpectedAnswerError
from .records import attributes_of, data_items, related_id
from .same_org import SameOrg
from .session import Session


@dataclass(frozen=True)
class Token:
    """An API key as Kustomer describes it. `roles` is empty where it does not tell; user_id: as whom the key writes."""

    org_id: str
    name: str | None
    roles: tuple[str, ...]
    user_id: str | None = None


class TokenReader:
    """Reads the key's own record, once; `abilities` hears of its roles."""

    def __init__(self, session: Session, abilities: Abilities) -> None:
        self._session = session
        self._abilities = abilities
        self._token: Token | None = None
        self._reading = asyncio.Lock()

    async def read(self) -> Token:
        """Ask Kustomer; any valid key may."""
        async with self._reading:
            if self._token is None:
                self._token = await self._session.ask(Call("GET", TOKEN_PATH, TOKEN_PATH, "token.read"), parse_token)
                self._abilities.of_roles(self._token.roles)
                self._session.same_org = SameOrg(self.org_now)
                self._session.same_org.home = self._token.org_id
        return self._token

    async def org_now(self) -> str:
        """Ask again whose key it is: the org's id."""
        return (await self._session.ask(Call("GET", TOKEN_PATH, TOKEN_PATH, "token.read"), parse_token)).org_id


def parse_token(body: Any) -> Token:
    """Raises UnexpectedAnswerError if the org is not named: whatever is remembered belongs to an org."""
    items = data_items(body)
    item = items[0] if items else {}
    attributes = attributes_of(item)
    org = attributes.get("org")
    org_id = related_id(item, "org") or text(org.get("id") if isinstance(org, dict) else org)
    if org_id is None:
        raise UnexpectedAnswerError("Kustomer does not say which org the API key is of", method="GET", path=TOKEN_PATH)
    named = attributes.get("roles")
    roles = [_role(role) for role in named] if isinstance(named, list) else []
    kept = tuple(role for role in roles if role)
    return Token(org_id, text(attributes.get("name")), kept, related_id(item, "user"))


def _role(role: Any) -> str | None:
    if isinstance(role, dict):
        return text(role.get("name")) or text(role.get("id"))
    return text(role)
