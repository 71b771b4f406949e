"""The smallest patch: what was not mapped is not touched."""

from typing import Any

import pytest

from kustomer_pipeline.kustomer import Record
from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sync.patch import (
    Policies,
    UnpatchableError,
    create_body,
    patch_for,
    sent_lists,
    tag_patch,
    update_item,
)

FIELDS = (
    FieldMapping("externalId", ("id",)),
    FieldMapping("email", ("email",)),
    FieldMapping("phone", ("phone",)),
    FieldMapping("name", ("name",)),
    FieldMapping("signedUpAt", ("signed_up",)),
    FieldMapping("company", ("account",)),
    FieldMapping("custom.planStr", ("plan",)),
    FieldMapping("custom.scoreNum", ("score",), write="if_empty"),
)


def policies(nulls: str = "keep") -> Policies:
    return Policies.of("customers", FIELDS, nulls)  # type: ignore[arg-type]  # a parametrized text


def record(company: str | None = None, **attributes: Any) -> Record:
    return Record("customers", "c1", attributes, company, 7, False)


def test_a_record_that_is_as_it_should_be_needs_no_patch() -> None:
    live = record(
        name="Ann", emails=[{"email": "Ann@X.com", "type": "work", "verified": True}], custom={"planStr": "pro"}
    )
    desired = {"name": "Ann", "emails": [{"email": "ann@x.com"}], "custom": {"planStr": "pro"}}
    assert {} == patch_for(desired, live, policies()).body


def test_lists_are_the_live_list_plus_what_is_mapped() -> None:
    live = record(emails=[{"email": "old@x.com", "type": "home", "verified": True, "id": None, "externalVerified": 1}])
    body = patch_for({"emails": [{"email": "new@x.com"}]}, live, policies()).body
    assert {"emails": [{"email": "old@x.com", "type": "home", "verified": True}, {"email": "new@x.com"}]} == body


def test_only_the_custom_attribute_that_differs_is_sent() -> None:
    live = record(custom={"planStr": "free", "agentNoteStr": "likes cats"})
    body = patch_for({"custom": {"planStr": "pro", "scoreNum": None}}, live, policies()).body
    assert {"custom": {"planStr": "pro"}} == body


def test_a_null_keeps_what_kustomer_has_unless_it_is_to_be_cleared() -> None:
    live = record(name="Ann", custom={"planStr": "pro"})
    desired = {"name": None, "custom": {"planStr": None}}
    assert {} == patch_for(desired, live, policies()).body
    assert {"name": None, "custom": {"planStr": None}} == patch_for(desired, live, policies("clear")).body


def test_clearing_a_list_removes_only_what_this_sync_sent() -> None:
    live = record(phones=[{"phone": "+4420111"}, {"phone": "+4420222"}])
    sent = sent_lists({"phones": [{"phone": "+4420222"}]}, policies("clear"))
    body = patch_for({"phones": None}, live, policies("clear"), sent_lists=sent).body
    assert {"phones": [{"phone": "+4420111"}]} == body
    assert {} == patch_for({"phones": None}, live, policies("clear")).body


def test_if_empty_never_overwrites() -> None:
    desired = {"custom": {"scoreNum": 5}}
    assert {} == patch_for(desired, record(custom={"scoreNum": 0}), policies()).body
    assert {"custom": {"scoreNum": 5}} == patch_for(desired, record(), policies()).body


@pytest.mark.parametrize(
    ("wanted", "live", "same"),
    [
        ("2026-01-02T03:04:05.000Z", "2026-01-02T03:04:05Z", True),
        ("2026-01-02T03:04:05.000Z", "2026-01-02T04:04:05.000+01:00", True),
        ("2026-01-02T03:04:05.000Z", "2026-01-02T03:04:06.000Z", False),
        ("2026-01-02T03:04:05.000Z", "yesterday", False),
    ],
)
def test_times_are_compared_as_instants(wanted: str, live: str, same: bool) -> None:
    body = patch_for({"signedUpAt": wanted}, record(signedUpAt=live), policies()).body
    assert same is (body == {})


def test_an_update_always_says_which_company() -> None:
    live = record(company="co1", name="Ann")
    assert "co1" == update_item(live, {"name": "Anna"}, with_rev=True)["company"]
    patch = patch_for({"company": "co2"}, live, policies())
    assert "co2" == update_item(live, patch.body, with_rev=True)["company"]
    assert {} == patch_for({"company": None}, live, policies()).body
    assert {"company": None} == patch_for({"company": None}, live, policies("clear")).body


def test_an_update_carries_the_revision_it_was_computed_from() -> None:
    assert 7 == update_item(record(), {"name": "x"}, with_rev=True)["rev"]
    assert "rev" not in update_item(record(), {"name": "x"}, with_rev=False)


def test_an_eleventh_email_is_refused_here() -> None:
    live = record(emails=[{"email": f"{n}@x.com"} for n in range(10)])
    with pytest.raises(UnpatchableError, match="would hold 11 entries, Kustomer takes 10"):
        patch_for({"emails": [{"email": "new@x.com"}]}, live, policies())


def test_masked_values_are_never_written_back() -> None:
    with pytest.raises(UnpatchableError, match="masked"):
        patch_for({"emails": [{"email": "a@x.com"}]}, record(emails=[{"email": "j***@x.com"}]), policies())


def test_a_create_sends_no_nulls() -> None:
    desired = {"name": None, "emails": [{"email": "a@x.com"}], "phones": None, "custom": {"planStr": None}}
    assert {"emails": [{"email": "a@x.com"}]} == create_body(desired)


def test_a_tag_comes_or_goes_and_the_others_stay() -> None:
    live = record(tags=["t1", "t2"])
    assert {"tags": ["t1", "t2", "vip"]} == tag_patch(live, add="vip").body
    assert {"tags": ["t1"]} == tag_patch(live, remove="t2").body
    assert {} == tag_patch(live, add="t1").body
    assert {} == tag_patch(live, remove="vip").body


def test_a_twenty_first_tag_is_refused_here() -> None:
    full = record(tags=[f"t{n}" for n in range(20)])
    with pytest.raises(UnpatchableError, match="has 20 tags already"):
        tag_patch(full, add="vip")
    assert 19 == len(tag_patch(full, remove="t3").body["tags"])
