"""The commands that docs/deploy.md gives for backups, run as they are written, and what a run does on what is back.

state at noon → saved by the page's commands → a day passes in the warehouse and in Kustomer → brought back by the
page's commands → the page's run config → Kustomer is as the warehouse says, and nothing was sent twice
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml

from kustomer_pipeline import ObjectSync
from kustomer_pipeline.sync import StateStore
from kustomer_pipeline_tests.components.pipeline import Pipeline, people
from kustomer_pipeline_tests.conftest import REPOSITORY
from kustomer_pipeline_tests.deploy.files import PAGE, commands
from kustomer_pipeline_tests.simulated import SimulatedClock

IN_COMPOSE = "docker compose --file deploy/compose.yaml exec --no-TTY postgres "
Commands = Callable[[str], list[subprocess.CompletedProcess[str]]]


@pytest.fixture
def server(postgres_server: str) -> Iterator[dict[str, str]]:
    """An environment in which PostgreSQL's programs find a server that has the two databases of the page, empty."""
    url = sa.make_url(postgres_server)
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)

    def execute(*statements: str) -> None:
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    made = (REPOSITORY / "deploy" / "postgres" / "state.sql").read_text(encoding="utf-8")
    execute("create role dagster superuser login", "create database dagster owner dagster", made)
    with engine.connect() as connection:  # its own programs: pg_dump refuses a server that is newer
        programs = connection.exec_driver_sql("select setting from pg_config where name = 'BINDIR'").scalar_one()
    yield os.environ | {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PGHOST": str(url.query["host"]),
        "PGUSER": str(url.username),
    }
    execute(*(f"drop database if exists {name} with (force)" for name in ("kustomer_state", "dagster")))
    execute("drop role dagster")


@pytest.fixture
def run(server: dict[str, str], tmp_path: Path) -> Commands:
    """Runs the commands below a marker, in one folder; those of Compose as they run within its container."""

    def run(marker: str) -> list[subprocess.CompletedProcess[str]]:
        lines = [line for line in commands(marker) if not re.search(r" (stop|up) (daemon|--detach)", line)]
        assert lines != []
        assert {line.startswith(IN_COMPOSE) for line in lines} == {"Compose" in marker}
        return [shell(line.removeprefix(IN_COMPOSE), tmp_path, server) for line in lines]

    return run


