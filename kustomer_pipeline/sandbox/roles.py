"""Which role each action needs, new and legacy names (docs/kustomer.md section 1.4)."""

from __future__ import annotations

from collections.abc import Iterable

ROLES: dict[str, tuple[str, ...]] = {
    "customer.read": ("org.permission.customer.read", "org.user.customer.read"),
    "customer.create": ("org.permission.customer.create", "org.user.customer.write"),
    "customer.update": ("org.permission.customer.update", "org.user.customer.write"),
    "customer.delete": ("org.permission.customer.delete", "org.user.customer.delete"),
    "customer.merge": ("org.permission.customer_merge.create",),
    "company.read": ("org.permission.company.read", "org.user.company.read"),
    "company.create": ("org.permission.company.create", "org.user.company.write"),
    "company.update": ("org.permission.company.update", "org.user.company.write"),
    "bulk.read": ("org.permission.bulk.read", "org.user.bulk.read"),
    "search": (
        "org.permission.search.create",
        "org.permission.search.update",
        "org.permission.search_global.create",
        "org.permission.search_preview.create",
        "org.user.search.read",
        "org.admin.search.read",
    ),
    "metadata.read": ("org.permission.metadata.read", "org.user.metadata.read", "org.admin.metadata.read"),
    "metadata.update": ("org.permission.metadata.update", "org.admin.metadata.write"),
    # By the naming pattern: Kustomer documents no role for tags.
    "tag.read": ("org.permission.tag.read", "org.user.tag.read"),
    "tag.create": ("org.permission.tag.create", "org.user.tag.write"),
    "audit_logs.read": (
        "org.permission.audit_logs.read",
        "org.admin.audit_logs.read",
        "org.user.audit_logs.read",
    ),
    "sla.read": ("org.permission.sla.read", "org.user.sla.read"),
    # By the naming pattern.
    "role.read": ("org.permission.role.read", "org.admin.role.read"),
    "role_group.read": ("org.permission.role_group.read", "org.admin.role_group.read"),
    "user.read": ("org.permission.user.read", "org.user.user.read"),
    "team.read": ("org.permission.team.read", "org.user.team.read"),
    "shortcut.read": ("org.permission.shortcut.read", "org.user.shortcut.read"),
    "queue.read": ("org.permission.queue.read", "org.user.queue.read"),
    "conversation.read": ("org.permission.conversation.read", "org.user.conversation.read"),
    "message.read": ("org.permission.message.read", "org.user.message.read"),
    "note.read": ("org.permission.note.read", "org.user.note.read"),
    "klass.read": ("org.permission.klass.read", "org.user.klass.read"),
    "kobject.read": ("org.permission.kobject.read", "org.user.kobject.read"),
    "tracking.create": ("org.permission.tracking.create", "org.user.tracking.write"),
}
"""Action → the roles of which any one is enough; the first is the one that an error names."""

ALL_ROLES: tuple[str, ...] = tuple(names[0] for names in ROLES.values())
"""What a key has unless told otherwise: the new-style role of every action."""

FOUR_ROLES: tuple[str, ...] = (
    "org.user.customer.read",
    "org.user.customer.write",
    "org.user.company.read",
    "org.user.company.write",
)
"""The least that a key needs for every kind of sync: no search, no tags, no reading of bulk jobs."""


def allows(granted: Iterable[str], action: str) -> bool:
    """Whether the roles cover the action. A grant covers every role below it: `org.permission.customer`
    covers `org.permission.customer.read`, but not `org.permission.customer_merge.read`.
    """
    return any(role == grant or role.startswith(f"{grant}.") for grant in granted for role in ROLES[action])


def without(granted: Iterable[str], role: str) -> tuple[str, ...]:
    """The roles that are left when `role` is taken away, with the grants above and the roles below it."""
    return tuple(
        grant
        for grant in granted
        if grant != role and not role.startswith(f"{grant}.") and not grant.startswith(f"{role}.")
    )
