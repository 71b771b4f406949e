"""Search (docs/kustomer.md section 8)."""

from __future__ import annotations

from typing import Any

import pytest

from kustomer_pipeline.sandbox import ManualClock, Sandbox

from .conftest import Api


@pytest.fixture
def people(sandbox: Sandbox, clock: ManualClock) -> dict[str, str]:
    """Three customers, a minute apart."""
    acme = sandbox.seed_company(name="Acme", tags=["b2b"])
    bodies: dict[str, dict[str, Any]] = {
        "jane": {
            "name": "Jane Doe",
            "emails": [{"email": "jane.doe@example.com"}],
            "externalId": "C-1",
            "tags": ["vip"],
            "phones": [{"phone": "+15551234567"}],
            "company": acme,
            "custom": {"tierStr": "gold", "scoreNum": 5},
        },
        "doe": {
            "name": "Doe Jane",
            "emails": [{"email": "doe.jane@example.com"}],
            "externalId": "C-2",
            "tags": ["vip", "new"],
            "importedAt": "2026-01-01T00:00:00Z",
            "custom": {"scoreNum": 9, "activeBool": True},
        },
        "max": {"name": "Max", "emails": [{"email": "max@other.example"}], "externalId": "C-3"},
    }
    ids = {}
    for name, body in bodies.items():
        ids[name] = sandbox.seed_customer(**body)
        clock.advance(60)
    return ids


def _names(people: dict[str, str], reply: Any) -> list[str]:
    by_id = {customer_id: name for name, customer_id in people.items()}
    assert reply.status == 200, reply.text
    return [by_id[customer["id"]] for customer in reply.data]


@pytest.mark.parametrize(
    ("criterion", "expected"),
    [
        ({"customer_externalId": {"equals": "C-1"}}, ["jane"]),
        ({"customer_externalId": {"equals": "c-1"}}, []),
        ({"customer_externalId": {"in": ["C-1", "C-3", "C-9"]}}, ["jane", "max"]),
        ({"customer_email": {"equals": "max@other.example"}}, ["max"]),
        ({"customer_email": {"equals": "MAX@other.example"}}, ["max"]),
        ({"customer_email": {"contains": "@example.com"}}, ["jane", "doe"]),
        ({"customer_phone": {"equals": "+15551234567"}}, ["jane"]),
        ({"customer_name": {"contains": "jane"}}, ["jane", "doe"]),
        ({"customer_custom_tierStr": {"equals": "gold"}}, ["jane"]),
        ({"customer_custom_scoreNum": {"gte": 5}}, ["jane", "doe"]),
        ({"customer_custom_scoreNum": {"gt": 5}}, ["doe"]),
        ({"customer_custom_scoreNum": {"lte": 5}}, ["jane"]),
        ({"customer_custom_scoreNum": {"lt": 5}}, []),
        ({"customer_custom_activeBool": {"equals": True}}, ["doe"]),
        ({"customer_custom_tierStr": {"not_set": ""}}, ["doe", "max"]),
        ({"customer_tags": {"not_set": True}}, ["max"]),
        ({"customer_imported": {"equals": True}}, ["doe"]),
        ({"customer_created_at": {"gt": "2026-09-21T14:14:20Z"}}, ["max"]),
        ({"company_name": {"equals": "Acme"}}, ["jane"]),
    ],
)
def test_a_criterion_selects(api: Api, people: dict[str, str], criterion: dict[str, Any], expected: list[str]) -> None:
    assert sorted(_names(people, api.search({"and": [criterion]}))) == sorted(expected)
    assert sorted(_names(people, api.search({"or": [criterion]}))) == sorted(expected)
    rest = set(people) - set(expected)
    assert set(_names(people, api.search({"not": criterion}))) == rest


def test_tags_are_searched_by_id(api: Api, sandbox: Sandbox, people: dict[str, str]) -> None:
    ids = {tag["name"]: tag_id for tag_id, tag in sandbox.tags.items()}
    assert _names(people, api.search({"and": [{"customer_tags": {"equals": ids["vip"]}}]})) == ["jane", "doe"]
    assert _names(people, api.search({"and": [{"customer_tags": {"in": [ids["new"]]}}]})) == ["doe"]
    assert _names(people, api.search({"and": [{"customer_tags": {"equals": "vip"}}]})) == []


