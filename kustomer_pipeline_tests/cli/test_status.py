"""`status`: what runs left in the state, looked at without touching it; and what Kustomer says of the budget."""

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from kustomer_pipeline.sync.state import Job, JobItem, StateStore
from kustomer_pipeline_tests.components.pipeline import people
from kustomer_pipeline_tests.simulated import SimulatedClock

from .conftest import CUSTOMERS, CommandLine


def org(cli: CommandLine, *words: str) -> dict[str, object]:
    [found] = cli.say("status", "--json", *words).json["orgs"]
    return dict(found)


def test_before_the_first_run_there_is_no_state_and_none_is_made(cli: CommandLine, tmp_path: Path) -> None:
    said = cli.say("status")
    assert said.status == 0
    assert f"Org {cli.sandbox.org_id}, 999 of 1,000 requests left of this minute" in said.out
    assert "There is no state yet: nothing has run" in said.out
    assert not (tmp_path / "state.db").exists()


def test_the_last_runs_are_told_with_their_counts_and_ages(cli: CommandLine, clock: SimulatedClock) -> None:
    cli.pipeline.customers([*people(30), ("C-99", "nonsense", None, None, "pro")])
    for _ in range(4):
        assert cli.say("run", "customers").status == 0
        clock.advance(2 * 3600 + 60)
    said = cli.say("status")
    lines = [line.strip() for line in said.out.splitlines() if "done" in line]
    assert [line.split("  ")[0] for line in lines] == ["2 hours ago", "4 hours ago", "6 hours ago"]
    assert "31 read: nothing changed; 1 invalid, 30 unchanged" in lines[0]
    assert said.out.count("no run yet") == 1
    first = cli.say("status", "customers", "--runs", "9").out
    assert "31 read: 30 created; 1 invalid" in first
    assert "vip" not in first


def test_what_the_newest_run_held_is_told_with_the_command_that_shows_it(cli: CommandLine) -> None:
    cli.pipeline.customers(people(4))
    cli.pipeline.vips([row[1] for row in people(4)])
    cli.say("run")
    cli.pipeline.vips([])
    cli.say("run")
    assert cli.say("status", "vip").line("Held:") == (
        "Held: 4 removals. What, and how to let it go: kustomer-pipeline plan vip"
    )
    cli.pipeline.vips([row[1] for row in people(4)])
    cli.say("run")
    assert "Held" not in cli.say("status").out


def test_bulk_jobs_that_nobody_has_collected_are_told_with_their_age(
    cli: CommandLine, clock: SimulatedClock, tmp_path: Path
) -> None:
    with (
        StateStore.open(f"sqlite:///{tmp_path / 'state.db'}") as store,
        store.of(cli.sandbox.org_id, "customers").transaction() as tx,
    ):
        for number in range(2):
            items = (JobItem(f"{number}-0", "C-1"), JobItem(f"{number}-1", "C-2"))
            tx.journal.intend(Job(f"job {number}", "create", "customers", items), "an earlier run")
    clock.advance(5 * 60)
    assert "2 bulk jobs are under way, the oldest from 5 minutes ago" in cli.say("status").out
    [job, _] = org(cli, "customers")["syncs"][0]["jobs"]  # type: ignore[index]
    assert (job["records"], job["operation"], job["run_id"]) == (2, "create", "an earlier run")


def test_plans_that_can_be_applied_are_told_and_others_are_not(cli: CommandLine, clock: SimulatedClock) -> None:
    cli.pipeline.customers(people(2))
    [plan] = cli.say("plan", "customers", "--json").json["plans"]
    clock.advance(60)
    said = cli.say("status", "customers")
    assert said.line("A plan of") == (
        f"A plan of 1 minute ago can be applied (2 create): kustomer-pipeline apply {plan['id']}"
    )
    assert cli.say(*said.line("A plan of").split()[-2:]).status == 0
    assert "A plan of" not in cli.say("status").out  # applied
    cli.pipeline.customers(people(3))
    cli.say("plan", "customers")
    cli.say("run", "customers")
    assert "A plan of" not in cli.say("status").out  # a run has done it meanwhile
    cli.pipeline.customers(people(4))
    cli.say("plan", "customers")
    clock.advance(25 * 3600)
    assert "A plan of" not in cli.say("status").out  # too old
    cli.say("plan", "customers")
    cli.sync("customers", CUSTOMERS.replace("name: name, ", ""))
    assert "A plan of" not in cli.say("status").out  # of another definition


def test_with_approval_required_a_run_meanwhile_takes_nothing_from_a_plan(
    cli: CommandLine, clock: SimulatedClock
) -> None:
    cli.sync("customers", CUSTOMERS, approval="required")
    cli.pipeline.customers(people(2))
    cli.say("plan", "customers")
    clock.advance(60)
    cli.say("run", "customers")
    assert "A plan of" in cli.say("status").out


def test_without_kustomer_it_says_what_the_state_says(cli: CommandLine, nobody_there: Callable[[], None]) -> None:
    cli.pipeline.customers(people(2))
    cli.say("run", "customers")
    nobody_there()
    said = cli.say("status")
    assert said.status == 0
    assert "Kustomer was not reached: GET /v1/auth/tokens/current: no connection" in said.out
    assert "2 read: 2 created" in said.out
    found = org(cli)
    assert (found["org"], found["budget"]) == (cli.sandbox.org_id, None)
    assert "no connection" in str(found["problem"])


def test_without_settings_it_says_which_are_missing(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KUSTOMER_STATE_URL", "KUSTOMER_API_KEY"):
        monkeypatch.delenv(name)
    said = cli.say("status")
    assert said.status == 0
    assert "KUSTOMER_API_KEY is not set" in said.out
    assert "set DAGSTER_HOME" in said.out


def test_a_state_of_an_older_release_is_left_as_it_is(cli: CommandLine, tmp_path: Path) -> None:
    cli.pipeline.customers(people(1))
    cli.say("run", "customers")
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'state.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("update schema_version set version = 1")
    assert "the next run brings it to today's" in cli.say("status").out
    with engine.begin() as connection:
        assert connection.exec_driver_sql("select version from schema_version").scalar() == 1
    engine.dispose()


def test_each_part_of_a_sync_in_shards_is_told(cli: CommandLine) -> None:
    cli.sync("customers", CUSTOMERS, shards="2")
    cli.pipeline.customers(people(9))
    cli.say("run", "customers", "--part", "1")
    out = cli.say("status", "customers").out
    assert (
        out.index("customers 0-of-2") < out.index("no run yet") < out.index("customers 1-of-2") < out.index("created")
    )


def test_who_writes_beside_others_is_told_with_the_share_of_the_requests(cli: CommandLine, tmp_path: Path) -> None:
    with StateStore.open(f"sqlite:///{tmp_path / 'state.db'}") as store:
        store.budget_lease(cli.sandbox.org_id, "customers 0-of-2 run-a").renew()
        store.budget_lease(cli.sandbox.org_id, "customers 1-of-2 run-b").renew()
        said = cli.say("status")
    assert "customers 0-of-2 run-a has 100% of the requests" in said.out
    assert org(cli)["shares"] == {"customers 0-of-2 run-a": 1.0, "customers 1-of-2 run-b": 0.0}


def test_the_run_that_is_writing_now_is_named(cli: CommandLine, tmp_path: Path) -> None:
    with StateStore.open(f"sqlite:///{tmp_path / 'state.db'}") as store, store.lock(cli.sandbox.org_id):
        assert "A run is writing now: process " in cli.say("status").out
    assert "writing" not in cli.say("status").out
