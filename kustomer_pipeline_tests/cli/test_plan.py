"""`plan`: what a run would change, as text, JSON and Markdown, with an exit status that CI can use."""

import re

import pandas as pd
import pytest

from kustomer_pipeline.cli.plan_markdown import MARKER, MOST_CHARACTERS, plans_as_markdown
from kustomer_pipeline.cli.planned import Planned
from kustomer_pipeline.sync import Plan
from kustomer_pipeline_tests.components.pipeline import CUSTOMERS as CUSTOMERS_IN_PYTHON
from kustomer_pipeline_tests.components.pipeline import people

from .conftest import CUSTOMERS, CommandLine

JANE_1 = "jane1@private.example"


def test_a_plan_says_record_by_record_what_a_run_would_change_and_how_to_have_exactly_that(cli: CommandLine) -> None:
    cli.pipeline.customers(people(4))
    cli.pipeline.vips([row[1] for row in people(2)])
    assert cli.say("run").status == 0
    cli.pipeline.customers([(*people(1)[0][:4], "free"), *people(5)[1:]])
    cli.pipeline.vips([row[1] for row in people(3)[1:]])
    said = cli.say("plan", "--show-values")
    assert said.status == 2
    assert said.line("+ create: 1")
    assert "externalId: C-5" in said.line("+ C-5")
    assert said.line("custom.planStr:") == "custom.planStr: pro → free"
    assert said.line("- untag vip: 1")
    assert said.line("+ jane3@private.example")
    assert [line for line in said.out.splitlines() if "Plan:" in line] == [
        "  Plan: 1 to create, 1 to change; 3 unchanged",
        "  Plan: 1 to tag, 1 to untag; 1 unchanged",
    ]
    ids = re.findall(r"kustomer-pipeline apply (plan-2-[0-9a-f]{16})\b", said.out)
    assert len(ids) == 2


