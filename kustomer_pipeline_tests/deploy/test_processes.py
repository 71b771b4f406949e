"""The processes of docs/deploy.md, with Dagster's storage and the state in a real PostgreSQL.

Code server, webserver and daemon are started by the commands of deploy/; a run goes through the daemon's queue; the
process of a run is killed, and what waited for it goes on.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import httpx
import pytest
import sqlalchemy as sa
import yaml

from kustomer_pipeline.demo.local import answers, process, wait_for
from kustomer_pipeline_tests.conftest import REPOSITORY
from kustomer_pipeline_tests.deploy.files import COMPOSE, instruction

HOST = """
import os, threading
from pathlib import Path
import dagster as dg
from kustomer_pipeline.components.run_tags import MAX_RETRIES_TAG, RETRY_FAILURES_TAG
from kustomer_pipeline.sync import StateStore

FOLDER = Path(__file__).parent

@dg.op
def write(context):
    with StateStore.open(os.environ["KUSTOMER_STATE_URL"]) as state, state.lock("org"):
        hangs = not (FOLDER / "first").exists()
        if hangs:
            (FOLDER / "new").write_text(str(os.getpid()))
            (FOLDER / "new").rename(FOLDER / "first")
        while hangs:
            threading.Event().wait(60)

@dg.op
def stumble(context):
    if not context.run.parent_run_id:
        context.instance.add_run_tags(context.run.run_id, {MAX_RETRIES_TAG: "1", RETRY_FAILURES_TAG: "true"})
        raise ConnectionError("it passes")

@dg.job(executor_def=dg.in_process_executor)
def sync():
    write()

@dg.job(executor_def=dg.in_process_executor)
def stumbles():
    stumble()

