"""Which role of an API key allows what (docs/kustomer.md section 1.4)."""

from __future__ import annotations

from collections.abc import Iterable

# Any one of the names will do; the first is the one to ask for.
_ROLES: dict[str, tuple[str, ...]] = {
    "customer.read": ("org.permission.customer.read", "org.user.customer.read"),
    "customer.create": ("org.permission.customer.create", "org.user.customer.write"),
    "customer.update": ("org.permission.customer.update", "org.user.customer.write"),
    "customer.delete": ("org.permission.customer.delete", "org.user.customer.delete"),
    "company.read": ("org.permission.company.read", "org.user.company.read"),
    "company.create": ("org.permission.company.create", "org.user.company.write"),
    "company.update": ("org.permission.company.update", "org.user.company.write"),
    "bulk.read": ("org.permission.bulk.read", "org.user.bulk.read"),
    "metadata.read": ("org.permission.metadata.read", "org.user.metadata.read", "org.admin.metadata.read"),
    "search": (
        "org.permission.search.create",
        "org.permission.search.update",
        "org.permission.search_global.create",
        "org.permission.search_preview.create",
        "org.user.search.read",
        "org.admin.search.read",
    ),
    "audit_logs.read": ("org.permission.audit_logs.read", "org.admin.audit_logs.read"),
}
# Not in any documentation: good enough for advice in an error, not to call a key insufficient. That a job needs the
# roles of single writes is documented; that they are enough is not.
_LIKELY_ROLES: dict[str, tuple[str, ...]] = {
    **{f"bulk.{action}": roles for action, roles in _ROLES.items() if action.endswith(("create", "update"))},
    "tag.read": ("org.permission.tag.read", "org.user.tag.read"),
    "tag.create": ("org.permission.tag.create", "org.user.tag.write"),
}


def roles_for(action: str) -> tuple[str, ...]:
    """The roles of which any one allows the action, the one to ask for first; empty when not known."""
    return _ROLES.get(action) or _LIKELY_ROLES.get(action, ())


def allowed_by(roles: Iterable[str], action: str) -> bool | None:
    """Whether a key that holds `roles` may do the action; None where they do not tell.

    A role covers whatever begins with it and a dot: org.permission.customer covers org.permission.customer.read. An
    empty list of roles means that Kustomer did not tell, a role of fewer than three words (org.admin) may allow more
    than is known here, and which role the tags need is not documented: then only Kustomer's own answer can tell.
    """
    held = tuple(roles)
    if any(_covered(name, held) for name in roles_for(action)):
        return True
    unclear = any(role.count(".") < 2 and not _documented(role) for role in held)
    return None if not held or unclear or action not in _ROLES else False


def missing_roles(roles: Iterable[str], actions: Iterable[str]) -> tuple[str, ...]:
    """The roles to ask for so that a key holding `roles` may do `actions`, in their order, each once.

    Only what is surely missing. The actions are customer.read, customer.create, customer.update, customer.delete,
    company.read, company.create, company.update, bulk.read, metadata.read, search, audit_logs.read.
    """
    held = tuple(roles)
    return tuple(dict.fromkeys(_ROLES[action][0] for action in actions if allowed_by(held, action) is False))


def _documented(role: str) -> bool:
    """Whether it is clear what a short role covers: it begins names of the table."""
    return any(name.startswith(f"{role}.") for names in _ROLES.values() for name in names if role != "org.admin")


def _covered(name: str, held: tuple[str, ...]) -> bool:
    return any(name == role or name.startswith(f"{role}.") for role in held)
