"""--write-to: what only writes settle, and the record as it was, whatever comes in between."""

from collections.abc import Callable
from typing import Any

import pytest

from kustomer_pipeline.sandbox import FOUR_ROLES, Sandbox

from .conftest import Doctor

BATCHES = {"form": "data with meta", "results": True, "links": False}
FAULTS: list[tuple[str | None, str, str, Any]] = [
    (None, "rev", "ok", "compared"),
    ("rev_ignored", "rev", "warning", "ignored"),
    (None, "unknown attribute", "ok", "refused"),
    (None, "undeclared custom attribute", "ok", "accepted"),
    ("custom_declared_only", "undeclared custom attribute", "ok", "refused"),
    (None, "company left out", "ok", {"unlinks": True}),
    ("keep_company_on_omit", "company left out", "ok", {"unlinks": False}),
    (None, "lists", "ok", "replaced"),
    (None, "null", "ok", "clears"),
    (None, "bulk batches", "ok", BATCHES),
    (
        "batches_results_missing",
        "bulk batches",
        "warning",
        {"form": "data with meta", "results": False, "links": False},
    ),
    (None, "bulk errors", "ok", "text"),
    ("item_error_object", "bulk errors", "ok", "an object"),
    (None, "rev in bulk", "ok", "compared"),
    ("rev_ignored", "rev in bulk", "warning", "ignored"),
    ("bulk_rev_refused", "rev in bulk", "warning", "refused"),
    (None, "company left out in bulk", "ok", {"unlinks": False}),
    ("bulk_unlink_company", "company left out in bulk", "ok", {"unlinks": True}),
]


def subject(sandbox: Sandbox) -> str:
    return next(iter(sandbox.customers))


def writable(sandbox: Sandbox, record_id: str) -> dict[str, Any]:
    """The record without what every write moves."""
    moving = {"rev", "updatedAt", "modifiedAt", "modifiedBy"}
    return {name: value for name, value in sandbox.customers[record_id].items() if name not in moving}


@pytest.mark.parametrize("fault,name,level,value", FAULTS)
def test_what_only_writes_settle_is_settled_and_the_record_is_as_before(
    doctor: Doctor, fault: str | None, name: str, level: str, value: object
) -> None:
    if fault is not None:
        doctor.sandbox.faults.set(fault)
    record = subject(doctor.sandbox)
    everything = {one: writable(doctor.sandbox, one) for one in doctor.sandbox.customers}
    tags = dict(doctor.sandbox.tags)
    answer = doctor.look("--write-to", record)
    found = [one for one in answer.content["findings"] if one["name"] == name and one["section"] == "writes"]
    assert [(one["level"], one["value"]) for one in found] == [(level, value)]
    assert answer.content["put_back"] == {"record": record, "put_back": True, "different": []}
    assert {one: writable(doctor.sandbox, one) for one in doctor.sandbox.customers} == everything
    assert dict(doctor.sandbox.tags) == tags


def test_it_says_first_what_it_will_do_and_to_which_record(doctor: Doctor) -> None:
    record = subject(doctor.sandbox)
    doctor.read("--write-to", record)
    assert record in doctor.said[0]
    assert "put back: yes, and verified" in doctor.said


def test_a_list_that_is_merged_is_a_warning(doctor: Doctor) -> None:
    """An org in which nothing can be taken out of a list: PATCH puts back what it left out."""
    record = subject(doctor.sandbox)
    urls = doctor.sandbox.customers[record]["urls"]

    def merge(request: Any, *_: Any) -> None:
        if request.method == "PATCH":
            doctor.sandbox.agent_edit(record, urls=[{key: one[key] for key in ("url",)} for one in urls])

    doctor.sandbox.hooks.after.append(merge)
    finding = doctor.look("--write-to", record).finding("lists")
    assert (finding["level"], finding["value"]) == ("warning", "merged")


@pytest.mark.parametrize(
    "spoil,words",
    [
        (lambda sandbox: sandbox.faults.set("masked", "phones"), "phones"),
        (lambda sandbox: sandbox.agent_delete(subject(sandbox)), "there is no customer"),
    ],
)
def test_a_record_that_cannot_be_put_back_is_left_alone(
    doctor: Doctor, spoil: Callable[[Sandbox], object], words: str
) -> None:
    record = subject(doctor.sandbox)
    spoil(doctor.sandbox)
    answer = doctor.look("--write-to", record)
    assert words in answer.finding("trial")["says"]
    assert {one.method for one in doctor.sandbox.requests} <= {"GET", "POST"}
    assert not [one for one in doctor.sandbox.requests if one.method == "POST" and "search" not in one.path]


