"""Whatever is wrong: one clear message on the standard error, exit status 1, never a stack trace."""

import logging
import re
from collections.abc import Callable, Mapping
from contextlib import ExitStack

import pytest

from kustomer_pipeline.components import running
from kustomer_pipeline.sync.state import StateStore, waiting
from kustomer_pipeline_tests.components.pipeline import people

from .conftest import CUSTOMERS, CommandLine


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"KUSTOMER_API_KEY": "wrong"}, "Kustomer does not accept the API key"),
        ({"KUSTOMER_API_KEY": ""}, "KUSTOMER_API_KEY is not set"),
        ({"WAREHOUSE_URL": "sqlite:////nowhere/at/all.db"}, "check the path in WAREHOUSE_URL"),
        ({"WAREHOUSE_URL": "nonsense"}, "WAREHOUSE_URL"),
        ({"KUSTOMER_STATE_URL": ""}, "set DAGSTER_HOME"),
        ({"KUSTOMER_STATE_URL": "mysql://host/db"}, "SQLite or PostgreSQL"),
        ({"KUSTOMER_DEFS": "nowhere"}, "KUSTOMER_DEFS is 'nowhere'"),
        ({"KUSTOMER_RATE_RESERVE": "much"}, "KUSTOMER_RATE_RESERVE is 'much'"),
        ({"KUSTOMER_KEEP_DAYS": "many"}, "KUSTOMER_KEEP_DAYS is 'many'"),
    ],
)
def test_a_setting_is_named(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str], said: str
) -> None:
    cli.pipeline.customers(people(1))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = cli.say("run", "customers")
    assert (found.status, found.out) == (1, "")
    assert said in found.beside
    assert len(cli.sandbox.customers) == 0


def test_a_host_that_does_not_answer(cli: CommandLine, nobody_there: Callable[[], None]) -> None:
    cli.pipeline.customers(people(1))
    nobody_there()
    found = cli.say("plan", "customers")
    assert (found.status, found.out) == (1, "")
    assert "attempt 2 of 6 follows" in found.beside
    assert found.beside.splitlines()[-1].startswith("customers: GET /v1/auth/tokens/current: no connection")


