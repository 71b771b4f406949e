"""Companies (docs/kustomer.md section 5) and tags (section 6)."""

from __future__ import annotations

from typing import Any

from kustomer_pipeline.sandbox import Sandbox

from .conftest import Api


def test_a_company_is_created_read_and_changed(api: Api) -> None:
    created = api.post("/v1/companies", {"name": "Acme", "externalId": "A-1", "domains": [{"domain": "acme.example"}]})
    assert (created.status, created.data["type"]) == (201, "company")
    path = f"/v1/companies/{created.data['id']}"
    assert created.data["links"] == {"self": path}
    assert api.get(path).attributes["externalId"] == "A-1"
    changed = api.put(path, {"name": "Acme Ltd"}).attributes
    assert (changed["name"], changed["externalId"], changed["rev"]) == ("Acme Ltd", "A-1", 2)
    assert "externalId" not in api.put(path, {"externalId": None}).attributes
    assert api.put(path, {"name": "x", "rev": 1}).status == 400
    assert api.put(path, {"rev": 1}).status == 409
    assert api.get(f"/v1/companies/{'0' * 24}").status == 404
    assert api.put(f"/v1/companies/{'0' * 24}", {}).status == 404


def test_several_companies_in_one_get_are_not_supported(api: Api, sandbox: Sandbox) -> None:
    first, second = sandbox.seed_company(name="Acme"), sandbox.seed_company(name="Bolt")
    assert api.get(f"/v1/companies/{first},{second}").status == 404


def test_the_list_of_companies_has_no_total(api: Api, sandbox: Sandbox) -> None:
    for name in ("Acme", "Bolt", "Core"):
        sandbox.seed_company(name=name)
    first = api.get("/v1/companies?pageSize=2").json
    assert first["meta"] == {"pageSize": 2, "page": 1}
    second = api.get(first["links"]["next"]).json
    assert [company["attributes"]["name"] for company in second["data"]] == ["Core"]
    assert second["links"]["next"] is None


def test_companies_are_found_by_external_id_or_by_a_part_of_the_name(api: Api, sandbox: Sandbox) -> None:
    acme = sandbox.seed_company(name="Acme", externalId="A/1")
    sandbox.seed_company(name="Acme Europe")
    sandbox.seed_company(name="Bolt")
    assert [company["id"] for company in api.get("/v1/companies?externalId=A%2F1").data] == [acme]
    assert api.get("/v1/companies?externalId=none").data == []
    assert len(api.get("/v1/companies?filter=acme").data) == 2


def test_external_id_and_filter_together_are_both_ignored(api: Api, sandbox: Sandbox) -> None:
    sandbox.seed_company(name="Acme", externalId="A-1")
    sandbox.seed_company(name="Bolt")
    assert len(api.get("/v1/companies?externalId=A-1&filter=Acme").data) == 2


def test_the_external_id_of_a_company_is_unique_and_its_name_is_not(api: Api, sandbox: Sandbox) -> None:
    sandbox.seed_company(name="Acme", externalId="A-1")
    sandbox.seed_customer(externalId="C-1")
    assert api.post("/v1/companies", {"name": "Acme"}).status == 201
    assert api.post("/v1/companies", {"name": "Other", "externalId": "A-1"}).status == 409
    assert api.post("/v1/companies", {"name": "Other", "externalId": "C-1"}).status == 201


def test_a_company_is_deleted_by_an_update_and_stays_in_the_lists_as_deleted(api: Api, sandbox: Sandbox) -> None:
    company = sandbox.seed_company(name="Acme", externalId="A-1")
    assert api.put(f"/v1/companies/{company}", {"deleted": True}).attributes["deleted"] is True
    found = api.get("/v1/companies?externalId=A-1").data
    assert [(item["id"], item["attributes"]["deleted"]) for item in found] == [(company, True)]
    successor = api.post("/v1/companies", {"name": "Acme", "externalId": "A-1"})
    assert successor.status == 201
    assert len(api.get("/v1/companies?externalId=A-1").data) == 2
    assert api.put(f"/v1/companies/{company}", {"deleted": False}).status == 409


# ---- tags ----


