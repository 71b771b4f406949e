"""Who changed a record, and which records are deleted: what is asked, and what is made of odd answers."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from kustomer_pipeline import kustomer as k
from kustomer_pipeline.kustomer.paths import shown_path, template_of
from kustomer_pipeline_tests.kustomer.kustomers import Kustomer, body_of, client_of, customer, ok


def entry(at: str, *, user: str | None = "u1", **attributes: Any) -> dict[str, Any]:
    own = {"createdAt": at, "userId": user, "userType": "user", "eventName": "kustomer.customer.update"}
    return {"type": "audit_log", "id": at, "attributes": own | attributes}


def test_it_asks_for_one_record_and_gives_the_newest_first() -> None:
    changes = {
        "attributes": {
            "name": {"before": "A", "after": "B"},
            "custom": {"before": {"x": 1, "y": 2}, "after": {"x": 3}},
        },
        "relationships": {"company": {"before": None, "after": "c1"}},
    }
    asked = Kustomer(lambda _: ok([entry("2026-01-01"), entry("2026-01-02", changes=changes, eventVerb="update")]))
    with client_of(asked) as client:
        newest, oldest = client.audit_log("customers", "5f1a")
    path, _, query = asked.paths[0].partition("?")
    assert path == "/v1/audit-logs"
    assert dict(parse_qsl(query)) == {"filter[objectType]": "customer", "filter[objectId]": "5f1a", "count": "100"}
    assert (newest.at, newest.verb, newest.user_id, newest.user_type) == ("2026-01-02", "update", "u1", "user")
    assert newest.changes == {
        "name": ("A", "B"),
        "custom.x": (1, 3),
        "custom.y": (2, None),
        "company": (None, "c1"),
    }
    assert (oldest.verb, oldest.changes) == ("update", {})


def test_entries_of_another_record_do_not_count() -> None:
    other = entry("2026-01-02", objectId="somebody else's")
    with client_of(lambda _: ok([other, entry("2026-01-01", objectId="5f1a")])) as client:
        assert [one.at for one in client.audit_log("customers", "5f1a")] == ["2026-01-01"]


@pytest.mark.parametrize("others", [None, [entry("2026-01-02", objectId="somebody else's")]], ids=["400", "ignored"])
def test_filters_that_are_refused_or_passed_over_are_spelled_otherwise_and_that_is_kept(others: Any) -> None:
    def app(request: httpx.Request) -> httpx.Response:
        if "objectId" in dict(parse_qsl(request.url.query.decode())):
            return ok([entry("2026-01-01", objectId="5f1a")])
        return httpx.Response(400) if others is None else ok(others)

    asked = Kustomer(app)
    with client_of(asked) as client:
        assert [one.at for one in client.audit_log("customers", "5f1a")] == ["2026-01-01"]
        assert [one.at for one in client.audit_log("customers", "5f1a")] == ["2026-01-01"]
    assert len(asked.requests) == 3


@pytest.mark.parametrize("changes", [None, [], {"attributes": []}, {"attributes": {"name": "B"}}, {"custom": 1}])
def test_changes_of_another_form_are_no_changes(changes: Any) -> None:
    with client_of(lambda _: ok([entry("2026-01-01", changes=changes)])) as client:
        [one] = client.audit_log("customers", "5f1a")
    assert one.changes == {}


def test_without_the_role_it_is_denied_and_the_client_remembers() -> None:
    with client_of(lambda _: httpx.Response(403)) as client:
        with pytest.raises(k.PermissionDeniedError, match=r"org\.permission\.audit_logs\.read"):
            client.audit_log("customers", "5f1a")
        assert client.abilities.may("audit_logs.read") is False


def test_its_path_is_shown_without_whom_it_is_about() -> None:
    path = "/v1/audit-logs?filter%5BobjectType%5D=customer&filter%5BobjectId%5D=5f1a&count=100"
    assert template_of(path) == "/v1/audit-logs"
    assert "5f1a" not in shown_path(path)


# --- deleted ones


def test_deleted_records_are_searched_for_by_twenty_values_and_checked_here() -> None:
    def app(request: httpx.Request) -> httpx.Response:
        body = body_of(request)
        assert body["includeDeleted"] is True
        assert len(body["or"]) <= 20
        asked = [value for one in body["or"] for value in one["customer_externalId"].values()]
        deleted = [customer(f"id-{one}", externalId=one, deleted=True) for one in asked]
        return ok([*deleted, customer("alike", externalId="C-999")])

    asked = Kustomer(app)
    with client_of(asked) as client:
        found = client.search_with_deleted("customers", "externalId", [f"C-{n}" for n in range(25)])
    assert {record.id for record in found} == {f"id-C-{n}" for n in range(25)}
    assert all(record.deleted for record in found)
    assert len(asked.requests) == 2


@pytest.mark.parametrize("status", [400, 403, 404])
def test_an_org_or_a_key_that_refuses_that_search_finds_nobody(status: int) -> None:
    with client_of(lambda _: httpx.Response(status)) as client:
        assert client.search_with_deleted("customers", "externalId", ["C-1"]) == []
        assert client.abilities.search is (status == 400)


def test_what_cannot_be_searched_by_is_not_asked() -> None:
    asked = Kustomer(lambda _: ok([]))
    with client_of(asked) as client:
        assert client.search_with_deleted("companies", "externalId", ["A-1"]) == []
        assert client.search_with_deleted("customers", "email", [" "]) == []
    assert asked.requests == []
