"""The smallest patch: what was not mapped is not touched."""

from dataclasses import dataclass
from typing import Any, Literal

import pytest

from kustomer_pipeline.kustomer import ObjectName, Record
from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sync.patch import (
    Change,
    Patch,
    Policies,
    UnpatchableError,
    create_body,
    create_changes,
    patch_for,
    sent_lists,
    tag_patch,
    update_item,
    without_dead_references,
)
from kustomer_pipeline.sync.reasons import ReasonCode

FIELDS = (
    FieldMapping("externalId", ("id",)),
    FieldMapping("email", ("email",)),
    FieldMapping("phone", ("phone",)),
    FieldMapping("whatsapps", ("whatsapp",)),
    FieldMapping("locations", ("address",)),
    FieldMapping("name", ("name",)),
    FieldMapping("signedUpAt", ("signed_up",)),
    FieldMapping("company", ("account",)),
    FieldMapping("custom.planStr", ("plan",)),
    FieldMapping("custom.scoreNum", ("score",), write="if_empty"),
)
OLD_HOME = {"type": "home", "address": "1 Altweg", "zipCode": "20095", "cityName": "Hamburg"}
NEW_HOME = {"type": "home", "address": "99 Hafenweg", "cityName": "Hamburg"}
WORK = {"type": "work", "address": "5 Werkstrasse", "cityName": "Bremen"}


@dataclass(frozen=True)
class Dead:
    """What is no longer in Kustomer."""

    company: bool = False
    tags: frozenset[str] = frozenset()


def policies(nulls: Literal["keep", "clear"] = "keep") -> Policies:
    return Policies.of("customers", FIELDS, nulls)


def record(company: str | None = None, object_name: ObjectName = "customers", **attributes: Any) -> Record:
    return Record(object_name, "c1", attributes, company, 7, False)


def written(attribute: str, *items: Any) -> dict[str, list[str]]:
    """What the state keeps once this sync has written these items."""
    return sent_lists({attribute: list(items)}, policies())


def emails(*addresses: str) -> list[dict[str, str]]:
    return [{"email": address} for address in addresses]


# --- scalars ------------------------------------------------------------------------------------------------


def test_a_record_that_is_as_it_should_be_needs_no_patch() -> None:
    live = record(
        name="Ann", emails=[{"email": "Ann@X.com", "type": "work", "verified": True}], custom={"planStr": "pro"}
    )
    desired = {"name": "Ann", "emails": [{"email": "ann@x.com"}], "custom": {"planStr": "pro"}}
    assert patch_for(desired, live, policies()) == Patch({}, ())


def test_only_the_custom_attribute_that_differs_is_sent() -> None:
    live = record(custom={"planStr": "free", "agentNoteStr": "likes cats"})
    body = patch_for({"custom": {"planStr": "pro", "scoreNum": None}}, live, policies()).body
    assert body == {"custom": {"planStr": "pro"}}


def test_a_null_keeps_what_kustomer_has_unless_it_is_to_be_cleared() -> None:
    live = record(name="Ann", custom={"planStr": "pro"})
    desired = {"name": None, "custom": {"planStr": None}}
    assert patch_for(desired, live, policies()).body == {}
    assert patch_for(desired, live, policies("clear")).body == {"name": None, "custom": {"planStr": None}}


def test_clearing_leaves_alone_what_kustomer_does_not_let_be_empty() -> None:
    fields = (FieldMapping("employeeCount", ("staff",)), FieldMapping("avatarUrl", ("logo",)))
    live = record(object_name="companies", employeeCount=12, avatarUrl="https://x.com/logo.png")
    desired = {"employeeCount": None, "avatarUrl": None}
    assert patch_for(desired, live, Policies.of("companies", fields, "clear")).body == {"avatarUrl": None}


def test_if_empty_never_overwrites() -> None:
    desired = {"custom": {"scoreNum": 5}}
    assert patch_for(desired, record(custom={"scoreNum": 0}), policies()).body == {}
    assert patch_for(desired, record(), policies()).body == {"custom": {"scoreNum": 5}}


