"""Keys, roles, and what is refused before any endpoint is reached."""

from __future__ import annotations

import re

import pytest

from kustomer_pipeline.sandbox import ALL_ROLES, FOUR_ROLES, Sandbox

from .conftest import Api


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer nope"}, {"Authorization": "Basic abc"}])
def test_without_a_valid_key_the_answer_is_401_and_costs_nothing(
    api: Api, sandbox: Sandbox, header: dict[str, str]
) -> None:
    api.key = None
    assert api.ask("GET", "/v1/customers", headers=header).status == 401
    assert sandbox.units() == 0


def test_any_valid_key_may_ask_who_it_is(api: Api, sandbox: Sandbox) -> None:
    api.key = sandbox.add_api_key(roles=["org.permission.bulk"])
    token = api.get("/v1/auth/tokens/current")
    assert token.attributes["roles"] == ["org.permission.bulk"]
    assert token.attributes["lastTokenChars"] == api.key[-4:]
    assert token.data["relationships"]["org"]["data"] == {"type": "org", "id": sandbox.org_id}
    assert token.data["relationships"]["user"]["data"]["type"] == "user"
    assert api.get("/v1/users/current").attributes["userType"] == "machine"


def test_the_default_key_has_every_role_by_name(api: Api) -> None:
    assert api.get("/v1/auth/tokens/current").attributes["roles"] == list(ALL_ROLES)


# What one may do with a role: (role, method, path) of the table in docs/kustomer.md section 1.4.
_ID = "0" * 24
_ACTIONS = {
    ("org.permission.customer.read", "org.user.customer.read"): [
        ("GET", "/v1/customers"),
        ("GET", f"/v1/customers/{_ID}"),
    ],
    ("org.permission.customer.create", "org.user.customer.write"): [
        ("POST", "/v1/customers"),
        ("POST", "/v1/customers/bulk"),
    ],
    ("org.permission.customer.update", "org.user.customer.write"): [
        ("PUT", f"/v1/customers/{_ID}"),
        ("PATCH", f"/v1/customers/{_ID}"),
        ("PUT", "/v1/customers/bulk"),
    ],
    ("org.permission.customer.delete", "org.user.customer.delete"): [
        ("DELETE", f"/v1/customers/{_ID}"),
        ("DELETE", "/v1/customers/bulk"),
    ],
    ("org.permission.customer_merge.create",): [("POST", "/v1/customers/merges")],
    ("org.permission.company.read", "org.user.company.read"): [
        ("GET", "/v1/companies"),
        ("GET", f"/v1/companies/{_ID}"),
    ],
    ("org.permission.company.create", "org.user.company.write"): [
        ("POST", "/v1/companies"),
        ("POST", "/v1/companies/bulk"),
    ],
    ("org.permission.company.update", "org.user.company.write"): [
        ("PUT", f"/v1/companies/{_ID}"),
        ("PUT", "/v1/companies/bulk"),
        ("POST", "/v1/kedge"),
        ("DELETE", f"/v1/kedge/{_ID}"),
        ("POST", f"/v1/kedge/{_ID}/parent"),
        ("DELETE", f"/v1/kedge/{_ID}/parent"),
    ],
    ("org.permission.bulk.read", "org.user.bulk.read"): [
        ("GET", f"/v1/bulk/{_ID}"),
        ("GET", f"/v1/bulk/{_ID}/batches"),
    ],
    (
        "org.permission.search.create",
        "org.permission.search.update",
        "org.permission.search_global.create",
        "org.permission.search_preview.create",
        "org.user.search.read",
        "org.admin.search.read",
    ): [("POST", "/v1/customers/search"), ("POST", "/v1/customers/archive/search")],
    ("org.permission.metadata.read", "org.user.metadata.read", "org.admin.metadata.read"): [
        ("GET", "/v1/metadata/customer")
    ],
    ("org.permission.metadata.update", "org.admin.metadata.write"): [("PUT", "/v1/metadata/customer")],
    ("org.permission.tag.read", "org.user.tag.read"): [("GET", "/v1/tags"), ("GET", f"/v1/tags/{_ID}")],
    ("org.permission.tag.create", "org.user.tag.write"): [("POST", "/v1/tags")],
    (
        "org.permission.audit_logs.read",
        "org.admin.audit_logs.read",
        "org.user.audit_logs.read",
    ): [("GET", "/v1/audit-logs")],
    ("org.permission.role.read", "org.admin.role.read"): [("GET", "/v1/auth/roles")],
    ("org.permission.role_group.read", "org.admin.role_group.read"): [("GET", "/v1/role-groups")],
    ("org.permission.user.read", "org.user.user.read"): [("GET", "/v1/users"), ("GET", f"/v1/users/{_ID}")],
    ("org.permission.team.read", "org.user.team.read"): [("GET", "/v1/teams")],
    ("org.permission.shortcut.read", "org.user.shortcut.read"): [("GET", "/v1/shortcuts")],
    ("org.permission.sla.read", "org.user.sla.read"): [("GET", "/v1/slas")],
    ("org.permission.queue.read", "org.user.queue.read"): [("GET", "/v1/routing/queues")],
    ("org.permission.conversation.read", "org.user.conversation.read"): [
        ("GET", "/v1/conversations"),
        ("GET", f"/v1/customers/{_ID}/conversations"),
    ],
    ("org.permission.message.read", "org.user.message.read"): [
        ("GET", "/v1/messages"),
        ("GET", f"/v1/customers/{_ID}/messages"),
    ],
    ("org.permission.note.read", "org.user.note.read"): [
        ("GET", "/v1/notes"),
        ("GET", f"/v1/customers/{_ID}/notes"),
    ],
    ("org.permission.klass.read", "org.user.klass.read"): [("GET", "/v1/klasses")],
    ("org.permission.kobject.read", "org.user.kobject.read"): [("GET", "/v1/klasses/order/externalId=7")],
    ("org.permission.tracking.create", "org.user.tracking.write"): [("POST", "/v1/tracking/identityEvent")],
}


