"""What lands, mode by mode, twice in a row."""

from typing import Any

import pytest

from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline_tests.world import World, audience, companies, customers, members, people


def outcomes(report: Any) -> list[str]:
    return list(report.rows["outcome"])


def test_upsert_creates_and_updates(world: World) -> None:
    world.sandbox.seed_customer(externalId="C-1", name="Old")
    world.sandbox.seed_customer(emails=[{"email": "P2@Example.com"}], name="Old")
    assert ["created", "updated", "updated"] == outcomes(world.run(customers(), people(3)))
    for row in people(3):
        landed = world.customer(row["id"])
        assert row["name"] == landed["name"]
        assert row["plan"] == landed["custom"]["planStr"]
        assert row["email"] in [item["email"].lower() for item in landed["emails"]]
    assert ["unchanged"] * 3 == outcomes(world.run(customers(), people(3)))


def test_insert_skips_who_is_there(world: World) -> None:
    world.sandbox.seed_customer(externalId="C-1", name="Old")
    spec = customers(mode="insert")
    report = world.run(spec, people(3))
    assert ["created", "skipped", "created"] == outcomes(report)
    assert "exists already" == report.rows["reason"].iloc[1]
    assert "Old" == world.customer("C-1")["name"]
    changed = people(3, plan="pro")
    assert ["skipped"] * 3 == outcomes(world.run(spec, changed))
    assert "free" == world.customer("C-0")["custom"]["planStr"]


def test_update_skips_who_is_missing(world: World) -> None:
    world.sandbox.seed_customer(externalId="C-1", name="Old")
    report = world.run(customers(mode="update"), people(3))
    assert ["skipped", "updated", "skipped"] == outcomes(report)
    assert 1 == len(world.sandbox.customers)
    assert "not in Kustomer" == report.rows["reason"].iloc[0]


def test_update_needs_no_email(world: World) -> None:
    world.sandbox.seed_customer(externalId="C-1", name="Old")
    fields = (FieldMapping("externalId", ("id",)), FieldMapping("name", ("name",)))
    report = world.run(customers(mode="update", match_on=("externalId",), fields=fields), people(2))
    assert ["skipped", "updated"] == outcomes(report)


@pytest.mark.parametrize("mode", ["upsert", "insert", "update"])
def test_companies(world: World, mode: str) -> None:
    rows = [{"id": "A-1", "name": "Acme"}, {"id": "A-2", "name": "Globex"}, {"id": "A-3", "name": "Initech"}]
    known = world.sandbox.seed_company(name="Acme Ltd", externalId="A-1")
    expected = {
        "upsert": ["updated", "created", "created"],
        "insert": ["skipped", "created", "created"],
        "update": ["updated", "skipped", "skipped"],
    }[mode]
    spec = companies(mode=mode)
    assert expected == outcomes(world.run(spec, rows))
    assert ("Acme Ltd" if mode == "insert" else "Acme") == world.sandbox.companies[known]["name"]
    again = ["unchanged" if outcome in ("created", "updated") else outcome for outcome in expected]
    assert again == outcomes(world.run(spec, rows))


@pytest.mark.parametrize("companies_multi_get", [True, False])
def test_many_known_companies_are_updated(world: World, companies_multi_get: bool) -> None:
    if companies_multi_get:
        world.sandbox.faults.set("companies_multi_get")
    rows = [{"id": f"A-{n}", "name": f"Company {n}"} for n in range(150)]
    world.run(companies(), rows)
    report = world.run(companies(), [{**row, "name": f"{row['name']} Ltd"} for row in rows])
    assert 150 == report.counts.updated
    assert {f"Company {n} Ltd" for n in range(150)} == {one["name"] for one in world.sandbox.companies.values()}


def test_a_deleted_company_is_not_updated_but_made_anew(world: World) -> None:
    world.run(companies(), [{"id": "A-1", "name": "Acme"}])
    (id_,) = world.sandbox.companies
    world.sandbox.agent_delete(id_)
    assert ["created"] == outcomes(world.run(companies(), [{"id": "A-1", "name": "Acme Ltd"}]))


def test_a_deleted_customer_is_made_anew(world: World) -> None:
    world.run(customers(), people(2))
    world.sandbox.agent_delete(world.id_of("p0@example.com"))
    assert ["created", "updated"] == outcomes(world.run(customers(), people(2, plan="pro")))


def test_add_only_adds_and_remove_only_removes(world: World) -> None:
    world.run(customers(), people(5))
    add = audience(mode="add")
    assert ["updated"] * 3 == outcomes(world.run(add, members(3)))
    assert ["updated"] * 2 == outcomes(world.run(add, members(2, start=3)))
    assert 5 == sum("vip" in world.sandbox.tag_names(id_) for id_ in world.sandbox.customers)
    remove = audience(name="no-vip", mode="remove")
    assert ["updated"] * 2 + ["skipped"] == outcomes(world.run(remove, [*members(2), {"email": "who@example.com"}]))
    assert 3 == sum("vip" in world.sandbox.tag_names(id_) for id_ in world.sandbox.customers)
    assert ["unchanged"] * 2 + ["skipped"] == outcomes(world.run(remove, [*members(2), {"email": "who@example.com"}]))


