"""`run`, `apply`, `undo`: what is sent, in which order, what is said of it, and what the exit status means."""

import getpass
import re
from typing import Any

import pytest

from kustomer_pipeline.components.run_config import SyncRunConfig
from kustomer_pipeline.kustomer import KustomerClient
from kustomer_pipeline_tests.components.pipeline import CUSTOMERS as OF_DAGSTER
from kustomer_pipeline_tests.components.pipeline import people
from kustomer_pipeline_tests.simulated import SimulatedClock

from .conftest import CUSTOMERS, CommandLine

COMPANIES = """
type: kustomer_pipeline.ObjectSync
attributes:
  object: companies
  query: select distinct plan as id, plan || ' Inc' as name from customers
  match_on: [externalId]
  fields: {externalId: id, name: name}
"""


def run_id(out: str) -> str:
    [found] = re.findall(r"^Run (cli-[0-9a-f]{12})\b", out, re.M)
    return str(found)


def plan_id(cli: CommandLine, *words: str) -> str:
    [plan] = cli.say("plan", *words, "--json").json["plans"]
    return str(plan["id"])


def names(cli: CommandLine) -> set[str]:
    return {str(one["externalId"]) for one in cli.sandbox.customers.values()}


# --- run ----------------------------------------------------------------------------------------------------------


def test_syncs_run_in_their_order_and_say_what_became_of_the_rows(cli: CommandLine) -> None:
    """By what they are, not by their names."""
    cli.sync("z_companies", COMPANIES)
    cli.pipeline.customers([*people(30), ("C-99", "nonsense", None, None, "pro")])
    cli.pipeline.vips(["jane1@private.example", "nobody@private.example"])
    said = cli.say("run")
    assert said.status == 0
    assert [line for line in said.out.splitlines() if line and line[0] != " "][:3] == [
        "z_companies",
        "customers",
        "vip",
    ]
    assert re.search(r"31 rows read: 30 created; 1 refused\.", said.out)
    assert re.search(r"2 rows read: 1 tagged; 1 skipped\.", said.out)
    assert said.line("1 invalid") == "1 invalid  email is not an e-mail address  C-99"
    assert said.line("1 skipped") == "1 skipped  not in Kustomer  n…@….example"
    assert "private.example" not in said.out
    assert f"To take it back: kustomer-pipeline undo {run_id(said.out)}" in said.out
    again = cli.say("run")
    assert f"Run {run_id(again.out)} wrote nothing." in again.out


def test_after_one_that_failed_those_that_need_it_do_not_run(cli: CommandLine) -> None:
    cli.sync("companies", COMPANIES.replace("from customers", "from nowhere"))
    cli.pipeline.customers(people(2))
    said = cli.say("run")
    assert said.status == 1
    assert "companies failed: " in said.beside
    assert "nowhere" in said.beside
    assert said.beside.count("does not run: what comes before it failed") == 2
    assert len(cli.sandbox.customers) == 0
    as_json = cli.say("run", "--json").json
    assert (as_json["exit_status"], as_json["not_run"]) == (1, ["customers", "vip"])
    assert cli.say("run", "customers", "vip").status == 0
    assert len(cli.sandbox.customers) == 2


def test_too_many_refused_rows_are_a_failure_and_the_others_are_sent(cli: CommandLine) -> None:
    cli.pipeline.customers([*people(2), ("C-8", "x", None, None, "pro"), ("C-9", "y", None, None, "pro")])
    said = cli.say("run", "customers")
    assert said.status == 1
    assert "2 of 4 rows were refused (50.0%), more than the 5.0% that max_failure_share allows" in said.beside
    assert names(cli) == {"C-1", "C-2"}