@pytest.mark.parametrize(
    ("wanted", "live", "same"),
    [
        ("2026-01-02T03:04:05.000Z", "2026-01-02T03:04:05Z", True),
        ("2026-01-02T03:04:05.000Z", "2026-01-02T04:04:05.000+01:00", True),
        ("2026-01-02T03:04:05.123Z", "2026-01-02T03:04:05.123999Z", True),
        ("2026-01-02T03:04:05.000Z", "2026-01-02T03:04:06.000Z", False),
        ("2026-01-02T03:04:05.000Z", "yesterday", False),
    ],
)
def test_times_are_compared_as_instants_to_the_millisecond(wanted: str, live: str, same: bool) -> None:
    body = patch_for({"signedUpAt": wanted}, record(signedUpAt=live), policies()).body
    assert (body == {}) is same


def test_an_external_id_that_a_merge_has_brought_is_there_already() -> None:
    """Written as the customer's own, it would take away the one that it is known by besides."""
    live = record(externalId="C-4", externalIds=[{"externalId": "C-4"}, {"externalId": "C-5"}])
    assert patch_for({"externalId": "C-5"}, live, policies()).body == {}
    assert patch_for({"externalId": "C-6"}, live, policies()).body == {"externalId": "C-6"}


def test_a_boolean_is_not_a_number() -> None:
    fields = (FieldMapping("custom.vipBool", ("vip",)),)
    body = patch_for(
        {"custom": {"vipBool": True}}, record(custom={"vipBool": 1}), Policies.of("customers", fields, "keep")
    )
    assert body.body == {"custom": {"vipBool": True}}


# --- lists whose items have a value of their own --------------------------------------------------------------


def test_lists_are_the_live_list_plus_what_is_mapped() -> None:
    live = record(emails=[{"email": "old@x.com", "type": "home", "verified": True, "id": None, "externalVerified": 1}])
    body = patch_for({"emails": emails("new@x.com")}, live, policies()).body
    assert body == {"emails": [{"email": "old@x.com", "type": "home", "verified": True}, {"email": "new@x.com"}]}


@pytest.mark.parametrize("stored", ["+1 (212) 555-0003", "12125550003", "+12125550003"])
def test_a_number_that_kustomer_holds_in_another_form_is_the_same_number(stored: str) -> None:
    live = record(phones=[{"phone": stored, "type": "work"}])
    assert patch_for({"phones": [{"phone": "+12125550003"}]}, live, policies()) == Patch({}, ())


@pytest.mark.parametrize("stored", ["+1 (212) 555-0003", "12125550003"])
def test_a_number_in_another_form_is_sent_back_exactly_as_it_is(stored: str) -> None:
    live = record(phones=[{"phone": stored, "type": "work", "id": None}])
    wanted = [{"phone": "+12125550003", "type": "mobile"}, {"phone": "+12125550009"}]
    body = patch_for({"phones": wanted}, live, policies()).body
    assert body == {"phones": [{"phone": stored, "type": "mobile"}, {"phone": "+12125550009"}]}


def test_a_whatsapp_number_with_kustomers_prefix_is_the_plain_number() -> None:
    live = record(whatsapps=[{"phone": "whatsapp:+12125550003", "type": "mobile"}])
    assert patch_for({"whatsapps": [{"phone": "+12125550003"}]}, live, policies()).body == {}
    body = patch_for({"whatsapps": [{"phone": "+12125550004"}]}, live, policies()).body
    assert [item["phone"] for item in body["whatsapps"]] == ["whatsapp:+12125550003", "+12125550004"]


def test_a_list_that_is_written_holds_every_item_once() -> None:
    twice = [{"phone": "whatsapp:+12125550003"}, {"phone": "+12125550003"}, {"phone": "+12125550003", "id": None}]
    live = record(whatsapps=twice)
    body = patch_for({"whatsapps": [{"phone": "+12125550004"}, {"phone": "+12125550004"}]}, live, policies()).body
    assert body == {"whatsapps": [{"phone": "whatsapp:+12125550003"}, {"phone": "+12125550004"}]}
    assert patch_for({"whatsapps": [{"phone": "+12125550003"}]}, live, policies()).body == {}


def test_an_item_that_kustomer_shows_as_plain_text_survives() -> None:
    live = record(emails=["old@x.com", None, {"id": None}])
    assert patch_for({"emails": emails("new@x.com")}, live, policies()).body == {
        "emails": emails("old@x.com", "new@x.com")
    }


