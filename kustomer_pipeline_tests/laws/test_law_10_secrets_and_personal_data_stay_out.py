"""Law 10: no API key and no value of a row in logs, errors, reasons and tables (Dagster's own event log is searched
in kustomer_pipeline_tests/components)."""

import logging
from pathlib import Path

import pytest

from kustomer_pipeline.kustomer import KustomerError
from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline_tests.world import CUSTOMER_FIELDS, World, audience, customers, members, people

FAULTS = [
    *("drop_before", "drop_after", "gateway_error_before", "gateway_error_after", "error_not_json"),
    *("too_many_requests", "item_error_object", "results_missing", "search_forbidden", "multi_get_refused"),
]


def texts_of(world: World, caplog: pytest.LogCaptureFixture) -> str:
    """Everything that a run with faults says: log lines, errors, reasons, tables."""
    said: list[str] = []
    rows = [*people(30), {"id": "C-90", "email": "broken@@example"}, {"id": "C-91", "email": "p1@example.com"}]
    for fault in FAULTS:
        world.sandbox.faults.clear()
        world.sandbox.faults.set(fault, probability=0.3)
        for spec, frame in ((customers(), rows), (audience(), members(35))):
            try:
                report = world.run(spec, frame)
            except KustomerError as error:
                said.append(repr(error) + str(error))
                continue
            said += [str(report.interrupted), report.rows["reason"].dropna().str.cat(sep="\n")]
            said.append(report.refused().to_csv())
    world.sandbox.faults.clear()
    said.append(world.plan(customers(name="other"), people(3, plan="Secret Plan")).table().to_csv())
    return "\n".join([*said, caplog.text, *(str(record.__dict__) for record in caplog.records)])


def test_nothing_said_holds_the_key_or_a_value(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.sandbox.seed_customer(externalId="X", emails=[{"email": "p3@example.com"}], name="Somebody Else")
    with caplog.at_level(logging.DEBUG, logger="kustomer_pipeline"):
        said = texts_of(world, caplog)
    assert world.sandbox.api_key not in said
    for value in ("@example", "p3@", "Person 3", "Somebody Else", "Secret Plan"):
        assert value not in said


def test_of_what_is_a_persons_a_plan_shows_one_character_and_a_length(world: World) -> None:
    """In whatever field it stands; what the sync shows is that field and no other."""
    person = {"name": "Jane Quimby", "phone": "+442079460731", "plan": "Jane Quimby's plan", "ltv": 1234.5}
    fields = (
        *CUSTOMER_FIELDS,
        FieldMapping("phone", ("phone",)),
        FieldMapping("custom.fullNameStr", ("name",)),
        FieldMapping("custom.ltvNum", ("ltv",)),
        FieldMapping("custom.mobileStr", ("phone",)),
        FieldMapping("custom.tierStr", ("tier",), show=True),
    )
    rows = [{"id": "C-1", "email": "jane@private.example", "tier": "gold", **person}]
    table = world.plan(customers(fields=fields), rows).table()
    shown = dict(zip(table["field"], table["after"], strict=True))
    assert shown == {
        "externalId": "C… (3)",
        "emails": "1 item",
        "name": "J… (11)",
        "phones": "1 item",
        "custom.planStr": "Ja… (18)",
        "custom.fullNameStr": "J… (11)",
        "custom.ltvNum": "~1200",
        "custom.mobileStr": "+… (13)",
        "custom.tierStr": "gold",
    }


def test_the_state_holds_no_key_and_no_address_but_row_keys(world: World, tmp_path: Path) -> None:
    world.run(customers(), people(5))
    content = b"".join(path.read_bytes() for path in tmp_path.glob("state.db*"))
    assert b"C-3" in content
    assert world.sandbox.api_key.encode() not in content
    assert b"@example.com" not in content
    assert b"Person" not in content