def test_an_analysed_email_matches_loosely_by_its_words(api: Api, people: dict[str, str]) -> None:
    found = _names(people, api.search({"and": [{"customer_email": {"equals": "jane.doe@example.com"}}]}))
    assert found == ["jane", "doe"]
    found = _names(people, api.search({"or": [{"customer_email": {"in": ["doe.jane@example.com"]}}]}))
    assert found == ["jane", "doe"]


def test_all_of_and_one_of_or_and_none_of_not(api: Api, people: dict[str, str]) -> None:
    body = {
        "and": [{"customer_email": {"contains": "example"}}],
        "or": [{"customer_externalId": {"equals": "C-2"}}, {"customer_externalId": {"equals": "C-3"}}],
        "not": [{"customer_imported": {"equals": True}}],
    }
    assert _names(people, api.search(body)) == ["max"]


def test_companies_can_be_searched(api: Api, sandbox: Sandbox, people: dict[str, str]) -> None:
    reply = api.search({"queryContext": "company", "and": [{"company_name": {"equals": "acme"}}]})
    assert [(item["type"], item["attributes"]["name"]) for item in reply.data] == [("company", "Acme")]
    reply = api.search({"queryContext": "company", "and": [{"customer_externalId": {"equals": "C-1"}}]})
    assert [item["attributes"]["name"] for item in reply.data] == ["Acme"]


def test_objects_that_the_sandbox_does_not_have_are_not_found(api: Api) -> None:
    for context in ("conversation", "message", "note", "kobject", "kobject_order"):
        assert api.search({"queryContext": context}).data == []


def test_results_are_full_customers(api: Api, people: dict[str, str]) -> None:
    (found,) = api.search({"and": [{"customer_externalId": {"equals": "C-1"}}]}).data
    assert found == api.get(f"/v1/customers/{people['jane']}").data


def test_ids_only(api: Api, people: dict[str, str]) -> None:
    assert api.search({}, "?idsOnly=true").data == list(people.values())


def test_sorting(api: Api, people: dict[str, str]) -> None:
    assert _names(people, api.search({"sort": [{"customer_updated_at": "desc"}]})) == ["max", "doe", "jane"]
    assert _names(people, api.search({"sort": [{"customer_name": "asc"}]})) == ["doe", "jane", "max"]
    assert _names(people, api.search({"sort": [{"customer_custom_scoreNum": "desc"}]})) == [
        "doe",
        "jane",
        "max",
    ]


def test_pages(api: Api, people: dict[str, str]) -> None:
    first = api.search({"sort": [{"customer_created_at": "asc"}]}, "?pageSize=2").json
    assert first["meta"] == {
        "pageSize": 2,
        "page": 1,
        "total": 3,
        "totalPages": 2,
        "aggregations": {},
        "timed_out": False,
    }
    assert first["links"]["next"] == "/v1/customers/search?page=2&pageSize=2"
    second = api.search({"sort": [{"customer_created_at": "asc"}]}, "?pageSize=2&page=2")
    assert _names(people, second) == ["max"]
    assert second.json["links"]["next"] is None


def test_a_page_has_at_most_500_and_there_are_100_pages_and_10000_records(api: Api, sandbox: Sandbox) -> None:
    for number in range(101):
        sandbox.seed_customer(name=f"Customer {number}")
    assert api.search({}, "?pageSize=501").json["meta"]["pageSize"] == 500
    last = api.search({}, "?pageSize=1&page=100")
    assert (len(last.data), last.json["meta"]["total"], last.json["meta"]["totalPages"]) == (1, 101, 101)
    assert last.json["links"]["next"] == "/v1/customers/search?page=101&pageSize=1"
    assert last.json["links"]["last"] == "/v1/customers/search?page=101&pageSize=1"
    assert api.search({}, "?pageSize=1&page=101").status == 400
    assert api.search({}, "?pageSize=500&page=20").status == 200
    assert api.search({}, "?pageSize=500&page=21").status == 400


