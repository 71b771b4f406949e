"""The API as a table: method, path, what is needed, who answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from . import endpoints_bulk as bulk
from . import endpoints_hierarchy as hierarchy
from . import endpoints_org as org
from . import endpoints_other as other
from . import endpoints_records as records
from .call import Answer, Call
from .endpoints_audit import list_audit_logs
from .errors import method_not_allowed, not_found


@dataclass(frozen=True)
class Route:
    """One endpoint. `action` is a key of roles.ROLES, None when any valid key will do."""

    method: str
    path: str
    answer: Callable[[Call], Answer]
    action: str | None
    is_search: bool = False

    @property
    def takes_body(self) -> bool:
        """Whether a JSON body is needed."""
        return self.method in ("POST", "PUT", "PATCH")


ROUTES = [
    Route("GET", "/v1/auth/tokens/current", other.get_token, None),
    Route("GET", "/v1/users/current", other.get_user, None),
    Route("GET", "/v1/customers", records.list_customers, "customer.read"),
    Route("POST", "/v1/customers", records.create_customer, "customer.create"),
    Route("POST", "/v1/customers/search", other.search, "search", is_search=True),
    Route("POST", "/v1/customers/archive/search", other.search_archive, "search", is_search=True),
    Route("POST", "/v1/customers/bulk", bulk.bulk_create_customers, "customer.create"),
    Route("PUT", "/v1/customers/bulk", bulk.bulk_update_customers, "customer.update"),
    Route("DELETE", "/v1/customers/bulk", bulk.bulk_delete_customers, "customer.delete"),
    Route("POST", "/v1/customers/merges", records.merge_customers, "customer.merge"),
    Route("GET", "/v1/customers/{id}", records.get_customer, "customer.read"),
    Route("PUT", "/v1/customers/{id}", records.put_customer, "customer.update"),
    Route("PATCH", "/v1/customers/{id}", records.patch_customer, "customer.update"),
    Route("DELETE", "/v1/customers/{id}", records.delete_customer, "customer.delete"),
    Route("GET", "/v1/companies", records.list_companies, "company.read"),
    Route("POST", "/v1/companies", records.create_company, "company.create"),
    Route("POST", "/v1/companies/bulk", bulk.bulk_create_companies, "company.create"),
    Route("PUT", "/v1/companies/bulk", bulk.bulk_update_companies, "company.update"),
    Route("GET", "/v1/companies/{id}", records.get_company, "company.read"),
    Route("PUT", "/v1/companies/{id}", records.put_company, "company.update"),
    Route("GET", "/v1/tags", other.list_tags, "tag.read"),
    Route("POST", "/v1/tags", other.create_tag, "tag.create"),
    Route("GET", "/v1/bulk/{id}", bulk.get_job, "bulk.read"),
    Route("GET", "/v1/bulk/{id}/batches", bulk.get_batches, "bulk.read"),
    Route("GET", "/v1/metadata/{resource}", other.get_metadata, "metadata.read"),
    Route("PUT", "/v1/metadata/{resource}", other.put_metadata, "metadata.update"),
    Route("POST", "/v1/kedge", hierarchy.create_edge, "company.update"),
    Route("DELETE", "/v1/kedge/{edge}", hierarchy.delete_edge, "company.update"),
    Route("POST", "/v1/kedge/{company}/parent", hierarchy.set_parent, "company.update"),
    Route("DELETE", "/v1/kedge/{company}/parent", hierarchy.delete_parent, "company.update"),
    Route("GET", "/v1/audit-logs", list_audit_logs, "audit_logs.read"),
    Route("GET", "/v1/auth/roles", org.list_roles, "role.read"),
    Route("GET", "/v1/role-groups", org.nothing, "role_group.read"),
    Route("GET", "/v1/users", org.list_users, "user.read"),
    Route("GET", "/v1/users/{id}", org.get_user_by_id, "user.read"),
    Route("GET", "/v1/teams", org.list_teams, "team.read"),
    Route("GET", "/v1/tags/{id}", org.get_tag, "tag.read"),
    Route("GET", "/v1/shortcuts", org.nothing, "shortcut.read"),
    Route("GET", "/v1/slas", org.list_slas, "sla.read"),
    Route("GET", "/v1/routing/queues", org.nothing, "queue.read"),
    Route("GET", "/v1/conversations", org.nothing, "conversation.read"),
    Route("GET", "/v1/messages", org.nothing, "message.read"),
    Route("GET", "/v1/notes", org.nothing, "note.read"),
    Route("GET", "/v1/customers/{id}/conversations", org.nothing_of_customer, "conversation.read"),
    Route("GET", "/v1/customers/{id}/messages", org.nothing_of_customer, "message.read"),
    Route("GET", "/v1/customers/{id}/notes", org.nothing_of_customer, "note.read"),
    Route("GET", "/v1/klasses", org.nothing, "klass.read"),
    Route("GET", "/v1/klasses/{name}/{id}", org.get_custom_object, "kobject.read"),
    Route("POST", "/v1/tracking/identityEvent", org.create_identity_event, "tracking.create"),
]


def _variables(template: list[str], parts: list[str]) -> tuple[str, ...] | None:
    if len(template) != len(parts):
        return None
    found = []
    for expected, part in zip(template, parts, strict=True):
        if expected.startswith("{") and part:
            found.append(part)
        elif expected != part:
            return None
    return tuple(found)


# By the number of parts and the second of them: the path of an endpoint begins with /v1 and a fixed word.
_TEMPLATES: dict[tuple[int, str], list[tuple[Route, list[str]]]] = {}
for _route in ROUTES:
    _parts = _route.path.split("/")
    _TEMPLATES.setdefault((len(_parts), _parts[2]), []).append((_route, _parts))
_WORDS = {"bulk", "search", "merges", "current"}
"""Last parts of paths that are no ids."""


def find_route(method: str, raw_path: str) -> tuple[Route, tuple[str, ...]]:
    """The endpoint and the decoded variables of its path; raises 404 for a path, 405 for a method that is not
    there.

    A path is decoded part by part, so that an encoded slash stays inside its part: externalId=A%2FB. It may end in a
    slash, as the paths of some clients do.
    """
    parts = raw_path.removesuffix("/").split("/")
    if "%" in raw_path:
        parts = [unquote(part) for part in parts]
    path_exists = False
    for route, template in _TEMPLATES.get((len(parts), parts[2] if len(parts) > 2 else ""), ()):
        variables = _variables(template, parts)
        if variables is None or not _WORDS.isdisjoint(variables):
            continue
        if route.method == method:
            return route, variables
        path_exists = True
    raise method_not_allowed() if path_exists else not_found()