def test_what_became_of_the_rows_is_logged_in_the_warehouse(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.sync("customers", CUSTOMERS, log_to="{schema: kustomer_sync}")
    cli.pipeline.customers(people(1))
    said = cli.say("run", "customers")
    assert said.status == 0
    assert cli.pipeline.warehouse.log("sync_log", "row_key", "run_id") == [("C-1", run_id(said.out))]
    cli.pipeline.warehouse.execute("drop table kustomer_sync_sync_log")
    cli.pipeline.warehouse.execute("create view kustomer_sync_sync_log as select 1 as x")
    cli.pipeline.customers(people(2))
    failed = cli.say("run", "customers")
    assert failed.status == 1
    assert "The sync is done and recorded, only its log is missing" in failed.beside
    assert names(cli) == {"C-1", "C-2"}


def test_the_report_for_programs(cli: CommandLine) -> None:
    cli.pipeline.customers([*people(2), ("C-9", "x", None, None, "pro")])
    said = cli.say("run", "customers", "--json")
    found = said.json
    assert (found["version"], found["exit_status"], said.status) == (1, 1, 1)
    assert re.fullmatch(r"cli-[0-9a-f]{12}", found["run_id"])
    [sync] = found["syncs"]
    report = sync["report"]
    assert (report["rows_read"], report["created"], report["invalid"]) == (3, 2, 1)
    assert report["refused"] == [{"key": "C-9", "outcome": "invalid", "reason": "email is not an e-mail address"}]
    assert "max_failure_share" in sync["problem"]


def test_all_parts_of_a_sync_in_shards_run_or_the_one_that_is_asked_for(cli: CommandLine) -> None:
    cli.sync("customers", CUSTOMERS, shards="2")
    cli.pipeline.customers(people(9))
    assert cli.say("run", "customers", "--part", "0").status == 0
    one = len(cli.sandbox.customers)
    assert 0 < one < 9
    said = cli.say("run", "customers", "--json").json
    assert [sync["report"]["created"] for sync in said["syncs"]] == [0, 9 - one]


def test_a_run_without_approval_says_how_it_is_given(cli: CommandLine) -> None:
    cli.sync("customers", CUSTOMERS, approval="required")
    cli.pipeline.customers(people(2))
    said = cli.say("run", "customers")
    assert said.status == 0
    assert "2 rows wait for approval: make a plan by `kustomer-pipeline plan customers`" in said.out
    assert len(cli.sandbox.customers) == 0
    assert cli.say("apply", plan_id(cli, "customers")).status == 0
    assert len(cli.sandbox.customers) == 2


def test_rows_that_another_asset_makes_are_not_run_here(cli: CommandLine) -> None:
    cli.sync("theirs", CUSTOMERS.replace("query: select * from customers order by id", "source: analytics/people"))
    cli.pipeline.customers(people(1))
    said = cli.say("run", "customers", "theirs")
    assert (said.status, len(cli.sandbox.customers)) == (1, 0)
    assert "launch the job sync_theirs" in said.beside
    assert cli.say("run").status == 0


def test_every_option_of_a_run_in_dagster_is_one_here(cli: CommandLine) -> None:
    of_apply = {"approve", "approved_by"}  # plan-id, --by
    usage = cli.say("run", "--help").out
    options = {f"--{name.replace('_', '-')}" for name in SyncRunConfig.model_fields if name not in of_apply}
    assert {option for option in options if option not in usage} == set()


# --- Ctrl+C -------------------------------------------------------------------------------------------------------


def test_ctrl_c_says_what_was_done_by_then(
    cli: CommandLine, clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first hundred have been created, and a second job is under way."""
    cli.sandbox.jobs_take(30)
    cli.pipeline.customers(people(500))
    submit, jobs = KustomerClient.submit_bulk, list[str]()

    async def interrupted(self: KustomerClient, *arguments: Any) -> str:
        if len(jobs) == 3:
            await self.clock.sleep(60)
            raise KeyboardInterrupt
        jobs.append(await submit(self, *arguments))
        return jobs[-1]

    monkeypatch.setattr(KustomerClient, "submit_bulk", interrupted)
    said = cli.say("run")
    assert said.status == 130
    assert re.search(r"cli-\w+ was interrupted: 300 created, .*run again to go on", said.beside)
    assert "Traceback" not in said.beside
    assert "vip" not in said.out
    monkeypatch.setattr(KustomerClient, "submit_bulk", submit)
    clock.advance(3600)
    assert cli.say("run", "customers").status == 0
    assert len(names(cli)) == len(cli.sandbox.customers) == 500


# --- apply --------------------------------------------------------------------------------------------------------


def test_exactly_a_plan_is_applied_in_the_name_of_the_user(cli: CommandLine) -> None:
    cli.pipeline.customers(people(3))
    id_ = plan_id(cli, "customers")
    cli.pipeline.customers(people(5))
    said = cli.say("apply", id_)
    assert said.status == 0
    assert names(cli) == {"C-1", "C-2", "C-3"}
    assert f"The plan {id_} was applied, approved by {getpass.getuser()}" in said.out
    assert "2 rows are not as planned any more" in said.out
    assert run_id(said.out) in cli.say("status").out
    other = plan_id(cli, "customers")
    assert "approved by Jane" in cli.say("apply", other, "--by", "Jane").out
    assert len(names(cli)) == 5


def test_a_user_without_a_name_approves_all_the_same(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 10001")

    monkeypatch.setattr(getpass, "getuser", nobody)
    cli.pipeline.customers(people(1))
    assert "approved by somebody who gave no name" in cli.say("apply", plan_id(cli, "customers")).out


def test_a_plan_that_cannot_be_applied_is_told_why(cli: CommandLine, clock: SimulatedClock) -> None:
    unknown = cli.say("apply", "plan-1-0123456789abcdef")
    assert (unknown.status, unknown.out) == (1, "")
    assert unknown.beside.startswith("apply: There is no plan plan-1-0123456789abcdef of this org.")
    cli.pipeline.customers(people(2))
    old = plan_id(cli, "customers")
    clock.advance(25 * 3600)
    expired = cli.say("apply", old)
    assert (expired.status, expired.out) == (1, "")
    assert f"The plan {old} is 25 hours old, and 24 hours at most." in expired.beside
    young = plan_id(cli, "customers")
    assert cli.say("apply", young).status == 0
    twice = cli.say("apply", young, "--json")
    assert twice.status == twice.json["exit_status"] == 1
    assert "has been applied already" in twice.beside
    assert "has been applied already" in twice.json["syncs"][0]["problem"]
    assert len(cli.sandbox.customers) == 2


def test_all_plans_that_were_made_together_are_applied_by_one_id(cli: CommandLine) -> None:
    cli.pipeline.customers(people(3))
    cli.pipeline.vips([people(3)[0][1]])
    said = cli.say("plan")
    [command] = [
        line.strip() for line in said.out.splitlines() if line.strip().startswith("kustomer-pipeline apply cli-")
    ]
    together = command.split()[-1]
    cli.pipeline.customers(people(5))
    done = cli.say("apply", together, "--json").json
    assert [one["title"] for one in done["syncs"]] == ["customers", "vip"]
    assert [one["report"]["created"] for one in done["syncs"]] == [3, 0]
    assert done["syncs"][1]["report"]["updated"] == 1
    assert cli.say("apply", together).status == 1
    plan = cli.say("plan", "--json").json
    assert plan["made_in"] is None  # the audience is as it should be


def test_the_comment_has_the_id_of_all_plans(cli: CommandLine) -> None:
    cli.pipeline.customers(people(3))
    cli.pipeline.vips([people(3)[0][1]])
    assert (
        "**To have all of this done, and nothing else: `kustomer-pipeline apply cli-"
        in cli.say("plan", "--markdown").out
    )


def test_after_a_plan_that_failed_the_others_are_not_applied(cli: CommandLine, clock: SimulatedClock) -> None:
    cli.pipeline.customers(people(3))
    cli.pipeline.vips([people(3)[0][1]])
    together = cli.say("plan", "--json").json["made_in"]
    clock.advance(25 * 3600)
    said = cli.say("apply", together, "--json")
    assert said.status == 1
    assert said.json["not_run"] == ["vip"]
    assert f"The plans of vip were not applied. For the rest: kustomer-pipeline apply {together}" in said.beside


def test_a_plan_of_a_part_is_applied_to_that_part(cli: CommandLine) -> None:
    cli.sync("customers", CUSTOMERS, shards="2")
    cli.pipeline.customers(people(9))
    [plan] = cli.say("plan", "customers", "--part", "1", "--json").json["plans"]
    assert cli.say("apply", plan["id"]).status == 0
    assert len(cli.sandbox.customers) == plan["counts"]["create"] < 9


# --- undo ---------------------------------------------------------------------------------------------------------


def test_a_run_is_taken_back_and_that_again(cli: CommandLine) -> None:
    cli.pipeline.customers(people(2))
    cli.say("run", "customers")
    cli.pipeline.customers([(*row[:4], "free") for row in people(3)])
    changed = run_id(cli.say("run", "customers").out)
    said = cli.say("undo", changed)
    assert said.status == 0
    assert f"2 records put back as they were before {changed}" in said.out
    assert "1 record that it created: not deleted" in said.out
    assert plans(cli) == ["free", "pro", "pro"]
    [undo] = re.findall(r"This was (cli-\w+)\. To take it back in turn: kustomer-pipeline undo", said.out)
    assert cli.say("undo", undo, "--json").json["restored"] == 2
    assert plans(cli) == ["free"] * 3


def plans(cli: CommandLine) -> list[str]:
    return sorted(str(one["custom"]["planStr"]) for one in cli.sandbox.customers.values())


def test_a_run_that_nobody_knows_cannot_be_taken_back(cli: CommandLine) -> None:
    said = cli.say("undo", "cli-0123456789ab")
    assert (said.status, said.out) == (1, "")
    assert said.beside.startswith("undo: No run cli-0123456789ab has written to this org")


# --- the same as Dagster ------------------------------------------------------------------------------------------


def test_a_run_of_dagster_and_one_from_here_are_of_one_kind(cli: CommandLine) -> None:
    """The state is the same: what one accepted the other leaves alone, and either is taken back by either."""
    cli.pipeline.customers(people(2))
    theirs = cli.pipeline.run("sync_customers", OF_DAGSTER)
    assert "2 unchanged" in cli.say("run", "customers").out
    assert theirs.run_id in cli.say("status").out
    cli.pipeline.customers([(*row[:4], "free") for row in people(2)])
    ours = run_id(cli.say("run", "customers").out)
    assert cli.pipeline.run("undo_run", OF_DAGSTER, config={"run_id": ours}).success
    assert plans(cli) == ["pro", "pro"]
