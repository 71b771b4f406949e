"""The surroundings of the demo: a folder, a warehouse, a Dagster home, a local Kustomer, the Dagster UI.

All of it is fresh, on this machine, and gone with the process that started it; nothing of the settings of
whoever starts it gets in, so the demo can never reach a real warehouse or a real org.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from .seed import seed

_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_POLL_SECONDS = 0.05
_PACKAGES = Path(__file__).resolve().parents[2]
_SETTINGS = _PACKAGES / "dagster.yaml"
# What the project's own workspace.yaml says, wherever the demo is started.
_WORKSPACE = (
    "load_from: [{python_module: {module_name: kustomer_pipeline.definitions, location_name: kustomer_pipeline}}]"
)
_FOREIGN = ("KUSTOMER_", "WAREHOUSE_", "DAGSTER_")


class DemoError(Exception):
    """The demo cannot go on; the message says why, and what to do."""


@dataclass(frozen=True)
class Kustomer:
    """The sandbox that runs."""

    url: str
    api_key: str


@contextmanager
def stop_signals() -> Iterator[None]:
    """Being told to end, and a terminal that is closed, are the same as Ctrl+C: what was started is stopped.

    Ctrl+C itself too: in a background job it is ignored, and Dagster would do with the others what is done with it.
    """
    names = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {name: signal.signal(name, signal.default_int_handler) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


@contextmanager
def only_demo_in(folder: Path) -> Iterator[None]:
    """Hold the folder for as long as the body runs. Raises DemoError when another demo does."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(f"Another demo runs in {folder.resolve()}: stop it (Ctrl+C) and try again.") from None
        yield


def prepare(folder: Path) -> Path:
    """A fresh demo in `folder`: the warehouse filled, the Dagster home empty. The path of the warehouse."""
    folder.mkdir(parents=True, exist_ok=True)
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name != "lock":
            entry.unlink()
    home = folder / "dagster_home"
    home.mkdir()
    if _SETTINGS.exists():
        shutil.copy(_SETTINGS, home)
    return seed(folder / "warehouse.sqlite")


def use(folder: Path, warehouse: Path, kustomer: Kustomer) -> dict[str, str]:
    """The environment of a process that works on the demo: no setting of whoever starts it gets in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    path = os.pathsep.join(filter(None, [str(_PACKAGES), kept.get("PYTHONPATH")]))
    return kept | {
        "WAREHOUSE_URL": f"sqlite:///{warehouse.resolve()}",
        "KUSTOMER_BASE_URL": kustomer.url,
        "KUSTOMER_API_KEY": kustomer.api_key,
        "KUSTOMER_DEFS": str(_PACKAGES / "kustomer_pipeline" / "defs"),
        "DAGSTER_HOME": str((folder / "dagster_home").resolve()),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "PYTHONPATH": path,
    }


def require_free(port: int, what: str, option: str) -> None:
    """Raises DemoError when something on this machine listens on `port` already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OverflowError:
            raise DemoError(f"{port} is not a port: {option} takes a number from 1 to 65535.") from None
        except OSError as error:
            raise DemoError(
                f"Port {port}, for {what}, cannot be used: {(error.strerror or str(error)).lower()}. Stop what uses "
                f"it, or take another: {sys.executable} -m kustomer_pipeline.demo dev {option} {port + 1}"
            ) from None


@contextmanager
def local_kustomer(folder: Path, *, port: int = 0) -> Iterator[Kustomer]:
    """The sandbox in a process of its own, for as long as the body runs. Raises DemoError."""
    ready, log = folder / "sandbox.json", folder / "sandbox.log"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "kustomer_pipeline.sandbox", "--port", str(port), "--ready-file", str(ready)]
    with process(command, log) as running:
        wait_for(running, "The local Kustomer", log, ready.exists)
        content = json.loads(ready.read_text(encoding="utf-8"))
        yield Kustomer(content["url"], content["api_key"])


@contextmanager
def dagster_ui(folder: Path, environment: dict[str, str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """`dagster dev` on the project, ready to be opened, for as long as the body runs. Raises DemoError.

    It runs in the demo's folder: Dagster reads a file `.env` where it is started, and the one beside the project
    holds the settings of a real warehouse and a real org.
    """
    (folder / "workspace.yaml").write_text(_WORKSPACE, encoding="utf-8")
    command = [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    log = folder / "dagster.log"
    with process(command, log, environment=environment, folder=folder) as running:
        wait_for(running, "The Dagster UI", log, lambda: answers(f"http://127.0.0.1:{port}/server_info"))
        yield running


@contextmanager
def process(
    command: Sequence[str], log: Path, *, environment: dict[str, str] | None = None, folder: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process whose output goes to `log`, stopped with everything that it has started.

    In a session of its own: Ctrl+C reaches the demo alone, which then stops one after the other.
    """
    with open(log, "wb") as output:
        started = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=folder,
            start_new_session=True,
        )
    try:
        yield started
    finally:
        _stop(started)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end; then end what is left of it, whatever happens meanwhile."""
    try:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
    finally:
        with suppress(ProcessLookupError):  # nothing is left
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(process: subprocess.Popen[bytes], what: str, log: Path, ready: Callable[[], bool]) -> None:
    """Until a process that was started is ready. Raises DemoError with what it wrote, if it never is."""
    deadline = time.monotonic() + _START_SECONDS
    while not ready():
        if process.poll() is not None:
            raise DemoError(f"{what} did not start:\n\n{last_lines(log)}")
        if time.monotonic() > deadline:
            raise DemoError(f"{what} did not start within {_START_SECONDS:.0f} seconds:\n\n{last_lines(log)}")
        time.sleep(_POLL_SECONDS)


def last_lines(log: Path, count: int = 10) -> str:
    """The end of what a process wrote."""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:])


def answers(url: str) -> bool:
    """Whether there is something at a URL of this machine."""
    # Without a proxy from the environment: this is on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