@pytest.mark.parametrize(
    "body",
    [
        {"queryContext": None},
        {"queryContext": "tag"},
        {"and": "customer_name"},
        {"or": [{"customer_name": {"equals": "x"}}, {"customer_name": {"equals": "x"}}]},
        {"sort": [{"customer_name": "asc"}, {"customer_name": "asc"}]},
        {"sort": [{f"customer_custom_s{n}Str": "asc"} for n in range(6)]},
        {"fields": [{"name": str(n)} for n in range(21)]},
        {"fields": ["name"]},
        {"and": [{"customer_shoeSize": {"equals": "x"}}]},
        {"and": [{"customer_custom_plan": {"equals": "x"}}]},
        {"and": [{"company_externalId": {"equals": "x"}}]},
        {"and": [{"conversation_status": "open"}]},
        {"and": [{"conversation_status": {"like": "open"}}]},
        {"and": [{"customer_name": {"like": "x"}}]},
        {"and": [{"customer_name": "x"}]},
        {"and": [{"customer_name": {"equals": 7}}]},
        {"and": [{"customer_externalId": {"in": "C-1"}}]},
        {"and": [{"customer_created_at": {"gte": "yesterday"}}]},
        {"and": ["x"]},
        {"sort": [{"customer_name": "up"}]},
        {"sort": [{"shoe": "asc"}]},
        {"filter": []},
    ],
)
def test_a_query_that_is_none_is_refused(api: Api, body: dict[str, Any]) -> None:
    assert api.search(body).status == 400


def test_without_a_query_context_customers_are_searched(api: Api, people: dict[str, str]) -> None:
    assert len(api.post("/v1/customers/search", {}).data) == 3


@pytest.mark.parametrize("part", ["and", "or", "not"])
def test_a_part_of_a_query_is_an_array_of_at_most_20_or_one_object(api: Api, people: dict[str, str], part: str) -> None:
    criteria = [{"customer_externalId": {"equals": f"C-{number}"}} for number in range(21)]
    assert api.search({part: criteria[:20]}).status == 200
    refused = api.search({part: criteria})
    assert (refused.status, refused.error["source"]) == (400, {"parameter": part})
    several = {f"customer_custom_s{number}Str": {"equals": "x"} for number in range(21)}
    assert api.search({part: [several]}).status == 200
    assert api.search({part: several}).status == 200


def test_an_in_with_many_values_is_one_criterion(api: Api, people: dict[str, str]) -> None:
    values = [f"C-{number}" for number in range(500)]
    assert len(api.search({"and": [{"customer_externalId": {"in": values}}]}).data) == 3


def test_each_part_of_a_query_may_be_one_object(api: Api, people: dict[str, str]) -> None:
    criterion = {"customer_externalId": {"equals": "C-1"}}
    assert _names(people, api.search({"and": criterion})) == ["jane"]
    assert _names(people, api.search({"or": criterion})) == ["jane"]
    assert _names(people, api.search({"not": criterion})) == ["doe", "max"]
    assert _names(people, api.search({"sort": {"customer_name": "asc"}})) == ["doe", "jane", "max"]


def test_companies_are_searched_by_tag_and_by_name(api: Api, sandbox: Sandbox) -> None:
    b2b = sandbox.seed_tag("b2b")
    tagged = sandbox.seed_company(name="Acme", tags=[b2b])
    other = sandbox.seed_company(name="Bolt Ltd")

    def found(criterion: dict[str, Any]) -> list[str]:
        return [item["id"] for item in api.search({"queryContext": "company", "and": criterion}).data]

    assert found({"company_tags": {"equals": b2b}}) == [tagged]
    assert found({"company_tags": {"in": [b2b]}}) == [tagged]
    assert found({"company_name": {"equals": "bolt ltd"}}) == [other]
    assert found({"company_name": {"in": ["Acme", "Bolt Ltd"]}}) == [tagged, other]


@pytest.mark.parametrize(
    "context",
    ["conversation", "message", "note", "kobject", "kobject_order", "conversation_time", "work_session", "work_item"],
)
def test_what_is_not_here_is_searched_in_vain(api: Api, sandbox: Sandbox, context: str) -> None:
    sandbox.seed_customer(name="Jane")
    criterion = {f"{context}_updated_at": {"gte": "2016-01-01"}}
    found = api.search(
        {"queryContext": context, "and": [criterion], "sort": [{f"{context}_updated_at": "asc"}]}, "?pageSize=500"
    )
    assert (found.data, found.json["meta"]["total"], found.json["links"]["next"]) == ([], 0, None)
    assert api.search({"and": [criterion]}).data == []
    assert len(api.search({"not": [criterion]}).data) == 1