def test_a_list_that_is_absent_or_null_is_empty() -> None:
    for live in (record(), record(emails=None)):
        assert patch_for({"emails": emails("a@x.com")}, live, policies()).body == {"emails": emails("a@x.com")}


def test_masked_values_are_never_written_back() -> None:
    with pytest.raises(UnpatchableError, match="masked") as caught:
        patch_for({"emails": emails("a@x.com")}, record(emails=emails("j***@x.com")), policies())
    assert caught.value.reason.code is ReasonCode.MASKED
    assert caught.value.reason.field == "emails"
    with pytest.raises(UnpatchableError, match="masked"):
        patch_for({"locations": [NEW_HOME]}, record(locations=[{"type": "home", "address": "*** Altweg"}]), policies())


def test_stars_that_the_warehouse_itself_has_are_not_a_mask() -> None:
    assert patch_for({"emails": emails("a***@x.com")}, record(emails=emails("a***@x.com")), policies()).body == {}


# --- what this sync has written itself ------------------------------------------------------------------------


def test_clearing_a_list_removes_only_what_this_sync_wrote() -> None:
    live = record(phones=[{"phone": "+4420111"}, {"phone": "+4420222"}])
    sent = written("phones", {"phone": "+4420222"})
    body = patch_for({"phones": None}, live, policies("clear"), sent_lists=sent).body
    assert body == {"phones": [{"phone": "+4420111"}]}
    assert patch_for({"phones": None}, live, policies("clear")).body == {}
    assert patch_for({"phones": None}, live, policies(), sent_lists=sent).body == {}


def test_clearing_keeps_a_number_that_was_there_before_this_sync_came() -> None:
    agents = record(phones=[{"phone": "+1 212 555 0003"}])
    patch = patch_for({"phones": [{"phone": "+12125550003"}, {"phone": "+12125550004"}]}, agents, policies("clear"))
    sent = sent_lists(patch.body, policies("clear"), live=agents)
    now = record(**patch.body)
    body = patch_for({"phones": None}, now, policies("clear"), sent_lists=sent).body
    assert body == {"phones": [{"phone": "+1 212 555 0003"}]}


def test_what_was_there_already_is_nobodys_but_the_agents() -> None:
    live = record(phones=[{"phone": "+12125550003"}])
    patch = patch_for({"phones": [{"phone": "+12125550003"}]}, live, policies("clear"))
    assert sent_lists(patch.body, policies("clear"), live=live) == {}


def test_everything_in_a_new_record_counts_as_written() -> None:
    body = create_body({"emails": emails("a@x.com"), "phones": None})
    sent = sent_lists(body, policies())
    assert {name: len(hashes) for name, hashes in sent.items()} == {"emails": 1}
    assert "a@x.com" not in str(sent)


def test_what_was_written_is_remembered_while_it_is_in_the_list() -> None:
    before = written("emails", *emails("a@x.com", "b@x.com"))
    live = record(emails=emails("b@x.com"))  # an agent took a@x.com away
    patch = patch_for({"emails": emails("c@x.com")}, live, policies(), sent_lists=before)
    after = sent_lists(patch.body, policies(), before, live=live)
    assert after == written("emails", *emails("b@x.com", "c@x.com"))
    assert sent_lists({"name": "x"}, policies(), after, live=live) == after


def test_of_a_list_at_most_fifty_hashes_are_kept() -> None:
    assert len(written("emails", *emails(*(f"{n}@x.com" for n in range(60))))["emails"]) == 50


def test_the_eleventh_email_takes_the_place_of_the_oldest_that_this_sync_wrote() -> None:
    live = record(emails=emails("agent@x.com"))
    sent: dict[str, list[str]] = {}
    for number in range(15):
        desired = {"emails": emails(f"{number}@x.com")}
        patch = patch_for(desired, live, policies(), sent_lists=sent)
        assert patch.notes == ()
        sent = sent_lists(patch.body, policies(), sent, live=live)
        live = record(**patch.body)
    assert live.attributes["emails"] == emails("agent@x.com", *(f"{n}@x.com" for n in range(6, 15)))


