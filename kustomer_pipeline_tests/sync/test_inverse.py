"""What a run did to a record is taken back change by change; what others did stays."""

from typing import Any

import pytest

from kustomer_pipeline.kustomer import ObjectName, Record
from kustomer_pipeline.sync.inverse import FieldOutcome, Inverse, inverse
from kustomer_pipeline.sync.patch import Change
from kustomer_pipeline.sync.reasons import ReasonCode

OneChange = tuple[str, Any, Any]  # (field, before, after)

HOME = {"type": "home", "address": "1 Altweg"}
NEW_HOME = {"type": "home", "address": "99 Hafenweg"}
WORK = {"type": "work", "address": "5 Werkstrasse"}


def record(company: str | None = None, object_name: ObjectName = "customers", **attributes: Any) -> Record:
    return Record(object_name, "c1", attributes, company, 7, False)


def undone(live: Record, *changes: OneChange, tag_ids: dict[str, str] | None = None) -> tuple[Any, str]:
    """(body, outcome) of the inverse of changes of one field."""
    found = inverse(changes, live, tag_ids=tag_ids)
    (outcome,) = found.outcomes.values()
    return found.patch.body, str(outcome)


def emails(*addresses: str) -> list[dict[str, str]]:
    return [{"email": address} for address in addresses]


# --- scalars ------------------------------------------------------------------------------------------------


def test_every_field_goes_back_to_what_it_was() -> None:
    live = record(name="Ann", company="co2", custom={"planStr": "pro", "noteStr": "x"})
    changes = [("name", "Before", "Ann"), ("company", None, "co2"), ("custom.planStr", None, "pro")]
    assert inverse(changes, live).patch.body == {"name": "Before", "company": None, "custom": {"planStr": None}}
    assert set(inverse(changes, live).outcomes.values()) == {FieldOutcome.RESTORED}
    assert Change("name", "Ann", "Before") in inverse(changes, live).patch.changes


def test_a_field_that_was_written_twice_goes_back_all_the_way() -> None:
    assert undone(record(name="C"), ("name", "A", "B"), ("name", "B", "C")) == ({"name": "A"}, "restored")


def test_what_somebody_wrote_between_two_changes_comes_back() -> None:
    changes = (("name", "A", "B"), ("name", "By an agent", "C"))
    assert undone(record(name="C"), *changes) == ({"name": "By an agent"}, "restored")


def test_what_somebody_changed_since_stays() -> None:
    assert undone(record(name="By an agent"), ("name", "A", "B")) == ({}, "changed since")


def test_what_is_back_already_needs_nothing() -> None:
    assert undone(record(name="A"), ("name", "A", "B")) == ({}, "nothing to do")
    assert undone(record(), ("name", None, "B")) == ({}, "nothing to do")
    assert undone(record(name="C"), ("name", "A", "B"), ("name", "C", "D")) == ({}, "changed since")


def test_a_time_that_kustomer_words_otherwise_is_as_the_run_left_it() -> None:
    change = ("signedUpAt", None, "2026-01-02T03:04:05.000Z")
    assert undone(record(signedUpAt="2026-01-02T03:04:05Z"), change) == ({"signedUpAt": None}, "restored")


def test_a_value_that_cannot_be_emptied_again_is_told() -> None:
    live = record(object_name="companies", employeeCount=12, name="Acme")
    found = inverse([("employeeCount", None, 12), ("name", "Acme Ltd", "Acme")], live)
    assert found.patch.body == {"name": "Acme Ltd"}
    assert found.outcomes["employeeCount"] is FieldOutcome.NOT_POSSIBLE
    assert [note.field for note in found.patch.notes] == ["employeeCount"]


def test_nothing_was_changed() -> None:
    assert inverse([], record()) == Inverse(inverse([], record()).patch, {})
    assert inverse([], record()).patch.body == {}


# --- lists --------------------------------------------------------------------------------------------------


def test_an_agents_tag_that_came_between_two_changes_of_a_run_stays() -> None:
    live = record(tags=["t1", "agents", "t2"])
    first: OneChange = ("tags", [], ["t1"])
    second: OneChange = ("tags", ["t1", "agents"], ["t1", "agents", "t2"])
    assert undone(live, first, second) == ({"tags": ["agents"]}, "restored")


def test_a_tag_that_an_agent_took_away_between_two_changes_stays_away() -> None:
    live = record(tags=["t2"])
    changes = (("tags", ["agents"], ["agents", "t1"]), ("tags", ["t1"], ["t1", "t2"]), ("tags", ["t1", "t2"], ["t2"]))
    assert undone(live, *changes) == ({"tags": []}, "restored")


