"""Customers that are merged, and telephone numbers as Kustomer keeps them (docs/kustomer.md 4.1 to 4.5)."""

from __future__ import annotations

from typing import Any

import pytest

from kustomer_pipeline.sandbox import ManualClock, Sandbox

from .conftest import Api


def _two(sandbox: Sandbox) -> tuple[str, str]:
    acme, bolt = sandbox.seed_company(name="Acme"), sandbox.seed_company(name="Bolt")
    source = sandbox.seed_customer(
        name="J. Doe",
        externalId="S-1",
        emails=[{"email": "j@example.com"}],
        phones=[{"phone": "+12125550001"}],
        socials=[{"type": "twitter", "username": "jdoe"}],
        tags=["vip", "old"],
        custom={"planStr": "pro", "scoreNum": 1},
        username="jdoe",
        company=acme,
    )
    target = sandbox.seed_customer(
        name="Jane Doe",
        externalId="T-1",
        emails=[{"email": "jane@example.com"}],
        tags=["vip"],
        custom={"planStr": "basic"},
        company=bolt,
    )
    return source, target


def test_a_merge_joins_lists_tags_and_custom_and_the_targets_own_values_win(api: Api, sandbox: Sandbox) -> None:
    source, target = _two(sandbox)
    company = sandbox.customers[target]["company"]
    merged = api.post("/v1/customers/merges", {"source": source, "target": target})
    assert merged.status == 201
    customer = sandbox.customers[target]
    assert [item["email"] for item in customer["emails"]] == ["jane@example.com", "j@example.com"]
    assert [item["phone"] for item in customer["phones"]] == ["+12125550001"]
    assert [item["externalId"] for item in customer["externalIds"]] == ["T-1", "S-1"]
    assert [item["username"] for item in customer["socials"]] == ["jdoe"]
    assert (customer["name"], customer["externalId"], customer["company"]) == ("Jane Doe", "T-1", company)
    assert customer["username"] == "jdoe"
    assert customer["custom"] == {"planStr": "basic", "scoreNum": 1}
    assert sandbox.tag_names(target) == ["vip", "old"]
    assert customer["rev"] == 2


def test_what_identified_the_source_finds_the_target(api: Api, sandbox: Sandbox) -> None:
    source, target = _two(sandbox)
    assert sandbox.agent_merge(source, target) == 2
    for look_up in ("email=j%40example.com", "phone=%2B12125550001", "externalId=S-1", "externalId=T-1"):
        assert api.get(f"/v1/customers/{look_up}").data["id"] == target
    assert api.get(f"/v1/customers/{source}").status == 404
    assert [item["id"] for item in api.get(f"/v1/customers/{source},{target}").data] == [target]
    assert api.put(f"/v1/customers/{source}", {"name": "Jo"}).status == 404
    assert api.get("/v1/customers").json["meta"]["total"] == 1
    found = api.search({"and": [{"customer_externalId": {"equals": "S-1"}}]})
    assert [item["id"] for item in found.data] == [target]


def test_what_the_target_lacks_it_takes_from_the_source(sandbox: Sandbox) -> None:
    source, _ = _two(sandbox)
    company = sandbox.customers[source]["company"]
    bare = sandbox.seed_customer()
    sandbox.agent_merge(source, bare)
    assert (sandbox.customers[bare]["name"], sandbox.customers[bare]["externalId"]) == ("J. Doe", "S-1")
    assert sandbox.customers[bare]["company"] == company


def test_a_merge_needs_two_customers_that_are_there(api: Api, sandbox: Sandbox) -> None:
    source, target = _two(sandbox)
    for body, status in (
        ({"source": source, "target": source}, 400),
        ({"source": source}, 400),
        ({"source": "x", "target": target}, 400),
        ({"source": "0" * 24, "target": target}, 404),
        ({"source": source, "target": "0" * 24}, 404),
    ):
        assert api.post("/v1/customers/merges", body).status == status
    assert api.get("/v1/customers/merges").status in (404, 405)
    assert len(sandbox.customers) == 2


def test_after_a_deletion_look_ups_find_nobody(api: Api, sandbox: Sandbox) -> None:
    source, _ = _two(sandbox)
    sandbox.agent_delete(source)
    for look_up in ("email=j%40example.com", "phone=%2B12125550001", "externalId=S-1"):
        assert api.get(f"/v1/customers/{look_up}").status == 404


# ---- telephone numbers ----


def test_a_phone_without_a_plus_survives_a_merge_of_lists_but_a_new_one_needs_it(api: Api, sandbox: Sandbox) -> None:
    customer = sandbox.seed_customer(phones=[{"phone": "12125550003"}])
    path = f"/v1/customers/{customer}"
    shown = api.get(path).attributes["phones"]
    assert [item["phone"] for item in shown] == ["12125550003"]
    both = [*shown, {"phone": "+12125550004"}]
    assert [item["phone"] for item in api.put(path, {"phones": both}).attributes["phones"]] == [
        "12125550003",
        "+12125550004",
    ]
    assert api.put("/v1/customers/bulk", [{"id": customer, "phones": both}]).status == 201
    refused = api.put(path, {"phones": [{"phone": "12125550009"}]})
    assert (refused.status, refused.error["source"]) == (400, {"parameter": "phone"})
    assert api.put("/v1/customers/bulk", [{"id": customer, "phones": [{"phone": "12125550009"}]}]).status == 400


def test_a_phone_is_one_with_and_without_a_plus(api: Api, sandbox: Sandbox) -> None:
    customer = sandbox.seed_customer(phones=[{"phone": "12125550003"}])
    assert api.get("/v1/customers/phone=%2B12125550003").data["id"] == customer
    assert api.get("/v1/customers/phone=12125550003").data["id"] == customer
    assert api.post("/v1/customers", {"phones": [{"phone": "+12125550003"}]}).status == 409


@pytest.mark.parametrize("written", ["+12125550003", "whatsapp:+12125550003"])
def test_a_whatsapp_number_is_kept_with_its_prefix_and_is_one_in_both_forms(
    api: Api, sandbox: Sandbox, clock: ManualClock, written: str
) -> None:
    created = api.post("/v1/customers", {"whatsapps": [{"phone": written}]})
    expected: list[dict[str, Any]] = [{"type": "mobile", "verified": False, "phone": "whatsapp:+12125550003"}]
    assert created.attributes["whatsapps"] == expected
    path = f"/v1/customers/{created.data['id']}"
    assert api.put(path, {"whatsapps": expected}).attributes["whatsapps"] == expected
    for other in ("+12125550003", "whatsapp:+12125550003"):
        assert api.post("/v1/customers", {"whatsapps": [{"phone": other}]}).status == 409