def test_a_list_that_is_full_of_other_peoples_items_stays_and_the_rest_is_written() -> None:
    live = record(name="Ann", emails=emails(*(f"{n}@x.com" for n in range(10))))
    patch = patch_for({"name": "Anna", "emails": emails("new@x.com")}, live, policies())
    assert patch.body == {"name": "Anna"}
    assert [(note.code, note.field) for note in patch.notes] == [(ReasonCode.LIST_FULL, "emails")]
    assert "would hold 11 entries, Kustomer takes 10" in patch.notes[0].text
    assert "new@x.com" not in patch.notes[0].text


def test_in_a_full_list_the_items_that_are_there_are_still_brought_up_to_date() -> None:
    live = record(emails=emails(*(f"{n}@x.com" for n in range(10))))
    wanted = [{"email": "3@x.com", "type": "work"}, {"email": "new@x.com"}]
    patch = patch_for({"emails": wanted}, live, policies(), sent_lists=written("emails", *emails("3@x.com")))
    assert patch.body["emails"][3] == {"email": "3@x.com", "type": "work"}
    assert len(patch.body["emails"]) == 10
    assert len(patch.notes) == 1


# --- lists whose items have no value of their own -------------------------------------------------------------


def test_a_postal_address_that_this_sync_wrote_is_replaced_as_a_whole() -> None:
    sent = written("locations", OLD_HOME)
    live = record(locations=[WORK, {**OLD_HOME, "id": None, "name": None}])
    patch = patch_for({"locations": [NEW_HOME]}, live, policies(), sent_lists=sent)
    assert patch.body == {"locations": [WORK, NEW_HOME]}
    assert sent_lists(patch.body, policies(), sent, live=live) == written("locations", NEW_HOME)


def test_a_postal_address_of_an_agents_is_left_as_it_is() -> None:
    agents = {"type": "home", "address": "2 Agentenweg", "address2": "Apt 4"}
    patch = patch_for({"locations": [NEW_HOME]}, record(locations=[agents]), policies())
    assert patch.body == {"locations": [agents, NEW_HOME]}


def test_a_postal_address_of_ours_that_an_agent_edited_is_the_agents_now() -> None:
    edited = {**OLD_HOME, "address2": "Apt 4"}
    sent = written("locations", OLD_HOME)
    body = patch_for({"locations": [NEW_HOME]}, record(locations=[edited]), policies(), sent_lists=sent).body
    assert body == {"locations": [edited, NEW_HOME]}


@pytest.mark.parametrize("agents", [NEW_HOME, {**NEW_HOME, "address2": "Apt 4"}])
def test_a_postal_address_that_somebody_has_entered_already_is_not_added(agents: dict[str, Any]) -> None:
    assert patch_for({"locations": [NEW_HOME]}, record(locations=[agents]), policies()).body == {}
    live, sent = record(locations=[OLD_HOME, agents]), written("locations", OLD_HOME)
    assert patch_for({"locations": [NEW_HOME]}, live, policies(), sent_lists=sent).body == {"locations": [agents]}


def test_of_two_postal_addresses_each_replaces_its_own_kind() -> None:
    new_work = {**WORK, "address": "6 Werkstrasse"}
    sent = written("locations", OLD_HOME, WORK)
    live = record(locations=[OLD_HOME, WORK])
    body = patch_for({"locations": [new_work, NEW_HOME]}, live, policies(), sent_lists=sent).body
    assert body == {"locations": [NEW_HOME, new_work]}
    assert patch_for({"locations": [OLD_HOME, WORK]}, live, policies(), sent_lists=sent).body == {}


def test_a_postal_address_that_changed_its_name_is_replaced_all_the_same() -> None:
    sent = written("locations", {"name": "HQ Hamburg", "cityName": "Hamburg"})
    live = record(locations=[{"name": "HQ Hamburg", "cityName": "Hamburg"}])
    moved = {"name": "HQ Berlin", "cityName": "Berlin"}
    assert patch_for({"locations": [moved]}, live, policies(), sent_lists=sent).body == {"locations": [moved]}


def test_a_place_on_the_map_is_the_same_in_whole_and_in_decimal_numbers() -> None:
    sent = written("locations", {"latitude": 53.0, "longitude": 10})
    live = record(locations=[{"latitude": 53, "longitude": 10.0}])
    assert sent == written("locations", *live.attributes["locations"])
    assert patch_for({"locations": [{"latitude": 53.0, "longitude": 10}]}, live, policies()).body == {}


