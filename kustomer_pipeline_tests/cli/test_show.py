"""`show`: everything that is known of one row, and what a run would do with it."""

import re
from pathlib import Path
from typing import Any

import pytest

from kustomer_pipeline_tests.components.pipeline import people

from .conftest import CUSTOMERS, CommandLine

JANE = "jane1@private.example"


def shown(cli: CommandLine, sync: str, key: str) -> dict[str, Any]:
    said = cli.say("show", sync, key, "--json", "--show-values")
    assert said.status == 0, said.beside
    return dict(said.json)


def record_of(cli: CommandLine, key: str) -> str:
    [found] = [id_ for id_, one in cli.sandbox.customers.items() if one["externalId"] == key]
    return str(found)


def test_a_row_from_the_warehouse_to_kustomer_and_back(cli: CommandLine) -> None:
    cli.pipeline.customers(people(2))
    cli.say("run", "customers")
    first = cli.say("status", "--json").json["orgs"][0]["syncs"][0]["runs"][0]["run_id"]
    cli.pipeline.customers([(*row[:4], "free") for row in people(2)])
    second = cli.say("run", "customers", "--json").json["run_id"]
    cli.pipeline.customers([(*row[:4], "team") for row in people(2)])
    found = shown(cli, "customers", "C-1")
    assert found["rows"] == [
        {
            "row": 1,
            "values": {"id": "C-1", "email": JANE, "name": "Jane Private1", "phone": "020 7946 0001", "plan": "team"},
            "invalid": None,
        }
    ]
    id_ = record_of(cli, "C-1")
    assert (found["record"]["kustomer_id"], found["record"]["there"]) == (id_, True)
    beside = {one["field"]: (one["warehouse"], one["kustomer"], one["same"]) for one in found["record"]["fields"]}
    assert beside["custom.planStr"] == ("team", "free", False)
    assert beside["emails"] == (f'["{JANE}"]', f'["{JANE}"]', True)
    assert beside["phones"][2] is True
    [remembered] = found["remembered"]
    assert (remembered["status"], remembered["kustomer_id"], remembered["run_id"]) == ("accepted", id_, second)
    assert [(one["outcome"], one["run_id"]) for one in found["log"]] == [("updated", second), ("created", first)]
    assert found["overwritten"][0]["fields"] == [{"field": "custom.planStr", "before": "pro", "after": "free"}]
    assert found["decision"] == {
        "action": "update",
        "reason": None,
        "fields": [{"field": "custom.planStr", "before": "free", "after": "team"}],
        "notes": [],
    }
    text = cli.say("show", "customers", "C-1", "--show-values").out
    assert re.search(r"custom\.planStr +team +free +differs", text)
    for line in (
        f"record {id_}",
        "custom.planStr: pro → free",
        "change its record",
        "custom.planStr: free → team",
    ):
        assert line in text


def test_values_are_masked_unless_they_are_asked_for(cli: CommandLine) -> None:
    cli.pipeline.customers(people(1))
    cli.pipeline.vips([JANE])
    cli.say("run")
    cli.pipeline.vips([])
    for sync, key in (("customers", "C-1"), ("vip", JANE), ("customers", JANE)):
        for form in ([], ["--json"]):
            said = cli.say("show", sync, key, *form)
            assert said.status == 0
            assert "private" not in (said.out + said.beside).lower()


def test_what_the_sync_says_may_be_shown_is_shown(cli: CommandLine) -> None:
    cli.sync("customers", CUSTOMERS.replace("custom.planStr: plan", "custom.planStr: {column: plan, show: true}"))
    cli.pipeline.customers(people(1))
    cli.say("run", "customers")
    cli.pipeline.customers([(*people(1)[0][:4], "team")])
    found = cli.say("show", "customers", "C-1", "--json").json
    assert found["rows"][0]["values"]["plan"] == "team"
    assert found["rows"][0]["values"]["name"] == "J… (13)"
    assert found["decision"]["fields"] == [{"field": "custom.planStr", "before": "pro", "after": "team"}]
    text = cli.say("show", "customers", "C-1").out
    assert re.search(r"custom\.planStr +team +pro +differs", text)
    assert re.search(r"emails +j…@….example +j…@….example", text)