defs = dg.Definitions(jobs=[sync, stumbles])
"""
LAUNCH = """mutation ($job: String!) { launchRun(executionParams: {runConfigData: {}, selector: {
    repositoryLocationName: "kustomer_pipeline", repositoryName: "__repository__", jobName: $job
}}) { __typename ... on LaunchRunSuccess { run { runId } } ... on Error { message } } }"""


@dataclass(frozen=True)
class Deployment:
    """Running processes, and the environment that they have."""

    folder: Path
    environment: dict[str, str]
    ports: dict[str, int]

    def launch(self, job: str) -> str:
        """Start a run as the UI does; its id."""
        url = f"http://127.0.0.1:{self.ports['3000']}/graphql"
        answer = httpx.post(url, json={"query": LAUNCH, "variables": {"job": job}}, timeout=30)
        launched = answer.json()["data"]["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return str(launched["run"]["runId"])

    def exit_status(self, command: list[str]) -> int:
        """What a health check says."""
        command = [self.with_ports(part) for part in command]
        program = [sys.executable, *command[1:]] if command[0] == "python" else dagster(command)
        return subprocess.run(program, env=self.environment, cwd=self.folder, timeout=60, check=False).returncode

    def with_ports(self, text: str) -> str:
        """The ports of the files, as those that are free here."""
        return re.sub("|".join(self.ports), lambda port: str(self.ports[port[0]]), text)


def dagster(command: list[str]) -> list[str]:
    """A command of Dagster's, run by this Python."""
    modules = {"dagster": "dagster", "dagster-daemon": "dagster._daemon", "dagster-webserver": "dagster_webserver"}
    return [sys.executable, "-m", modules[command[0]], *command[1:]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def databases(postgres_url: str) -> Iterator[dict[str, str]]:
    """Dagster's database, and the state's beside it, as deploy/postgres/state.sql makes it."""
    url = sa.make_url(postgres_url)
    state = url.set(database="kustomer_state")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql((REPOSITORY / "deploy" / "postgres" / "state.sql").read_text(encoding="utf-8"))
    yield {
        "DAGSTER_POSTGRES_URL": url.set(drivername="postgresql+psycopg2").render_as_string(hide_password=False),
        "KUSTOMER_STATE_URL": state.render_as_string(hide_password=False),
    }
    with engine.connect() as connection:
        connection.exec_driver_sql("drop database kustomer_state with (force)")


@pytest.fixture
def deployment(tmp_path: Path, databases: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    home = tmp_path / "home"
    home.mkdir()
    settings = (REPOSITORY / "deploy" / "dagster.yaml").read_text(encoding="utf-8")
    faster, changes = re.subn(r"poll_interval_seconds: \d+", "poll_interval_seconds: 1", settings)
    assert changes == 1
    (home / "dagster.yaml").write_text(faster, encoding="utf-8")
    (tmp_path / "host.py").write_text(HOST, encoding="utf-8")
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", databases["DAGSTER_POSTGRES_URL"])  # for this process, which looks
    environment = os.environ | databases | {
        "DAGSTER_HOME": str(home),
        "DAGSTER_CODE_HOST": "127.0.0.1",
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(tmp_path)]),
    }  # fmt: skip
    running = Deployment(tmp_path, environment, {"4000": free_port(), "3000": free_port()})
    workspace = running.with_ports((REPOSITORY / "deploy" / "workspace.yaml").read_text(encoding="utf-8"))
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "workspace.yaml").write_text(workspace, encoding="utf-8")

    services = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    code = ["host" if part == "kustomer_pipeline.definitions" else part for part in json.loads(instruction("CMD"))]
    with ExitStack() as stack:

        def start(name: str, command: list[str]) -> subprocess.Popen[bytes]:
            words = dagster([running.with_ports(part) for part in command])
            return stack.enter_context(
                process(words, tmp_path / f"{name}.log", environment=environment, folder=tmp_path)
            )

        server = start("code", code)
        wait_for(server, "The code server", tmp_path / "code.log", lambda: listens(running.ports["4000"]))
        webserver = start("webserver", services["webserver"]["command"])
        start("daemon", services["daemon"]["command"])
        page = f"http://127.0.0.1:{running.ports['3000']}/server_info"
        wait_for(webserver, "The webserver", tmp_path / "webserver.log", lambda: answers(page))
        yield running


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_run_goes_through_the_queue_and_a_killed_one_holds_up_nobody(deployment: Deployment) -> None:
    """And what failed for a reason that passes is tried again, once."""
    folder, log = deployment.folder, deployment.folder / "daemon.log"
    home = deployment.environment["DAGSTER_HOME"]
    alive = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)  # for wait_for
    try:
        with dg.DagsterInstance.from_config(home) as instance:
            assert "postgres" in type(instance.run_storage).__module__

            def status(run_id: str) -> str:
                time.sleep(0.5)  # each look is a new connection: the processes need the time more
                run = instance.get_run_by_id(run_id)
                return run.status.value if run else "none"

            stumbled = deployment.launch("stumbles")
            first = deployment.launch("sync")
            wait_for(alive, "The first run", log, (folder / "first").exists)
            second = deployment.launch("sync")
            wait_for(alive, "The second run", log, lambda: status(second) == "STARTED")
            os.kill(int((folder / "first").read_text()), signal.SIGKILL)
            wait_for(alive, "The end of the killed run", log, lambda: status(first) == "FAILURE")
            wait_for(alive, "The lock for the second run", log, lambda: status(second) == "SUCCESS")

            def tries() -> dict[str | None, str]:
                time.sleep(0.5)
                runs = instance.get_runs(dg.RunsFilter(job_name="stumbles"))
                return {run.parent_run_id: run.status.value for run in runs}

            wait_for(alive, "The second try", log, lambda: tries() == {None: "FAILURE", stumbled: "SUCCESS"})
            assert [run.job_name for run in instance.get_runs()].count("sync") == 2  # a killed one is not tried again

        check = re.search(r"CMD (\[.*\])", instruction("HEALTHCHECK"))
        services = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
        assert check is not None
        assert deployment.exit_status(json.loads(check[1])) == 0
        for name in ("webserver", "daemon"):
            assert deployment.exit_status(services[name]["healthcheck"]["test"][1:]) == 0, name
    finally:
        alive.communicate(b"\n")
