"""The shipped dagster.yaml: whatever was killed, the next run gets going by itself, and the dead one is called dead.

Everything is real here: a daemon in a process group of its own starts a run, which takes the state's lock; the whole
group is killed; another daemon is started on the same DAGSTER_HOME.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import WorkerStatus
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult

from kustomer_pipeline.demo.local import process, wait_for
from kustomer_pipeline.run_launcher import CheckedRunLauncher

ROOT = Path(__file__).parents[2]
SETTINGS = ROOT / "dagster.yaml"
HOST = """
import os, threading
from pathlib import Path
import dagster as dg
from kustomer_pipeline.sync import StateStore

FOLDER = Path(__file__).parent

@dg.op
def sync():
    with StateStore.open(f"sqlite:///{FOLDER}/state.db") as state, state.lock("org"):
        first = not (FOLDER / "first").exists()
        (FOLDER / "new").write_text(str(os.getpid()))
        (FOLDER / "new").rename(FOLDER / ("first" if first else "second"))
        while first:
            threading.Event().wait(60)

@dg.job
def job():
    sync()

@dg.sensor(job=job, minimum_interval_seconds=1, default_status=dg.DefaultSensorStatus.RUNNING)
def changed():
    yield dg.RunRequest(run_key="second" if (FOLDER / "first").exists() else "first")

defs = dg.Definitions(jobs=[job], sensors=[changed])
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """DAGSTER_HOME with the shipped settings; only the daemon looks more often."""
    text = SETTINGS.read_text(encoding="utf-8")
    faster, changes = re.subn(r"poll_interval_seconds: \d+", "poll_interval_seconds: 1", text)
    assert changes == 1
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "dagster.yaml").write_text(faster, encoding="utf-8")
    (tmp_path / "host.py").write_text(HOST, encoding="utf-8")
    (tmp_path / "workspace.yaml").write_text("load_from: [{python_file: host.py}]", encoding="utf-8")
    return folder


@contextmanager
def daemon(home: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A Dagster daemon with its code server and its runs, in a group of its own; and its log."""
    environment = os.environ | {"DAGSTER_HOME": str(home), "PYTHONPATH": str(ROOT), "DAGSTER_DISABLE_TELEMETRY": "1"}
    log = home.parent / "daemon.log"
    command = [sys.executable, "-m", "dagster._daemon", "run", "-w", "workspace.yaml"]
    with process(command, log, environment=environment, folder=home.parent) as running:
        yield running, log


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def statuses(home: Path) -> dict[str, str]:
    with dg.DagsterInstance.from_config(str(home)) as instance:
        return {run.tags["dagster/run_key"]: run.status.value for run in instance.get_runs()}


def test_the_next_run_gets_going_after_the_host_of_a_run_was_killed(home: Path) -> None:
    first, second = home.parent / "first", home.parent / "second"
    with daemon(home) as (host, log):
        wait_for(host, "The first run", log, first.exists)
        os.killpg(host.pid, signal.SIGKILL)
        host.wait()
        while is_alive(int(first.read_text())):  # it was killed with its group, and is about to be gone
            pass
    assert statuses(home) == {"first": "STARTED"}
    with daemon(home) as (host, log):
        wait_for(host, "The second run", log, second.exists)
        wait_for(host, "The truth", log, lambda: statuses(home) == {"first": "FAILURE", "second": "SUCCESS"})


def test_nothing_in_the_shipped_settings_counts_runs() -> None:
    """A limit would count a run that died, and hold up the others for it."""
    settings = yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))
    assert settings["concurrency"] == {"runs": {"max_concurrent_runs": -1}}
    assert settings["run_monitoring"]["poll_interval_seconds"] <= 60


class Server:
    """A code server that answers, or does not."""

    def __init__(self, knows_the_run: bool = False, error: Exception | None = None) -> None:
        self.knows_the_run, self.error = knows_the_run, error

    def can_cancel_execution(self, request: CanCancelExecutionRequest, timeout: int) -> str:
        if self.error is not None:
            raise DagsterUserCodeUnreachableError("no answer") from self.error
        return dg.serialize_value(CanCancelExecutionResult(can_cancel=self.knows_the_run))


class RpcError(Exception):
    """As gRPC raises it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def code(self) -> "RpcError":
        return self


@pytest.mark.parametrize(
    "server, status",
    [
        (Server(knows_the_run=True), WorkerStatus.RUNNING),
        (Server(knows_the_run=False), WorkerStatus.NOT_FOUND),  # another server at the same address
        (Server(error=RpcError("UNAVAILABLE")), WorkerStatus.FAILED),
        (Server(error=RpcError("DEADLINE_EXCEEDED")), WorkerStatus.RUNNING),  # it works hard, and lives
        (None, WorkerStatus.RUNNING),  # started by hand: nobody can tell
    ],
)
def test_a_run_is_dead_when_its_server_is_gone_or_does_not_know_it(
    server: Server | None, status: WorkerStatus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CheckedRunLauncher, "_get_grpc_client_for_termination", lambda *_: server)
    launcher = CheckedRunLauncher()
    assert launcher.supports_check_run_worker_health
    assert launcher.check_run_worker_health(dg.DagsterRun(job_name="job", run_id="r")).status is status
