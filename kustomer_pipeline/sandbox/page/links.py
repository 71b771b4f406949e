"""Ways from one thing of the org to another."""

from __future__ import annotations

from collections.abc import Sequence

from ..state import SandboxState
from .html import Child, Html, chip, code, element, joined, link

_LISTS = {"customer": "/customers", "company": "/companies"}


def record_link(state: SandboxState, kind: str, record_id: str) -> Html:
    """A record by its id, as a link if there is one."""
    return (
        link(code(record_id), f"{_LISTS[kind]}/{record_id}") if state.store.find(kind, record_id) else code(record_id)
    )


def company_link(state: SandboxState, company_id: str | None) -> Html | None:
    """A company by its name; None for none."""
    company = state.store.find("company", company_id) if company_id else None
    if company is None:
        return None
    gone = joined(" ", chip("deleted", "bad")) if company.deleted else None
    return joined(link(str(company.attributes["name"]), f"/companies/{company.id}"), gone)


def tag_links(state: SandboxState, tag_ids: Sequence[str], kind: str) -> Html:
    """Tags by their names, each a link to who holds it."""
    return spaced([tag_link(state, tag_id, kind) for tag_id in tag_ids])


def tag_link(state: SandboxState, tag_id: str, kind: str) -> Html:
    """A tag by its name, as a link to the customers or companies that hold it."""
    tag = state.store.tags.by_id[tag_id]
    name = tag.name if tag.deleted_at is None else f"{tag.name} (deleted)"
    return link(chip(name, "tag"), f"{_LISTS[kind]}?tag={tag.id}")


def user_name(state: SandboxState, user_id: str) -> str:
    """Who wrote something: the name of a key, or an agent."""
    if user_id == state.agent_id:
        return "an agent"
    return next((key.name for key in state.keys.values() if key.user_id == user_id), user_id)


def spaced(children: Sequence[Child], between: Child = " ") -> Html:
    """Pieces with something between them."""
    return joined(joined(between if number else None, child) for number, child in enumerate(children))


def lines(texts: Sequence[str]) -> Html:
    """Texts one below the other."""
    return spaced(texts, element("br"))
