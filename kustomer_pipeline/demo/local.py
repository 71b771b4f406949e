"""The surroundings of the demo: a folder, a warehouse, a Dagster home, and a local Kustomer that runs meanwhile."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .seed import seed

_START_SECONDS = 20.0
_SETTINGS = Path(__file__).resolve().parents[2] / "dagster.yaml"


class DemoError(Exception):
    """The demo cannot go on; the message says why."""


@dataclass(frozen=True)
class Kustomer:
    """The sandbox that runs."""

    url: str
    api_key: str


def prepare(folder: Path) -> Path:
    """A fresh demo in `folder`: the warehouse filled, the Dagster home empty. The path of the warehouse."""
    shutil.rmtree(folder, ignore_errors=True)
    home = folder / "dagster_home"
    home.mkdir(parents=True)
    if _SETTINGS.exists():
        shutil.copy(_SETTINGS, home)
    return seed(folder / "warehouse.sqlite")


def use(folder: Path, warehouse: Path, kustomer: Kustomer) -> dict[str, str]:
    """The environment of a process that works on the demo: no setting of whoever starts it gets in."""
    foreign = ("KUSTOMER_", "WAREHOUSE_", "DAGSTER_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return kept | {
        "WAREHOUSE_URL": f"sqlite:///{warehouse.resolve()}",
        "KUSTOMER_BASE_URL": kustomer.url,
        "KUSTOMER_API_KEY": kustomer.api_key,
        "DAGSTER_HOME": str((folder / "dagster_home").resolve()),
        "DAGSTER_DISABLE_TELEMETRY": "1",
    }


@contextmanager
def local_kustomer(folder: Path, *, port: int = 0) -> Iterator[Kustomer]:
    """The sandbox in a process of its own, for as long as the body runs. Raises DemoError."""
    ready = folder / "sandbox.json"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "kustomer_pipeline.sandbox", "--port", str(port), "--ready-file", str(ready)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        yield _wait_for(process, ready)
    finally:
        process.terminate()
        process.communicate(timeout=10)


def _wait_for(process: subprocess.Popen[str], ready: Path) -> Kustomer:
    deadline = time.monotonic() + _START_SECONDS
    while not ready.exists():
        if process.poll() is not None:
            raise DemoError(f"The local Kustomer did not start: {process.communicate()[1].strip()}")
        if time.monotonic() > deadline:
            raise DemoError(f"The local Kustomer did not start within {_START_SECONDS:.0f} seconds")
        time.sleep(0.05)
    content = json.loads(ready.read_text(encoding="utf-8"))
    return Kustomer(content["url"], content["api_key"])