def test_a_tag_is_found_in_another_case_and_made_when_missing(world: World) -> None:
    tag = world.sandbox.seed_tag("VIP")
    world.run(customers(), people(1))
    world.run(audience(), members(1))
    assert [tag] == world.sandbox.customers[world.id_of("p0@example.com")]["tags"]
    world.run(audience(name="new", tag="brand new"), members(1))
    assert {"VIP", "brand new"} == {one["name"] for one in world.sandbox.tags.values()}


def test_members_are_matched_by_any_rung(world: World) -> None:
    world.run(customers(), people(3))
    spec = audience(
        match_on=("externalId", "email"),
        fields=(FieldMapping("externalId", ("id",)), FieldMapping("email", ("email",))),
    )
    rows = [{"id": "C-0"}, {"email": "p1@example.com"}, {"id": "nobody", "email": "p2@example.com"}]
    report = world.run(spec, rows)
    assert ["updated", "updated", "rejected"] == outcomes(report)
    assert "has another externalId" in report.rows["reason"].iloc[2]


def test_nulls_clear_empties_and_keep_keeps(world: World) -> None:
    world.run(customers(), people(1))
    blank = [{**people(1)[0], "name": None, "plan": None}]
    world.run(customers(), blank)
    assert "Person 0" == world.customer("C-0")["name"]
    world.run(customers(nulls="clear"), blank)
    after = world.customer("C-0")
    assert after["name"] is None
    assert "planStr" not in (after.get("custom") or {}) or after["custom"]["planStr"] is None


def test_a_list_that_becomes_null_loses_only_what_was_sent(world: World) -> None:
    spec = customers(nulls="clear", fields=(*customers().fields, FieldMapping("phone", ("phone",))))
    world.run(spec, [{**people(1)[0], "phone": "+442071838750"}])
    id_ = world.id_of("p0@example.com")
    world.sandbox.agent_edit(id_, phones=[{"phone": "+442071838750"}, {"phone": "+442071838751"}])
    world.run(spec, [{**people(1)[0], "phone": None}])
    assert ["+442071838751"] == [item["phone"] for item in world.sandbox.customers[id_]["phones"]]


def test_every_kind_of_value_lands(world: World) -> None:
    fields = (
        FieldMapping("externalId", ("id",)),
        FieldMapping("email", ("email", "email2")),
        FieldMapping("name", ("name",)),
        FieldMapping("custom.scoreNum", ("score",)),
        FieldMapping("custom.activeBool", ("active",)),
        FieldMapping("custom.seenAt", ("seen",)),
        FieldMapping("urls", ("site",)),
        FieldMapping("locations", ("address",)),
        FieldMapping("tags", ("tags",)),
        FieldMapping("signedUpAt", ("seen",)),
    )
    gold = world.sandbox.seed_tag("gold")
    row = {
        "id": 7,
        "email": " Ann@X.com",
        "email2": "ann@y.com",
        "name": "Ånn 🎉",
        "score": "12.50",
        "active": "yes",
        "seen": "2026-01-02 03:04:05",
        "site": "https://example.com/ann",
        "address": '{"type": "home", "cityName": "Oslo", "countryCode": "NO"}',
        "tags": "gold",
    }
    assert ["created"] == outcomes(world.run(customers(fields=fields), [row]))
    landed = world.customer("7")
    assert "Ånn 🎉" == landed["name"]
    assert ["ann@x.com", "ann@y.com"] == [item["email"] for item in landed["emails"]]
    assert {"scoreNum": 12.5, "activeBool": True, "seenAt": "2026-01-02T03:04:05.000Z"} == landed["custom"]
    assert "https://example.com/ann" == landed["urls"][0]["url"]
    assert "Oslo" == landed["locations"][0]["cityName"]
    assert [gold] == landed["tags"]
    assert "2026-01-02T03:04:05.000Z" == landed["signedUpAt"]
    assert ["unchanged"] == outcomes(world.run(customers(fields=fields), [row], full_resync=True))
    report = world.run(customers(fields=fields), [{**row, "tags": "gold,no such tag"}])
    assert ["rejected"] == outcomes(report)
    assert "Kustomer has no tag named n…" in report.rows["reason"].iloc[0]


def test_a_tag_that_cannot_be_made_is_asked_for(world: World) -> None:
    world.run(customers(), people(2))
    world.sandbox.faults.set("tags_post_missing")
    report = world.run(audience(), members(2))
    assert 2 == report.counts.deferred
    assert "There is no tag 'vip'" in str(report.interrupted)
    assert "by hand" in str(report.interrupted)