@pytest.mark.parametrize(
    "words", [["plan"], ["run"], ["status"], ["show", "customers", "C-1"], ["undo", "x"], ["apply", "x"]]
)
def test_a_file_with_a_mistake_is_named_with_its_line(
    cli: CommandLine, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUSTOMER_STRICT", "1")
    cli.sync("customers", CUSTOMERS.replace("match_on", "mach_on"))
    found = cli.say(*words)
    assert (found.status, found.out) == (1, "")
    assert found.beside.startswith(f"{words[0]}: The project does not load: ")
    assert re.search(r"customers/defs\.yaml:\d+", found.beside)


@pytest.mark.parametrize(
    "words", [["plan", "--jsn"], ["apply"], ["run", "--limit", "none"], ["pln"], ["status", "--runs", "0"]]
)
def test_a_wrong_argument_is_not_taken_for_changes(cli: CommandLine, words: list[str]) -> None:
    """argparse's own exit status is 2, which is that of a plan with changes."""
    found = cli.say(*words)
    assert (found.status, found.out) == (1, "")
    assert found.beside.startswith("usage: kustomer-pipeline")


@pytest.mark.parametrize("words", [["plan"], ["run"], ["status"], ["show", "customers", "C-1"], ["apply", "x"]])
def test_a_project_without_syncs_says_so(cli: CommandLine, words: list[str]) -> None:
    for name in ("customers", "vip"):
        (cli.folder / name / "defs.yaml").unlink()
    (cli.folder / "__init__.py").touch()
    found = cli.say(*words)
    assert (found.status, found.out) == (1, "")
    assert found.beside.startswith(f"{words[0]}: The project has no syncs yet")


def test_a_command_that_is_not_there_is_answered_with_the_nearest(cli: CommandLine) -> None:
    assert 'there is no command "staus". Did you mean "status"?' in cli.say("staus").beside


def test_an_error_that_nobody_expected_is_told_by_its_kind_and_place(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise ValueError("jane1@private.example is not what was expected")

    monkeypatch.setattr(running, "run_sync", broken)
    cli.pipeline.customers(people(1))
    found = cli.say("run", "customers")
    assert found.status == 1
    assert "An error that nobody expected: ValueError, in kustomer_pipeline" in found.beside
    assert "jane1" not in found.beside
    assert "Traceback" not in found.beside
    assert "jane1@private.example is not" in cli.say("run", "customers", "--show-values").beside


def test_what_waits_for_another_run_says_so(cli: CommandLine) -> None:
    """The lock is that of Dagster's runs; here it is given back as soon as somebody says that he waits."""
    cli.pipeline.customers(people(1))
    logger = logging.getLogger(waiting.__name__)
    with StateStore.open(f"sqlite:///{cli.state}") as store, ExitStack() as held:
        held.enter_context(store.lock(cli.sandbox.org_id))
        handler = _Calls(held.close)
        logger.addHandler(handler)
        try:
            found = cli.say("run", "customers")
        finally:
            logger.removeHandler(handler)
    assert found.status == 0
    assert "Another run is writing to this Kustomer org; waiting for it to finish" in found.beside
    assert len(cli.sandbox.customers) == 1


class _Calls(logging.Handler):
    def __init__(self, callback: Callable[[], object]) -> None:
        super().__init__()
        self._callback = callback

    def emit(self, record: logging.LogRecord) -> None:
        """Something was said."""
        self._callback()


def test_several_orgs_and_none_named(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    project = "type: kustomer_pipeline.KustomerProject\nattributes:\n  orgs: [us, eu]\n"
    (cli.folder / "kustomer").mkdir()
    (cli.folder / "kustomer" / "defs.yaml").write_text(project, encoding="utf-8")
    (cli.folder / "vip" / "defs.yaml").unlink()
    cli.sync("customers", CUSTOMERS, resource_keys="{kustomer: kustomer_us}")
    cli.sync("theirs", CUSTOMERS, resource_keys="{kustomer: kustomer_eu}")
    monkeypatch.setenv("KUSTOMER_US_BASE_URL", cli.sandbox.url)
    monkeypatch.setenv("KUSTOMER_US_API_KEY", cli.sandbox.api_key)
    cli.pipeline.customers(people(2))
    for words in (["apply", "plan-1-0"], ["undo", "cli-0"]):
        found = cli.say(*words)
        assert (found.status, found.beside) == (
            1,
            f"{words[0]}: The project has several orgs (eu, us): say which, with --org\n",
        )
    assert "There are: eu, us" in cli.say("plan", "--org", "jp").beside
    both = cli.say("plan")
    assert both.status == 1
    assert "KUSTOMER_EU_API_KEY is not set" in both.beside
    [plan] = cli.say("plan", "--org", "us", "--json").json["plans"]
    [command] = re.findall(r"kustomer-pipeline (apply .*)", cli.say("plan", "--org", "us").out)
    assert command == f"apply {plan['id']} --org us"
    assert cli.say(*command.split()).status == 0
    assert len(cli.sandbox.customers) == 2


def test_no_rows_where_there_were_some_is_no_success(cli: CommandLine) -> None:
    cli.pipeline.customers(people(3))
    assert cli.say("run", "customers").status == 0
    cli.pipeline.customers([])
    said = "The query returned no row, where 3 records were sent before: look at the query"
    assert said in cli.say("plan", "customers").out
    assert said in cli.say("plan", "customers", "--markdown").out
    ran = cli.say("run", "customers")
    assert ran.status == 1
    assert said in ran.beside
    assert len(cli.sandbox.customers) == 3


def test_members_who_wait_are_told_with_the_command_that_lets_them_go(cli: CommandLine) -> None:
    cli.pipeline.customers(people(3))
    cli.pipeline.vips([row[1] for row in people(3)])
    cli.say("run")
    cli.pipeline.vips([people(1)[0][1], "no address"])
    said = cli.say("plan", "vip")
    assert "2 of 3 customers seem to have left, and nobody loses the tag" in said.out
    [command] = [line.split() for line in said.out.splitlines() if "--approve-removals" in line]
    assert "2 members who seem to have left would keep the tag" in cli.say("plan", "vip", "--markdown").out
    cli.say("run", "vip", *command[3:])
    tagged = [id_ for id_ in cli.sandbox.customers if "vip" in cli.sandbox.tag_names(id_)]
    assert len(tagged) == 1