def test_a_tag_that_a_run_took_away_comes_back_to_its_place() -> None:
    assert undone(record(tags=["a", "c"]), ("tags", ["a", "b", "c"], ["a", "c"])) == (
        {"tags": ["a", "b", "c"]},
        "restored",
    )
    assert undone(record(tags=["c"]), ("tags", ["a", "c"], ["c"])) == ({"tags": ["a", "c"]}, "restored")
    assert undone(record(tags=["a", "b"]), ("tags", ["a", "b"], ["a"])) == ({}, "nothing to do")


def test_a_tag_that_was_written_by_its_name_is_found_by_its_id() -> None:
    live, change = record(tags=["t1", "id-of-vip"]), ("tags", ["t1"], ["t1", "vip"])
    assert undone(live, change, tag_ids={"vip": "id-of-vip"}) == ({"tags": ["t1"]}, "restored")
    assert undone(live, change) == ({}, "nothing to do")


def test_what_a_run_added_goes_in_whatever_form_kustomer_shows_it() -> None:
    live = record(phones=[{"phone": "1 212 555 0009"}, {"phone": "+1 (212) 555-0003", "type": "home", "id": None}])
    change = ("phones", [{"phone": "1 212 555 0009"}], [{"phone": "1 212 555 0009"}, {"phone": "+12125550003"}])
    assert undone(live, change) == ({"phones": [{"phone": "1 212 555 0009"}]}, "restored")


def test_an_item_that_was_rewritten_is_put_back_if_nobody_has_touched_it() -> None:
    was, became = [{"email": "a@x.com", "type": "home"}], [{"email": "a@x.com", "type": "work"}]
    assert undone(record(emails=became), ("emails", was, became)) == ({"emails": was}, "restored")
    touched = record(emails=[{"email": "a@x.com", "type": "other"}])
    assert undone(touched, ("emails", was, became)) == ({}, "changed since")
    assert undone(record(emails=was), ("emails", was, became)) == ({}, "nothing to do")


def test_what_somebody_changed_in_any_of_the_changes_is_told() -> None:
    first: OneChange = ("emails", [], emails("a@x.com"))
    second: OneChange = ("emails", [{"email": "b@x.com", "type": "home"}], [{"email": "b@x.com", "type": "work"}])
    assert undone(record(emails=[{"email": "b@x.com", "type": "other"}]), first, second) == ({}, "changed since")


def test_an_email_that_had_to_make_room_comes_back() -> None:
    full = emails(*(f"{n}@x.com" for n in range(10)))
    after = [*full[1:], {"email": "new@x.com"}]
    assert undone(record(emails=after), ("emails", full, after)) == ({"emails": full}, "restored")


def test_a_list_that_has_no_room_for_what_was_removed_stays() -> None:
    before, live = emails("gone@x.com"), emails(*(f"{n}@x.com" for n in range(10)))
    found = inverse([("emails", before, []), ("name", "A", "B")], record(name="B", emails=live))
    assert found.patch.body == {"name": "A"}
    assert found.outcomes["emails"] is FieldOutcome.NOT_POSSIBLE
    assert [note.code for note in found.patch.notes] == [ReasonCode.LIST_FULL]


def test_a_masked_list_stays_and_the_rest_goes_back() -> None:
    live = record(name="B", emails=emails("a***@x.com"))
    found = inverse([("emails", [], emails("a@x.com")), ("name", "A", "B")], live)
    assert found.patch.body == {"name": "A"}
    assert found.outcomes["emails"] is FieldOutcome.NOT_POSSIBLE
    assert [note.code for note in found.patch.notes] == [ReasonCode.MASKED]


def test_a_postal_address_that_was_replaced_is_put_back_as_a_whole() -> None:
    change = ("locations", [HOME, WORK], [NEW_HOME, WORK])
    assert undone(record(locations=[NEW_HOME, WORK]), change) == ({"locations": [HOME, WORK]}, "restored")


def test_a_postal_address_that_somebody_edited_since_stays() -> None:
    edited = {**NEW_HOME, "address2": "Apt 4"}
    change = ("locations", [HOME, WORK], [NEW_HOME, WORK])
    assert undone(record(locations=[edited, WORK]), change) == ({}, "changed since")
    added = ("locations", [WORK], [WORK, NEW_HOME])
    assert undone(record(locations=[WORK, edited]), added) == ({}, "nothing to do")


@pytest.mark.parametrize("before", [None, []])
def test_a_list_that_was_empty_is_empty_again(before: Any) -> None:
    assert undone(record(emails=emails("a@x.com")), ("emails", before, emails("a@x.com"))) == (
        {"emails": []},
        "restored",
    )


def test_a_field_that_is_no_longer_known_is_compared_as_text() -> None:
    assert undone(record(retired="b"), ("retired", "a", "b")) == ({"retired": "a"}, "restored")