def test_values_and_personal_keys_are_masked_unless_they_are_asked_for(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.pipeline.customers(people(1))
    cli.pipeline.sandbox.seed_customer(emails=[{"email": "vip@private.example"}])
    cli.pipeline.vips(["vip@private.example"])
    for form in ([], ["--json"], ["--markdown"]):
        masked = cli.say("plan", *form)
        assert "private" not in (masked.out + masked.beside).lower()
        assert "private.example" in cli.say("plan", *form, "--show-values").out
    monkeypatch.setenv("KUSTOMER_SHOW_VALUES", "1")
    assert "private.example" in cli.say("plan").out


def test_a_plan_changes_nothing(cli: CommandLine) -> None:
    cli.pipeline.customers(people(3))
    assert cli.say("plan").status == 2
    assert len(cli.sandbox.customers) == 0
    assert cli.say("status", "--json").json["orgs"][0]["syncs"][0]["runs"] == []


def test_nothing_to_do_is_exit_status_0(cli: CommandLine) -> None:
    said = cli.say("plan")
    assert (said.status, said.beside) == (0, "")
    assert said.out.count("Plan: nothing to do") == 2
    assert "apply" not in said.out


def test_refused_rows_come_last_and_short_and_are_no_change(cli: CommandLine) -> None:
    twice = [("C-1", "jane@private.example", None, None, "pro"), ("C-2", "jane@private.example", None, None, "pro")]
    cli.pipeline.customers([*twice, ("C-3", "not an address", None, None, "pro")])
    said = cli.say("plan", "customers")
    assert said.status == 0
    assert said.out.index("Would be refused") < said.out.index("Plan: nothing to do; 3 refused")
    assert re.match(r"2 invalid  email is also on row key C-\d, and alike  C-1, C-2", said.line("2 invalid"))


def test_twenty_records_of_each_kind_are_shown_and_all_if_asked_for(cli: CommandLine) -> None:
    cli.pipeline.customers(people(25))
    short, whole = cli.say("plan", "customers"), cli.say("plan", "customers", "--all")
    assert [len(re.findall(r"\+ C-\d+", said.out)) for said in (short, whole)] == [20, 25]
    assert "… and 5 more: --all shows them" in short.out
    assert "more:" not in whole.out
    as_json, all_as_json = (cli.say("plan", "customers", "--json", *more).json for more in ([], ["--all"]))
    [plan], [all_of_it] = as_json["plans"], all_as_json["plans"]
    assert (plan["not_shown"]["create"], all_of_it["not_shown"]["create"]) == (5, 0)
    assert len({line["key"] for line in plan["changes"]}) == 20
    assert len({line["key"] for line in all_of_it["changes"]}) == 25


def test_the_json_is_the_plan(cli: CommandLine) -> None:
    cli.pipeline.customers([*people(1), ("C-2", "nonsense", None, None, "pro")])
    said = cli.say("plan", "customers", "--json", "--show-values")
    found = said.json
    assert (found["version"], found["exit_status"], said.status, found["problems"]) == (1, 2, 2, [])
    [plan] = found["plans"]
    assert plan["id"].startswith("plan-1-")
    assert (plan["sync"], plan["org"]) == ("customers", cli.sandbox.org_id)
    assert (plan["counts"]["create"], plan["counts"]["invalid"]) == (1, 1)
    line = {"key": "C-1", "action": "create", "kustomer_id": None, "field": "name", "before": None}
    assert line | {"after": "Jane Private1"} in plan["changes"]
    assert plan["refused"] == [{"key": "C-2", "outcome": "invalid", "reason": "email is not an e-mail address"}]
    removals = {"removals": 0, "removals_waiting": 0, "removals_id": None}
    assert plan["held"] == removals | {"changes": 0, "changes_id": None}


def test_what_a_guard_holds_is_told_and_the_command_beside_it_lets_it_go(cli: CommandLine) -> None:
    cli.pipeline.customers(people(4))
    cli.pipeline.vips([row[1] for row in people(4)])
    assert cli.say("run").status == 0
    cli.pipeline.vips([])
    said = cli.say("plan", "vip")
    assert "4 of 4 customers would lose the tag" in said.out
    assert "*" not in said.out
    [command] = re.findall(r"kustomer-pipeline (run vip --approve-removals \S+)", said.out)
    assert cli.say("run", "vip").status == 0
    assert len(tagged(cli)) == 4
    assert cli.say(*command.split()).status == 0
    assert tagged(cli) == []


def tagged(cli: CommandLine) -> list[str]:
    return [id_ for id_ in cli.sandbox.customers if "vip" in cli.sandbox.tag_names(id_)]


def test_one_sync_that_cannot_be_planned_takes_nothing_from_the_others(cli: CommandLine) -> None:
    cli.sync("broken", CUSTOMERS.replace("from customers", "from nowhere"))
    cli.pipeline.customers(people(1))
    said = cli.say("plan")
    assert said.status == 1
    assert re.search(r"(?m)^broken: .*nowhere", said.beside)
    assert "Plan: 1 to create" in said.out
    as_json = cli.say("plan", "--json").json
    assert (as_json["exit_status"], [one["sync"] for one in as_json["problems"]]) == (1, ["broken"])
    assert "**broken cannot be planned:**" in cli.say("plan", "--markdown").out


def test_a_sync_that_does_not_load_is_the_content_of_a_comment_too(cli: CommandLine) -> None:
    cli.sync("customers", CUSTOMERS.replace("match_on", "mach_on"))
    comment = cli.say("plan", "--markdown")
    assert comment.status == 1
    assert re.search(r"\*\*customers cannot be planned:\*\* .*customers/defs", comment.out)
    assert "`vip`" in comment.out


def test_a_project_that_does_not_load_is_the_content_of_a_comment_too(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUSTOMER_STRICT", "1")
    cli.sync("customers", CUSTOMERS.replace("match_on", "mach_on"))
    comment = cli.say("plan", "--markdown")
    assert comment.status == 1
    assert comment.out.startswith(f"{MARKER}\n")
    assert re.search(r"\*\*Nothing can be planned:\*\* .*customers/defs", comment.out)
    assert cli.say("plan", "--json").json["problems"][0]["sync"] == ""


def test_a_name_that_is_not_there_is_answered_with_the_nearest(cli: CommandLine) -> None:
    said = cli.say("plan", "custmers")
    assert (said.status, said.out) == (1, "")
    assert said.beside == ('plan: There is no sync "custmers". Did you mean "customers"? There are: customers, vip\n')


def test_rows_that_only_dagster_makes_are_said_to_be_so(cli: CommandLine) -> None:
    cli.sync("theirs", CUSTOMERS.replace("query: select * from customers order by id", "source: analytics/people"))
    cli.pipeline.customers(people(1))
    everything = cli.say("plan")
    assert everything.status == 2
    assert "launch the job sync_theirs" in everything.beside
    assert "theirs" not in everything.out
    assert cli.say("plan", "theirs").status == 1


def test_each_part_of_a_sync_in_shards_has_a_plan(cli: CommandLine) -> None:
    cli.sync("customers", CUSTOMERS, shards="2")
    cli.pipeline.customers(people(9))
    both = cli.say("plan", "customers", "--json").json["plans"]
    assert [one["title"] for one in both] == ["customers 0-of-2", "customers 1-of-2"]
    assert sum(one["counts"]["create"] for one in both) == 9
    for name in ("1", "1-of-2"):
        [one] = cli.say("plan", "customers", "--part", name, "--json").json["plans"]
        assert one["id"] == both[1]["id"]
    for wrong in ("2", "x"):
        said = cli.say("plan", "customers", "--part", wrong)
        assert (said.status, said.beside) == (1, f"plan: customers has no part {wrong}: its parts are 0 to 1\n")


def test_what_a_plan_before_it_would_make_is_there_for_the_next(cli: CommandLine) -> None:
    """In one command; the company of a customer is not refused because it is not there yet."""
    cli.pipeline.warehouse.execute("create table companies (id text, name text)")
    cli.pipeline.warehouse.insert("companies", [("pro", "Pro & Sons")])
    company = "type: kustomer_pipeline.ObjectSync\nattributes:\n  object: companies\n  query: select * from companies\n"
    cli.sync("companies", company + "  match_on: [externalId]\n  fields: {externalId: id, name: name}\n")
    cli.sync("customers", CUSTOMERS.replace("custom.planStr: plan", "company: {column: plan, match: externalId}"))
    cli.pipeline.customers(people(1))
    assert cli.say("plan").out.count("Plan: 1 to create\n") == 2
    assert "1 refused" in cli.say("plan", "customers").out


def test_a_value_cannot_steer_the_terminal(cli: CommandLine) -> None:
    cli.pipeline.customers([("C-1", JANE_1, "Jane\x1b[2J\u202e \n red", None, "pro")])
    said = cli.say("plan", "customers", "--show-values")
    assert "name: Jane\\x1b[2J\\u202e \\n red" in said.out
    assert "\x1b" not in cli.say("plan", "customers", "--show-values", "--json").out


def test_options_of_a_plan_are_those_of_a_run(cli: CommandLine) -> None:
    cli.pipeline.customers(people(3))
    assert cli.say("plan", "customers", "--limit", "2", "--json").json["plans"][0]["counts"]["create"] == 2
    assert cli.say("plan", "customers", "--only-keys", "C-3", "--json").json["plans"][0]["counts"]["create"] == 1
    assert cli.say("plan", "customers", "--only", "rejected", "--json").json["plans"][0]["counts"]["create"] == 0
    assert cli.say("run", "customers").status == 0
    [id_] = [id_ for id_, one in cli.sandbox.customers.items() if one["externalId"] == "C-2"]
    cli.sandbox.agent_edit(id_, custom={"planStr": "agent's"})
    assert cli.say("plan", "customers").status == 0
    assert cli.say("plan", "customers", "--full-resync").status == 2


# --- Markdown -----------------------------------------------------------------------------------------------------


def test_the_markdown_is_a_comment_with_a_table_and_every_plan(cli: CommandLine) -> None:
    cli.pipeline.customers(people(3))
    said = cli.say("plan", "--markdown")
    assert said.status == 2
    assert said.out.startswith(f"{MARKER}\n")
    assert "| `customers` | 3 |  |  |  |  |  |" in said.out
    assert "<details><summary>Record by record</summary>" in said.out
    [id_] = re.findall(r"`kustomer-pipeline apply (plan-3-\w+)`", said.out)
    assert cli.say("apply", id_).status == 0
    assert "Nothing to do." in cli.say("plan", "--markdown").out


def test_a_comment_is_never_longer_than_github_takes() -> None:
    """Fewer records are shown where there is no room; every sync and its counts always are, as long as they fit."""
    lines = [
        {"key": f"C-{n}", "action": "create", "field": f"custom.{'x' * 60}{field}Str", "after": "x" * 100}
        for n in range(40)
        for field in range(5)
    ]
    columns = ["key", "action", "kustomer_id", "field", "before", "after", "reason"]
    changes = pd.DataFrame(lines, columns=columns).astype("string")
    refused = pd.DataFrame(columns=["key", "outcome", "reason"], dtype="string")

    def planned(count: int, changes: pd.DataFrame) -> list[Planned]:
        plan = Plan("customers", "org", {"create": 3000, "update": 0}, changes, 1, id="plan-3000-0")
        return [Planned(CUSTOMERS_IN_PYTHON, f"customers_{n}", plan, refused) for n in range(count)]

    for count, every, shown in (
        (1, True, 40),
        (1, False, 20),
        (15, False, 15 * 5),
        (15, True, 15 * 5),
        (40, False, 40),
    ):
        text = plans_as_markdown(planned(count, changes), [], every=every)
        assert len(text) <= MOST_CHARACTERS
        assert len(re.findall(r"(?m)^\| C-", text)) == shown, (count, every)
        assert text.count("3,000") >= count
    assert len(plans_as_markdown(planned(250, changes.iloc[:0]), [], every=False)) <= MOST_CHARACTERS + 100