@pytest.mark.parametrize("roles", list(_ACTIONS))
def test_any_one_role_of_an_action_lets_it_through_and_no_other_does(
    api: Api, sandbox: Sandbox, roles: tuple[str, ...]
) -> None:
    others = [role for role in ALL_ROLES if role not in roles]
    for method, path in _ACTIONS[roles]:
        for role in roles:
            api.key = sandbox.add_api_key(roles=[role])
            assert api.ask(method, path, {}).status != 403, role
        api.key = sandbox.add_api_key(roles=others)
        refused = api.ask(method, path, {})
        assert refused.status == 403
        assert refused.error["code"] == "forbidden"


def test_the_four_roles_do_for_writes_and_look_ups_and_for_nothing_else(api: Api, sandbox: Sandbox) -> None:
    api.key = sandbox.add_api_key(FOUR_ROLES)
    company = api.post("/v1/companies", {"name": "Acme", "tags": ["b2b"]}).data["id"]
    created = api.post("/v1/customers", {"externalId": "C-1", "company": company, "tags": ["vip", "b2b"]})
    customer = created.data["id"]
    assert sandbox.tag_names(customer) == ["vip", "b2b"]
    assert all(len(tag) == 24 for tag in created.attributes["tags"])
    allowed = [
        ("PUT", f"/v1/customers/{customer}", {"tags": ["vip"]}),
        ("PATCH", f"/v1/customers/{customer}", {"name": "Jane"}),
        ("GET", f"/v1/customers/{customer}", None),
        ("GET", "/v1/customers/externalId=C-1", None),
        ("GET", "/v1/customers", None),
        ("GET", "/v1/companies?externalId=A-1", None),
        ("PUT", f"/v1/companies/{company}", {"name": "Acme Ltd"}),
        ("POST", "/v1/companies/bulk", [{"name": "Bolt"}]),
        ("PUT", "/v1/customers/bulk", [{"id": customer}]),
        ("POST", "/v1/customers/bulk", [{}]),
        ("GET", "/v1/auth/tokens/current", None),
    ]
    assert {api.ask(*request).status for request in allowed} == {200, 201}
    job = api.post("/v1/customers/bulk", [{}]).data["id"]
    refused = [
        ("GET", f"/v1/bulk/{job}", None),
        ("GET", f"/v1/bulk/{job}/batches", None),
        ("POST", "/v1/customers/search", {"queryContext": "customer"}),
        ("GET", "/v1/tags", None),
        ("POST", "/v1/tags", {"name": "new"}),
        ("DELETE", f"/v1/customers/{customer}", None),
        ("POST", "/v1/customers/merges", {"source": customer, "target": customer}),
    ]
    assert [api.ask(*request).status for request in refused] == [403] * 7
    sandbox.faults.set("tags_no_auto_create")
    assert api.post("/v1/customers", {"tags": ["unknown"]}).status == 400
    assert api.post("/v1/customers", {"tags": ["VIP"]}).status == 201