def test_what_is_no_id_is_never_sent(doctor: Doctor) -> None:
    answer = doctor.look("--write-to", "jane0@private.example")
    assert "not the id of a customer" in answer.finding("trial")["says"]
    assert "rivate" not in answer.text


@pytest.mark.parametrize("after", range(1, 12))
def test_killed_in_the_middle_it_still_puts_the_record_back(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    record = subject(doctor.sandbox)
    before = writable(doctor.sandbox, record)
    written = 0

    def interrupt(request: Any, *_: Any) -> None:
        nonlocal written
        written += request.method in ("PUT", "PATCH")
        if written == after:
            written += 1
            raise KeyboardInterrupt

    doctor.sandbox.hooks.after.append(interrupt)
    with pytest.raises(KeyboardInterrupt):
        doctor.look("--write-to", record)
    doctor.clock.advance(60)
    assert writable(doctor.sandbox, record) == before


@pytest.mark.parametrize("after", range(0, 11))
@pytest.mark.parametrize("fault", ["drop_after", "drop_before", "gateway_error_after"])
def test_an_answer_that_is_lost_in_the_middle_still_leaves_the_record_as_it_was(
    doctor: Doctor, fault: str, after: int
) -> None:
    record = subject(doctor.sandbox)
    before = writable(doctor.sandbox, record)
    doctor.sandbox.faults.set("bulk_unlink_company")
    doctor.sandbox.faults.set(fault, method="PUT", after=after, times=1)
    answer = doctor.look("--write-to", record)
    doctor.clock.advance(60)
    assert writable(doctor.sandbox, record) == before
    if answer.content["put_back"] is not None:
        assert answer.content["put_back"]["put_back"] is True


def test_what_cannot_be_put_back_is_named(doctor: Doctor) -> None:
    """From the moment that the company is gone, every write is refused."""
    record = subject(doctor.sandbox)

    def refuse(request: Any, *_: Any) -> None:
        if doctor.sandbox.customers[record]["company"] is None:
            doctor.sandbox.faults.set("role_removed", "org.permission.customer.update")

    doctor.sandbox.hooks.after.append(refuse)
    answer = doctor.look("--write-to", record)
    assert answer.content["put_back"]["put_back"] is False
    assert answer.finding("put back")["level"] == "warning"
    assert record in answer.finding("put back")["advice"]


def test_what_others_change_meanwhile_stays(doctor: Doctor) -> None:
    record = subject(doctor.sandbox)
    edited = False

    def edit(request: Any, *_: Any) -> None:
        nonlocal edited
        if request.method == "PATCH" and not edited:
            edited = True
            doctor.sandbox.agent_edit(record, name="By an agent")

    doctor.sandbox.hooks.after.append(edit)
    answer = doctor.look("--write-to", record)
    assert doctor.sandbox.customers[record]["name"] == "By an agent"
    assert "name changed meanwhile" in answer.finding("put back")["says"]


def test_a_key_without_bulk_tries_single_writes_only(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUSTOMER_API_KEY", doctor.sandbox.add_api_key(FOUR_ROLES))
    answer = doctor.look("--write-to", subject(doctor.sandbox))
    assert answer.finding("rev")["value"] == "compared"
    assert answer.finding("bulk job")["level"] == "unknown"


def test_a_mistake_of_the_doctors_own_puts_the_record_back_and_is_told(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise AttributeError("jane0@private.example")

    monkeypatch.setattr("kustomer_pipeline.doctor.trial.single.null_clears", broken)
    answer = doctor.look("--write-to", subject(doctor.sandbox))
    assert "AttributeError" in answer.finding("trial")["says"]
    assert "rivate" not in answer.text
    assert answer.finding("lists")["value"] == "replaced"
    assert answer.content["put_back"]["put_back"] is True


def test_it_costs_what_the_documentation_says(doctor: Doctor) -> None:
    before = doctor.look().content["requests"]
    after = doctor.look("--write-to", subject(doctor.sandbox)).content["requests"]
    assert after - before <= 60
