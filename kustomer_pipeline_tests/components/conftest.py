"""A project with its own `defs` folder, loaded as definitions.py loads the real one; a pipeline that runs."""

import importlib
import itertools
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest

from kustomer_pipeline.components import load_definitions
from kustomer_pipeline.kustomer import KustomerClient
from kustomer_pipeline.sandbox import Sandbox
from kustomer_pipeline.sync import StateStore
from kustomer_pipeline_tests.simulated import InProcess, SimulatedClock

from .pipeline import Pipeline

_NUMBER = itertools.count()


class Project:
    """`write` its files, then `load` it."""

    def __init__(self, root: Path) -> None:
        # A name of its own: Python remembers the modules that it has imported.
        self.package = f"project_{next(_NUMBER)}"
        self.folder = root / self.package / "defs"
        self.folder.mkdir(parents=True)
        (self.folder.parent / "__init__.py").touch()
        (self.folder / "__init__.py").touch()

    def write(self, path: str, text: str) -> Path:
        """A file below `defs`, e.g. customers/defs.yaml."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def load(self, *, strict: bool = True) -> dg.Definitions:
        """What Dagster would load. strict: a sync with mistakes raises SyncConfigError, as in CI."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("KUSTOMER_STRICT", "1" if strict else "")
            return load_definitions(importlib.import_module(f"{self.package}.defs"))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """An empty project."""
    yield from empty_project(tmp_path, monkeypatch)


def empty_project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """The body of such a fixture: its package can be imported while the test runs, and is forgotten afterwards."""
    monkeypatch.syspath_prepend(folder)
    project = Project(folder)
    yield project
    for name in [name for name in sys.modules if name.split(".")[0] == project.package]:
        del sys.modules[name]


class Wire(httpx.AsyncBaseTransport):
    """What a client of these tests reaches: the sandbox at its address, and nobody anywhere else."""

    def __init__(self, sandbox: Sandbox, clock: SimulatedClock) -> None:
        self.host = httpx.URL(sandbox.url)
        self.inner = InProcess(sandbox.app, clock)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request."""
        if (request.url.host, request.url.port) != (self.host.host, self.host.port):
            raise httpx.ConnectError("nobody is there", request=request)
        return await self.inner.handle_async_request(request)


@pytest.fixture
def clock() -> SimulatedClock:
    """Time for the client, the state and Kustomer, in which nobody waits."""
    return SimulatedClock(epoch=time.time())


@pytest.fixture
def sandbox(clock: SimulatedClock) -> Iterator[Sandbox]:
    """An empty Kustomer."""
    with Sandbox(serve=False, clock=clock.time) as sandbox:
        yield sandbox


@pytest.fixture
def warehouse_url(tmp_path: Path) -> str:
    """Where the warehouse is: SQLite, unless a module says otherwise."""
    return f"sqlite:///{tmp_path / 'warehouse.db'}"


@pytest.fixture
def pipeline(
    tmp_path: Path,
    sandbox: Sandbox,
    clock: SimulatedClock,
    warehouse_url: str,
    ephemeral: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> Pipeline:
    """Warehouse, Kustomer and Dagster, with nothing in them."""

    def client(**settings: Any) -> KustomerClient:
        return KustomerClient(**settings, clock=clock, transport=Wire(sandbox, clock))

    monkeypatch.setattr("kustomer_pipeline.resources.KustomerClient", client)
    monkeypatch.setattr(StateStore, "open", staticmethod(partial(StateStore.open, clock=clock)))
    monkeypatch.setenv("WAREHOUSE_URL", warehouse_url)
    monkeypatch.setenv("KUSTOMER_STATE_URL", f"sqlite:///{tmp_path / 'state.db'}")
    monkeypatch.setenv("KUSTOMER_BASE_URL", sandbox.url)
    monkeypatch.setenv("KUSTOMER_API_KEY", sandbox.api_key)
    return Pipeline(warehouse_url, sandbox, ephemeral)
