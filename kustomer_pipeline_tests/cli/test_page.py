"""docs/command-line.md says what is so: commands, options, exit statuses, the shapes of JSON."""

import configparser
import re
from typing import Any

import pytest

from kustomer_pipeline.__main__ import main
from kustomer_pipeline.cli.completion import commands
from kustomer_pipeline.cli.parser import COMMANDS, SCRIPT
from kustomer_pipeline_tests.components.pipeline import people
from kustomer_pipeline_tests.conftest import REPOSITORY
from kustomer_pipeline_tests.markdown import code_blocks, code_spans, section, table

from .conftest import CommandLine

PAGE = (REPOSITORY / "docs" / "command-line.md").read_text(encoding="utf-8")
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
OURS = ("plan", "apply", "run", "status", "show", "undo")
COMMON = {"--help", "-h"}


def options_in(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))


def test_every_command_is_in_the_table_and_no_other() -> None:
    assert {name for row in table(PAGE, "command") for name in code_spans(row[0])} == set(COMMANDS)


@pytest.mark.parametrize("name", OURS)
def test_every_option_of_a_command_is_in_its_section_and_no_other(name: str) -> None:
    [command] = [one for one in commands() if one.name == name]
    known = {option for takes in command.options for option in takes.names} - COMMON
    assert options_in(section(PAGE, name)) == known


def test_the_commands_that_are_shown_are_taken_as_they_are_written(cli: CommandLine) -> None:
    """Those of both pages, without what stands in brackets; none of them is a wrong argument."""
    lines = [
        line.partition(" #")[0].partition(" > ")[0].strip()
        for page in (PAGE, README)
        for block in code_blocks(page, "sh")
        for line in block.splitlines()
        if line.startswith("kustomer-pipeline ")
    ]
    assert len(lines) > 12
    for line in lines:
        said = cli.say(*re.sub(r"\[[^\]]*\]", "", line).split()[1:])
        assert "usage:" not in said.beside, line


def test_the_script_that_is_installed_is_this_command_line() -> None:
    config = configparser.ConfigParser()
    config.read(REPOSITORY / "setup.cfg")
    assert config["options.entry_points"]["console_scripts"].split() == [SCRIPT, "=", f"{main.__module__}:main"]


def test_what_the_readme_shows_is_one_session(cli: CommandLine) -> None:
    cli.pipeline.customers(people(20))
    assert cli.say("plan").status == 2
    assert cli.say("run", "customers").status == 0
    assert cli.say("status").status == 0
    assert cli.say("show", "customers", "C-17").status == 0


# --- JSON ---------------------------------------------------------------------------------------------------------


def keys_of(title: str) -> set[str]:
    """The keys of the table below `title`, and those that its text names for what is inside."""
    text = re.split(r"\n`\w+ --json`", section(PAGE, "For programs").split(f"`{title}`", 1)[1])[0]
    return {name for row in table(text, "key") for name in code_spans(row[0])}


def named(text: str) -> set[str]:
    return set(code_spans(text))


def test_the_json_of_a_plan(cli: CommandLine) -> None:
    cli.pipeline.customers([*people(1), ("C-9", "x", None, None, "pro")])
    found = cli.say("plan", "customers", "--json").json
    text = section(PAGE, "For programs")
    assert set(found) == keys_of("plan --json") | {"version", "exit_status"}
    [plan] = found["plans"]
    assert set(plan) == named(text.split("`plans` | ")[1].split("\n")[0])
    assert set(plan["changes"][0]) == named(text.split("A line of `changes` has ")[1].split(";")[0])
    assert set(plan["refused"][0]) == named(text.split("one of `refused` has ")[1].split(". ")[0])


def test_the_json_of_a_run_and_of_a_plan_that_is_applied(cli: CommandLine) -> None:
    cli.pipeline.customers(people(1))
    [plan] = cli.say("plan", "customers", "--json").json["plans"]
    text = section(PAGE, "For programs")
    for said in (cli.say("apply", plan["id"], "--json"), cli.say("run", "--json")):
        found = said.json
        assert set(found) == keys_of("run --json") | {"version", "exit_status"}
        [*_, sync] = found["syncs"]
        line = text.split("one for each that was begun: ")[1].split("\n")[0]
        assert set(sync) == {"sync", "title", "problem", "report"} <= named(line)
        outcomes = {"created", "updated", "unchanged", "skipped", "invalid", "rejected", "deferred", "rows_read"}
        assert set(sync["report"]) - outcomes == named(line) - set(sync)


def test_the_json_of_the_status(cli: CommandLine) -> None:
    cli.pipeline.customers(people(1))
    cli.say("run", "customers")
    cli.pipeline.customers(people(2))
    cli.say("plan", "customers")
    [org] = cli.say("status", "--json").json["orgs"]
    text = section(PAGE, "For programs")
    row = text.split("| `orgs` | ")[1].split("\n")[0]
    assert set(org) == named(row) - {"limit", "remaining"}
    inside = text.split("Each of its `syncs` has ")[1].split("\n\n")[0]
    parts = re.findall(r"`(\w+)`(?: \(([^)]*)\))?", inside)
    assert set(org["syncs"][0]) == {name for name, _ in parts}
    run, plan = org["syncs"][0]["runs"][0], org["syncs"][0]["plan"]
    of = {name: named(rest) for name, rest in parts if rest}
    assert (set(run), set(plan)) == (of["runs"], of["plan"])


def test_the_json_of_a_row(cli: CommandLine) -> None:
    cli.pipeline.customers(people(1))
    cli.say("run", "customers")
    found: dict[str, Any] = cli.say("show", "customers", "C-1", "--json").json
    assert set(found) == keys_of("show --json") | {"version"}
    text = section(PAGE, "For programs")
    record = named(text.split("| `record` | ")[1].split("\n")[0])
    assert set(found["record"]) | set(found["record"]["fields"][0]) == record
    assert set(found["rows"][0]) == named(text.split("| `rows` | ")[1].split("\n")[0])
    assert set(found["decision"]) == named(text.split("| `decision` | ")[1].split("\n")[0])


def test_the_json_of_an_undo(cli: CommandLine) -> None:
    cli.pipeline.customers(people(1))
    run = cli.say("run", "customers", "--json").json["run_id"]
    assert set(cli.say("undo", run, "--json").json) == keys_of("undo --json") | {"version", "exit_status"}