def test_a_grant_covers_what_is_below_it_by_dots(api: Api, sandbox: Sandbox) -> None:
    api.key = sandbox.add_api_key(roles=["org.permission.customer"])
    assert api.get("/v1/customers").status == 200
    assert api.post("/v1/customers", {}).status == 201
    assert api.get("/v1/companies").status == 403
    api.key = sandbox.add_api_key(roles=["org.permission.cust"])
    assert api.get("/v1/customers").status == 403


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/customers/a/b", "/v2/customers", "/nothing", "/v1/bulk", "/v1"])
def test_an_unknown_path_is_a_404_in_the_envelope(api: Api, path: str) -> None:
    assert api.get(path).error == {"status": 404, "code": "notfound", "title": "Not Found"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", f"/v1/companies/{_ID}"),
        ("PATCH", f"/v1/companies/{_ID}"),
        ("DELETE", "/v1/companies/bulk"),
        ("GET", "/v1/customers/bulk"),
        ("GET", "/v1/customers/search"),
        ("DELETE", "/v1/tags"),
    ],
)
def test_a_method_that_is_not_there_is_refused_in_the_envelope(api: Api, method: str, path: str) -> None:
    refused = api.ask(method, path, {})
    assert refused.status in (404, 405)
    assert refused.error["status"] == refused.status


def test_a_body_must_be_json_and_say_so(api: Api) -> None:
    json_type = {"Content-Type": "application/json"}
    assert api.ask("POST", "/v1/customers", raw=b"{}").status == 400
    assert api.ask("POST", "/v1/customers", raw=b"{}", headers={"Content-Type": "text/plain"}).status == 400
    assert api.ask("POST", "/v1/customers", raw=b"{", headers=json_type).status == 400
    assert api.ask("POST", "/v1/customers", raw=b"", headers=json_type).status == 400
    assert api.ask("POST", "/v1/companies", raw=b'{"employeeCount": NaN}', headers=json_type).status == 400
    utf8 = {"Content-Type": "application/json; charset=utf-8"}
    assert api.ask("POST", "/v1/customers", raw=b"{}", headers=utf8).status == 201


def test_a_body_above_100_kb_is_a_413(api: Api) -> None:
    def body(size: int) -> bytes:
        start, end = b'{"name": "Jane"', b"}"
        return start + b" " * (size - len(start) - len(end)) + end

    headers = {"Content-Type": "application/json"}
    assert api.ask("POST", "/v1/customers", raw=body(100_000), headers=headers).status == 201
    assert api.ask("POST", "/v1/customers", raw=body(100_001), headers=headers).status == 413
    assert api.ask("POST", "/v1/customers/bulk", raw=body(100_001), headers=headers).status == 413


@pytest.mark.parametrize("path", ["/v1/users/current/", "/v1/auth/tokens/current/", "/v1/customers/", "/v1/tags/"])
def test_a_path_may_end_in_a_slash(api: Api, path: str) -> None:
    assert api.get(path).status == 200
    assert api.post("/v1/customers/search/", {"queryContext": "customer"}).status == 200


def test_answers_carry_the_headers_that_were_recorded(api: Api) -> None:
    found, missing = api.get("/v1/tags"), api.get("/v1/customers/externalId=none")
    for reply in (found, missing):
        assert reply.headers["x-kustomer-pod"] == "prod1"
        assert reply.headers["via"] == "1.1 sandbox.cloudfront.net (CloudFront)"
        assert re.fullmatch(rf'W/"{len(reply.text.encode()):x}-[\w+/]{{27}}"', reply.headers["etag"])
    assert [reply.headers["x-cache"] for reply in (found, missing)] == ["Miss from cloudfront", "Error from cloudfront"]
    assert api.get("/v1/tags").headers["etag"] == found.headers["etag"] != missing.headers["etag"]


def test_answers_are_json_in_utf_8(api: Api) -> None:
    reply = api.post("/v1/customers", {"name": "Zoë"})
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert reply.attributes["name"] == "Zoë"
    assert api.get("/v1/customers/email=none").headers["content-type"] == "application/json; charset=utf-8"