def test_nothing_is_sent_and_nothing_kept(cli: CommandLine) -> None:
    cli.pipeline.customers(people(2))
    cli.pipeline.vips([JANE])
    cli.say("show", "customers", "C-1")
    cli.say("show", "vip", JANE)
    assert (len(cli.sandbox.customers), cli.sandbox.tags) == (0, {})
    assert [sync["plan"] for sync in cli.say("status", "--json").json["orgs"][0]["syncs"]] == [None, None]


MIXED = [
    *people(8),
    ("C-20", "twice@private.example", None, None, "pro"),
    ("C-21", "twice@private.example", None, None, "pro"),
    ("C-22", "nonsense", None, None, "pro"),
    ("C-23", "theirs@private.example", None, "020 7946 0099", "pro"),
    ("C-24", "new@private.example", None, None, "pro"),
]


def test_what_it_says_of_each_row_is_what_the_plan_of_all_rows_says(cli: CommandLine) -> None:
    """Rows that are there twice, rows of one record, rows that two records could be: none is judged by itself."""
    cli.sync("customers", CUSTOMERS.replace("[externalId, email]", "[externalId, email, phone]"))
    cli.pipeline.customers(people(6))
    cli.say("run", "customers")
    cli.sandbox.seed_customer(externalId="X-1", emails=[{"email": "theirs@private.example"}])
    cli.sandbox.seed_customer(phones=[{"phone": "+442079460099"}])
    cli.sandbox.agent_edit(record_of(cli, "C-6"), emails=[{"email": "jane6@private.example"}], externalId=None)
    rows = [*MIXED]
    rows[0] = (*rows[0][:4], "free")
    rows.append(("C-30", "other@private.example", None, "020 7946 0002", "pro"))  # the phone of C-2's record
    cli.pipeline.customers(rows)
    [plan] = cli.say("plan", "customers", "--json", "--all", "--show-values").json["plans"]
    planned = {line["key"]: line["action"] for line in plan["changes"]}
    planned |= {one["key"]: {"invalid": "invalid", "rejected": "reject"}[one["outcome"]] for one in plan["refused"]}
    said = {row[0]: shown(cli, "customers", row[0])["decision"] for row in rows}
    assert {key: one["action"] for key, one in said.items()} == {
        row[0]: planned.get(row[0], "unchanged") for row in rows
    }
    assert {"create", "update", "unchanged", "invalid", "reject"} <= {one["action"] for one in said.values()}
    reasons = {one["key"]: one["reason"] for one in plan["refused"]}
    assert {key: said[key]["reason"] for key in reasons} == reasons
    fields = {(line["key"], line["field"], line["after"]) for line in plan["changes"]}
    alone = {(key, line["field"], line["after"]) for key, one in said.items() for line in one["fields"]}
    assert alone == fields


def test_the_plan_of_one_member_takes_nobody_else_for_one_who_left(cli: CommandLine) -> None:
    cli.pipeline.customers(people(4))
    cli.pipeline.vips([row[1] for row in people(4)])
    cli.say("run")
    cli.pipeline.vips([row[1] for row in people(3)])
    cli.sandbox.clear_requests()
    assert shown(cli, "vip", JANE)["decision"]["action"] == "unchanged"
    assert cli.sandbox.units() <= 3
    left = shown(cli, "vip", "jane4@private.example")
    assert (left["rows"], left["decision"], left["record"]["has_tag"]) == ([], None, True)
    assert left["remembered"][0]["owned"] is True
    text = cli.say("show", "vip", "jane4@private.example").out
    assert "a mirror takes its tag from members who left" in text


def test_a_row_is_found_by_another_of_its_identifiers_in_any_form(cli: CommandLine) -> None:
    cli.pipeline.customers(people(3))
    assert shown(cli, "customers", "Jane2@Private.Example")["key"] == "C-2"
    assert "(found by its email)" in cli.say("show", "customers", "jane2@private.example").out


def test_a_row_that_nobody_knows(cli: CommandLine) -> None:
    cli.pipeline.customers(people(3))
    said = cli.say("show", "customers", "C-99")
    assert (said.status, said.out) == (1, "")
    assert said.beside.startswith("show: There is no row with this key among the 3 rows of customers")
    assert cli.say("show", "custmers", "C-1").beside.startswith('show: There is no sync "custmers". Did you mean')
    assert cli.say("show", "customers").status == 1