def shell(line: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(line, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def went_well(done: list[subprocess.CompletedProcess[str]]) -> bool:
    assert [(one.args, one.stderr) for one in done if one.returncode or one.stderr] == []
    return True


@pytest.fixture
def state(server: dict[str, str], pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """A pipeline whose state is in the PostgreSQL of the page."""
    url = f"postgresql+psycopg://{server['PGUSER']}@/kustomer_state?host={server['PGHOST']}"
    monkeypatch.setenv("KUSTOMER_STATE_URL", url)
    return pipeline


def the_run_config() -> dict[str, bool]:
    """What the page says that a sync is run with after a restore."""
    found = re.search(r"(?s)<!-- after a restore -->\n```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"))
    assert found is not None
    config: dict[str, bool] = yaml.safe_load(found[1])["ops"]["kustomer__customers"]["config"]
    return config


def plans(of: Pipeline) -> dict[str, str]:
    """externalId → plan, as Kustomer has them; fails when two customers share an id."""
    found = [(str(one["externalId"]), str(one["custom"]["planStr"])) for one in of.sandbox.customers.values()]
    assert len(found) == len(dict(found))
    return dict(found)


def tagged(of: Pipeline) -> set[str]:
    """The externalIds of who holds the tag."""
    customers = of.sandbox.customers.items()
    return {str(one["externalId"]) for customer_id, one in customers if "vip" in of.sandbox.tag_names(customer_id)}


def revisions(of: Pipeline) -> dict[str, int]:
    """externalId → how often the customer was written."""
    return {str(one["externalId"]): int(one["rev"]) for one in of.sandbox.customers.values()}


def sync(of: Pipeline, config: dict[str, bool] | None = None) -> None:
    for job in ("sync_customers", "sync_vip"):
        assert of.run(job, config=config).success, job


def mail(number: int) -> str:
    return f"jane{number}@private.example"


def row(number: int, plan: str) -> tuple[str, ...]:
    [(key, email, name, phone, _)] = people(1, number)
    return (key, email, name, phone, plan)


def a_day(of: Pipeline, save: Callable[[], object]) -> None:
    """Noon, the backup, and what happened until the next noon; each time synced, so that Kustomer is up to date.

    1 changes and changes back, 2 changes, 3 is new. 4 leaves the audience and returns, 5 leaves, 6 joins.
    """
    others = [row(number, "free") for number in range(7, 20)]
    of.customers([row(number, "free") for number in (1, 2, 4, 5, 6)] + others)
    of.vips([mail(4), mail(5), *(mail(number) for number in range(7, 20))])
    sync(of)
    save()
    of.customers([row(number, "pro") for number in (1, 2, 3)] + [row(number, "free") for number in (4, 5, 6)] + others)
    of.vips([mail(6), *(mail(number) for number in range(7, 20))])
    sync(of)
    # Since the last run, and not sent yet:
    of.customers(
        [row(1, "free"), *(row(number, "pro") for number in (2, 3))]
        + [row(number, "free") for number in (4, 5, 6)]
        + others
    )
    of.vips([mail(4), mail(6), *(mail(number) for number in range(7, 20))])


def is_as_the_warehouse_says(of: Pipeline) -> bool:
    expected = {f"C-{number}": "pro" if number in (2, 3) else "free" for number in range(1, 20)}
    return plans(of) == expected and tagged(of) == {f"C-{number}" for number in (4, *range(6, 20))}


def test_on_an_older_backup_a_run_loses_nothing_and_repeats_nothing(state: Pipeline, run: Commands) -> None:
    a_day(state, lambda: went_well(run("save")))
    assert went_well(run("bring back"))
    before = revisions(state)

    sync(state)  # without the page's run config rows that changed back are missed, or the page would ask too much
    assert (plans(state)["C-1"], "C-4" in tagged(state)) == ("pro", False)

    sync(state, the_run_config())
    assert is_as_the_warehouse_says(state)
    written = {key for key, revision in revisions(state).items() if revision != before.get(key)}
    assert written == {"C-1", "C-4"}  # what was sent since the backup is not written again

    state.sandbox.clear_requests()
    sync(state)
    assert state.sandbox.units() == 2  # one a run: whose key is this?


def test_the_commands_for_compose_bring_back_the_same(state: Pipeline, run: Commands) -> None:
    state.customers(people(3))
    assert state.run("sync_customers").success
    assert went_well(run("save with Compose"))
    state.customers(people(5))
    assert state.run("sync_customers").success
    assert went_well(run("bring back with Compose"))
    before = revisions(state)
    report = state.run("sync_customers").metadata("kustomer/customers")
    assert (report["unchanged"], len(before), revisions(state)) == (5, 5, before)


def test_a_bulk_job_that_was_under_way_at_the_backup_is_not_sent_again(
    state: Pipeline, run: Commands, clock: SimulatedClock
) -> None:
    """It was done and collected since; the state that comes back still waits for it, and knows none of its rows."""
    state.sandbox.jobs_take(3_600.0)
    state.customers(people(5))
    state.run("sync_customers")
    assert (state.sandbox.count("POST", "/v1/customers/bulk"), len(state.sandbox.customers)) == (1, 0)
    assert went_well(run("save"))
    clock.advance(3_600.0)
    state.sandbox.jobs_take(0.0)
    assert state.run("sync_customers").success
    before = revisions(state)
    assert (len(before), went_well(run("bring back"))) == (5, True)
    clock.advance(86_400.0)
    assert state.run("sync_customers", config=the_run_config()).success
    assert revisions(state) == before


def test_a_company_that_only_its_name_tells_is_not_made_twice(state: Pipeline, run: Commands) -> None:
    """Nothing that it has is unique in Kustomer, so no second create would be refused."""
    companies = ObjectSync(
        name="companies",
        object="companies",
        query="select name from customers",
        match_on=["name"],
        fields={"name": "name"},
    )
    state.customers([])
    assert state.run("sync_companies", companies).success
    assert went_well(run("save"))
    state.customers(people(2))
    assert state.run("sync_companies", companies).success
    assert (len(state.sandbox.companies), went_well(run("bring back"))) == (2, True)
    assert state.run("sync_companies", companies, config=the_run_config()).success
    assert len(state.sandbox.companies) == 2


def test_nothing_is_taken_away_under_a_run_that_still_writes(state: Pipeline, run: Commands) -> None:
    """Who forgets to stop the code server is told so, and the state is as it was."""
    state.customers(people(3))
    assert state.run("sync_customers").success
    assert went_well(run("save"))
    with StateStore.open(os.environ["KUSTOMER_STATE_URL"]) as store, store.lock("org"):
        [dropped, *_] = run("bring back")
    assert dropped.returncode == 1
    assert "is being accessed by other users" in dropped.stderr
    state.sandbox.clear_requests()
    assert state.run("sync_customers").success
    assert state.sandbox.units() == 1  # every row is still remembered


def test_a_state_in_sqlite_comes_back_as_it_was_saved(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what was only in the file beside it, and into a state that somebody has opened."""
    if shutil.which("sqlite3") is None:
        pytest.skip("no program sqlite3 on this machine (Debian: apt-get install sqlite3)")
    monkeypatch.setenv("KUSTOMER_STATE_URL", f"sqlite:///{tmp_path / 'kustomer_state.db'}")
    environment = os.environ | {"DAGSTER_HOME": str(tmp_path)}

    def run(marker: str) -> bool:
        return went_well([shell(line, tmp_path, environment) for line in commands(marker)])

    with StateStore.open(os.environ["KUSTOMER_STATE_URL"]):  # the file beside it stays, as it does while a run writes
        pipeline.customers(people(3))
        assert pipeline.run("sync_customers").success
        assert (tmp_path / "kustomer_state.db-wal").stat().st_size > 0
        assert run("save SQLite")
        pipeline.customers(people(5))
        assert pipeline.run("sync_customers").success
        assert run("bring back SQLite")
    before = revisions(pipeline)
    report = pipeline.run("sync_customers").metadata("kustomer/customers")
    assert (report["unchanged"], len(before), revisions(pipeline)) == (5, 5, before)