# --- creates, updates, tags -------------------------------------------------------------------------------


def test_a_create_sends_no_nulls() -> None:
    desired = {"name": None, "emails": emails("a@x.com"), "phones": None, "custom": {"planStr": None}}
    assert create_body(desired) == {"emails": emails("a@x.com")}


def test_a_create_is_told_field_by_field() -> None:
    changes = create_changes(create_body({"name": "Ann", "custom": {"planStr": "pro"}}))
    assert changes == (Change("name", None, "Ann"), Change("custom.planStr", None, "pro"))


def test_an_update_of_a_customer_always_says_which_company() -> None:
    live = record(company="co1", name="Ann")
    assert update_item(live, {"name": "Anna"}, with_rev=True)["company"] == "co1"
    patch = patch_for({"company": "co2"}, live, policies())
    assert update_item(live, patch.body, with_rev=True)["company"] == "co2"
    assert patch_for({"company": None}, live, policies()).body == {}
    assert patch_for({"company": None}, live, policies("clear")).body == {"company": None}
    assert "company" not in update_item(record(object_name="companies"), {"name": "Acme"}, with_rev=False)


def test_an_update_carries_the_revision_it_was_computed_from() -> None:
    assert update_item(record(), {"name": "x"}, with_rev=True)["rev"] == 7
    assert "rev" not in update_item(record(), {"name": "x"}, with_rev=False)


def test_a_tag_comes_or_goes_and_the_others_stay() -> None:
    live = record(tags=["t1", "t2"])
    assert tag_patch(live, add="vip").body == {"tags": ["t1", "t2", "vip"]}
    assert tag_patch(live, remove="t2").body == {"tags": ["t1"]}
    assert tag_patch(live, add="t1").body == {}
    assert tag_patch(live, remove="vip").body == {}


def test_a_tag_whose_id_is_not_known_is_added_by_its_name() -> None:
    assert tag_patch(record(tags=["t1"]), add_name="VIP").body == {"tags": ["t1", "VIP"]}
    assert tag_patch(record(tags=["t1", "VIP"]), add_name="VIP").body == {}


def test_a_twenty_first_tag_is_refused_here() -> None:
    full = record(tags=[f"t{n}" for n in range(20)])
    with pytest.raises(UnpatchableError, match="the customer has 20 tags already") as caught:
        tag_patch(full, add="vip")
    assert caught.value.reason.code is ReasonCode.TAGS_FULL
    assert len(tag_patch(full, remove="t3").body["tags"]) == 19


# --- things that are no longer in Kustomer ------------------------------------------------------------------


def test_a_company_that_is_gone_is_sent_back_as_null() -> None:
    live = record(company="gone", name="Ann")
    patch = patch_for({"name": "Anna"}, live, policies())
    mended = without_dead_references(live, patch, Dead(company=True))
    assert mended.body == {"name": "Anna", "company": None}
    assert mended.changes == (Change("name", "Ann", "Anna"), Change("company", "gone", None))
    assert update_item(live, mended.body, with_rev=False)["company"] is None


def test_a_company_that_is_gone_gives_way_to_the_rows_own() -> None:
    live = record(company="gone")
    patch = patch_for({"company": "co2"}, live, policies())
    assert without_dead_references(live, patch, Dead(company=True)) == patch


def test_a_tag_that_is_gone_is_left_out_and_the_others_stay() -> None:
    live = record(tags=["t1", "gone"])
    mended = without_dead_references(live, tag_patch(live, add="vip"), Dead(tags=frozenset({"gone"})))
    assert mended == Patch({"tags": ["t1", "vip"]}, (Change("tags", ["t1", "gone"], ["t1", "vip"]),))


def test_a_new_tag_that_is_gone_itself_leaves_nothing_to_send() -> None:
    live = record(tags=["t1"])
    assert without_dead_references(live, tag_patch(live, add="gone"), Dead(tags=frozenset({"gone"}))) == Patch({}, ())


def test_nothing_is_left_out_while_nothing_is_gone() -> None:
    live = record(company="co1", tags=["t1"])
    patch = tag_patch(live, add="vip")
    assert without_dead_references(live, patch, Dead()) == patch