def test_a_tag_is_created_once_in_any_case(api: Api) -> None:
    created = api.post("/v1/tags", {"name": "VIP", "color": "#ff0000"})
    assert (created.status, created.data["type"]) == (201, "tag")
    assert created.attributes["name"] == "VIP"
    assert created.attributes["deleted"] is False
    assert api.post("/v1/tags", {"name": "vip"}).status == 409
    bodies: list[Any] = [{}, {"name": "a,b"}, {"name": "ok", "group": 1}, []]
    for body in bodies:
        assert api.post("/v1/tags", body).status == 400


def test_the_list_of_tags_has_the_deleted_ones_unless_told_otherwise(api: Api, sandbox: Sandbox) -> None:
    kept, gone = sandbox.seed_tag("kept"), sandbox.seed_tag("gone")
    sandbox.delete_tag(gone)
    assert [tag["id"] for tag in api.get("/v1/tags").data] == [kept, gone]
    listed = api.get("/v1/tags?deleted=false&page=1&pageSize=50").json
    assert [tag["id"] for tag in listed["data"]] == [kept]
    assert listed["meta"]["total"] == 1
    assert [tag["id"] for tag in api.get("/v1/tags?deleted=true").data] == [gone]
    assert api.get("/v1/tags?deleted=maybe").status == 400
    assert api.post("/v1/tags", {"name": "gone"}).status == 201


def test_tags_are_read_as_ids_and_written_as_ids_or_names(api: Api, sandbox: Sandbox) -> None:
    vip, gold = sandbox.seed_tag("vip"), sandbox.seed_tag("gold")
    created = api.post("/v1/customers", {"tags": [vip, "Gold"]})
    assert created.attributes["tags"] == [vip, gold]
    assert api.post("/v1/companies", {"name": "Acme", "tags": ["vip"]}).attributes["tags"] == [vip]


def test_an_unknown_name_creates_the_tag(api: Api, sandbox: Sandbox) -> None:
    (tag,) = api.post("/v1/customers", {"tags": ["vpi"]}).attributes["tags"]
    assert sandbox.tags[tag]["name"] == "vpi"


def test_an_unknown_id_is_refused_and_does_not_become_a_name(api: Api, sandbox: Sandbox) -> None:
    refused = api.post("/v1/customers", {"tags": ["new", "0" * 24]})
    assert refused.status == 400
    assert refused.error["source"] == {"parameter": "tags"}
    assert sandbox.tags == {}


def test_a_deleted_tag_may_stay_but_not_be_added(api: Api, sandbox: Sandbox) -> None:
    tag = sandbox.seed_tag("old")
    holder, other = sandbox.seed_customer(tags=[tag]), sandbox.seed_customer()
    sandbox.delete_tag(tag)
    assert api.put(f"/v1/customers/{holder}", {"tags": [tag]}).attributes["tags"] == [tag]
    assert api.put(f"/v1/customers/{other}", {"tags": [tag]}).status == 400


def test_an_id_and_the_name_of_one_tag_are_one_tag(api: Api, sandbox: Sandbox) -> None:
    vip = sandbox.seed_tag("vip")
    assert api.post("/v1/customers", {"tags": ["vip", vip]}).attributes["tags"] == [vip]


def test_a_write_that_is_refused_creates_no_tag(api: Api, sandbox: Sandbox) -> None:
    sandbox.seed_customer(externalId="C-1")
    assert api.post("/v1/customers", {"externalId": "C-1", "tags": ["new"]}).status == 409
    assert sandbox.tags == {}


def test_there_is_no_endpoint_that_writes_a_single_tag_of_a_record(api: Api, sandbox: Sandbox) -> None:
    assert api.post(f"/v1/customers/{sandbox.seed_customer()}/tags", ["vip"]).status == 404
    assert api.post(f"/v1/tags/{sandbox.seed_tag('vip')}", {}).status == 405


def test_a_tag_is_found_by_its_id_deleted_or_not(api: Api, sandbox: Sandbox) -> None:
    tag = sandbox.seed_tag("vip", color="red")
    assert api.get(f"/v1/tags/{tag}").attributes["name"] == "vip"
    sandbox.delete_tag(tag)
    assert api.get(f"/v1/tags/{tag}").attributes["deleted"] is True
    assert api.get(f"/v1/tags/{'0' * 24}").status == 404