def test_rows_with_the_same_key_are_all_shown_with_the_reason(cli: CommandLine) -> None:
    cli.pipeline.customers([people(1)[0], ("C-1", "other@private.example", None, None, "pro")])
    found = shown(cli, "customers", "C-1")
    assert [row["row"] for row in found["rows"]] == [1, 2]
    assert all("also" in row["invalid"] for row in found["rows"])
    assert found["decision"]["action"] == "invalid"


def test_an_edit_in_kustomer_is_seen_beside_a_row_that_has_not_changed(cli: CommandLine) -> None:
    cli.pipeline.customers(people(1))
    cli.say("run", "customers")
    cli.sandbox.agent_edit(record_of(cli, "C-1"), name="Jane of Support")
    said = cli.say("show", "customers", "C-1")
    assert "do nothing: the row is as it was when Kustomer took it" in said.out
    [command] = [line.partition(": kustomer-pipeline ")[2] for line in said.out.splitlines() if "--only-keys" in line]
    assert "update: 1" in cli.say(*command.split()).out
    cli.sandbox.agent_delete(record_of(cli, "C-1"))
    out = cli.say("show", "customers", "C-1").out
    assert "is gone" in out
    assert "--only-keys C-1" in out


def test_the_requests_about_a_row_are_told_where_there_is_a_log_of_them(
    cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUSTOMER_REQUEST_LOG", str(tmp_path / "requests"))
    cli.pipeline.customers(people(1))
    run = cli.say("run", "customers", "--json").json["run_id"]
    found = shown(cli, "customers", "C-1")
    assert ("POST", 200, run) in {(one["method"], one["status"], one["run_id"]) for one in found["requests"]} | {
        (one["method"], 200, one["run_id"]) for one in found["requests"] if one["status"] in (200, 201, 202)
    }
    assert "Requests about it" in cli.say("show", "customers", "C-1").out


def test_a_row_of_a_sync_in_shards_is_looked_for_in_its_part(cli: CommandLine) -> None:
    cli.sync("customers", CUSTOMERS, shards="4")
    cli.pipeline.customers(people(9))
    cli.say("run", "customers")
    cli.pipeline.customers([(*row[:4], "free") for row in people(9)])
    for key in ("C-1", "C-5", "C-9"):
        found = shown(cli, "customers", key)
        assert (found["decision"]["action"], found["remembered"][0]["status"]) == ("update", "accepted")


def test_rows_that_the_warehouse_compares_are_shown_too(cli: CommandLine) -> None:
    cli.sync("customers", CUSTOMERS, compare="in_warehouse")
    cli.pipeline.customers(people(3))
    cli.say("run", "customers")
    assert shown(cli, "customers", "C-1")["decision"]["action"] == "unchanged"
    cli.pipeline.customers([(*row[:4], "free") for row in people(3)])
    assert shown(cli, "customers", "C-1")["decision"]["action"] == "update"
    assert "3 to change" in cli.say("plan", "customers").out


def test_somebody_on_the_list_of_the_sync_is_skipped_and_it_is_said_why(cli: CommandLine) -> None:
    cli.pipeline.warehouse.execute("create table gone (email text)")
    cli.pipeline.warehouse.insert("gone", [(JANE,)])
    cli.sync("customers", CUSTOMERS, suppress="{query: select email from gone, match_on: email}")
    cli.pipeline.customers(people(2))
    decision = shown(cli, "customers", "C-1")["decision"]
    assert (decision["action"], decision["reason"]) == ("skip", "suppressed: on the list of the sync (suppress)")
    assert shown(cli, "customers", "C-2")["decision"]["action"] == "create"


def test_rows_that_another_asset_makes_are_shown_as_far_as_they_are_remembered(cli: CommandLine) -> None:
    cli.pipeline.customers(people(1))
    cli.say("run", "customers")
    cli.sync("customers", CUSTOMERS.replace("query: select * from customers order by id", "source: analytics/people"))
    said = cli.say("show", "customers", "C-1")
    assert said.status == 0
    assert "not read here: the asset analytics/people makes the rows" in said.out
    assert "Kustomer took it" in said.out