def test_customers_are_found_by_every_attribute_that_is_documented(api: Api, sandbox: Sandbox) -> None:
    jane = sandbox.seed_customer(
        name="Jane Doe",
        username="jdoe",
        gender="f",
        locale="en_US",
        defaultLang="en_us",
        emails=[{"email": "jane@example.com"}],
        sharedPhones=[{"phone": "+15551234567"}],
        urls=[{"url": "https://example.com/jane"}],
        locations=[{"address": "1 Main Street", "cityName": "Springfield"}],
        socials=[{"type": "twitter", "username": "jane", "userid": "77"}],
        sharedSocials=[{"type": "linkedin", "username": "doe"}],
        lastSeenAt="2026-05-01T00:00:00Z",
        signedUpAt="2026-04-01T00:00:00Z",
        lastActivityAt="2026-06-01T00:00:00Z",
        sentiment={"polarity": 1, "confidence": 0.5},
    )
    sandbox.seed_customer(name="Max")
    criteria: list[dict[str, Any]] = [
        {"customer_any_text": {"contains": "jdoe"}},
        {"customer_gender": {"in": ["f"]}},
        {"customer_locale": {"equals": "en_US"}},
        {"customer_default_lang": {"equals": "en_us"}},
        {"customer_shared_phone": {"equals": "+15551234567"}},
        {"customer_urls": {"contains": "example.com/jane"}},
        {"customer_address": {"contains": "springfield"}},
        {"customer_social_type": {"equals": "twitter"}},
        {"customer_social_username": {"equals": "jane"}},
        {"customer_social_userid": {"equals": "77"}},
        {"customer_shared_social_type": {"equals": "linkedin"}},
        {"customer_shared_social_username": {"equals": "doe"}},
        {"customer_last_seen_at": {"lt": "2026-05-02"}},
        {"customer_signed_up_at": {"gte": "2026-04-01"}},
        {"customer_activity_at": {"lte": "2026-06-01"}},
        {"customer_sentiment": {"equals": "happy"}},
    ]
    for criterion in criteria:
        assert [found["id"] for found in api.search({"and": [criterion]}).data] == [jane], criterion
    for nobody in ("status", "progressive_status", "active_users", "last_message_at", "satisfaction_avg_score"):
        assert len(api.search({"and": [{f"customer_{nobody}": {"not_set": ""}}]}).data) == 2
    everybody = [{"customer_presence": {"equals": "offline"}}, {"customer_conversations_count": {"equals": 0}}]
    assert len(api.search({"and": everybody}).data) == 2


def test_a_date_alone_is_the_beginning_of_that_day(api: Api, people: dict[str, str]) -> None:
    assert len(api.search({"and": [{"customer_created_at": {"gte": "2026-09-21"}}]}).data) == 3
    assert api.search({"and": [{"customer_created_at": {"gte": "2026-09-22"}}]}).data == []


def test_what_was_not_touched_for_two_years_is_only_in_the_archive(
    api: Api, sandbox: Sandbox, clock: ManualClock
) -> None:
    old = sandbox.seed_customer(externalId="C-1")
    clock.advance(2 * 366 * 86400)
    new = sandbox.seed_customer(externalId="C-2")
    assert api.search({}, "?idsOnly=true").data == [new]
    archived = api.post("/v1/customers/archive/search?idsOnly=true", {"queryContext": "customer"})
    assert archived.data == [old]
    assert api.get("/v1/customers/externalId=C-1").data["id"] == old
    body = {"queryContext": "customer", "and": [{"customer_tags": {"not_set": ""}}]}
    assert api.post("/v1/customers/archive/search", body).status == 400
    body = {"and": [{"customer_any_text_new": {"equals": "C-1"}}, {"customer_id": {"equals": old}}]}
    assert [found["id"] for found in api.post("/v1/customers/archive/search", body).data] == [old]
    sandbox.touch(old)
    assert api.search({}, "?idsOnly=true").data == [old, new]


def test_search_follows_changes_and_deletions(api: Api, sandbox: Sandbox) -> None:
    customer = sandbox.seed_customer(externalId="C-1")
    query = {"and": [{"customer_externalId": {"equals": "C-1"}}]}
    assert len(api.search(query).data) == 1
    sandbox.agent_edit(customer, externalId="C-2")
    assert api.search(query).data == []
    sandbox.agent_delete(customer)
    assert api.search({}).data == []
    assert len(api.search({"includeDeleted": True}).data) == 1


def test_hundreds_of_alternatives_over_thousands_of_customers(api: Api, sandbox: Sandbox) -> None:
    for number in range(3000):
        sandbox.seed_customer(externalId=f"C-{number}", emails=[{"email": f"user.{number}@example.com"}])
    sandbox.faults.set("search_criteria_limit", 300)
    alternatives = [{"customer_externalId": {"equals": f"C-{number}"}} for number in range(0, 3000, 10)]
    found = api.search({"or": alternatives}, "?pageSize=500&idsOnly=true")
    assert found.json["meta"]["total"] == 300
