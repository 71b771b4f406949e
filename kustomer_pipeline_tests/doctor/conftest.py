"""A doctor with a sandbox, a warehouse, a state and a project of its own; nobody waits."""

import argparse
import importlib
import itertools
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from kustomer_pipeline.components.component import syncs_of
from kustomer_pipeline.components.defs_folder import load_tree
from kustomer_pipeline.components.of_project import LoadedProject
from kustomer_pipeline.doctor import command
from kustomer_pipeline.kustomer import KustomerClient
from kustomer_pipeline.sandbox import Sandbox
from kustomer_pipeline_tests.simulated import InProcess, SimulatedClock

_NUMBER = itertools.count()
CUSTOMERS = """
type: kustomer_pipeline.ObjectSync
attributes:
  object: customers
  query: select * from people
  match_on: [externalId, email]
  fields: {externalId: id, email: email, name: name, custom.planStr: plan}
"""
VIP = """
type: kustomer_pipeline.AudienceSync
attributes:
  tag: vip
  query: select email from people
  mode: mirror
  fields: {email: email}
"""


class Answer:
    """What the doctor said."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        self.text = text

    @property
    def content(self) -> dict[str, Any]:
        """The JSON."""
        found: dict[str, Any] = json.loads(self.text)
        return found

    def finding(self, name: str) -> dict[str, Any]:
        """The only finding of that name."""
        [found] = [one for one in self.content["findings"] if one["name"] == name]
        return dict(found)

    def names(self, level: str) -> set[str]:
        """The names of all findings with this mark."""
        return {one["name"] for one in self.content["findings"] if one["level"] == level}


class Doctor:
    """`look` runs the command with --json, `read` without."""

    def __init__(self, root: Path, sandbox: Sandbox, clock: SimulatedClock, package: str) -> None:
        self.root = root
        self.sandbox = sandbox
        self.clock = clock
        self.package = package
        self.folder = root / package / "defs"
        self.folder.mkdir(parents=True)
        (self.folder.parent / "__init__.py").touch()
        (self.folder / "__init__.py").touch()
        self.state = root / "state.db"
        self.said: list[str] = []

    def sync(self, name: str, text: str) -> None:
        """Write a sync."""
        (self.folder / name).mkdir(exist_ok=True)
        (self.folder / name / "defs.yaml").write_text(text, encoding="utf-8")

    def warehouse(self, sql: str) -> None:
        """Run a statement there."""
        with sa.create_engine(f"sqlite:///{self.root / 'warehouse.db'}").begin() as connection:
            connection.exec_driver_sql(sql)

    def look(self, *arguments: str) -> Answer:
        """The answer as JSON."""
        return self._run("--json", *arguments)

    def read(self, *arguments: str) -> Answer:
        """The answer as people read it."""
        return self._run(*arguments)

    def _load(self, _: Path) -> LoadedProject:
        tree, defs = load_tree(importlib.import_module(f"{self.package}.defs"))
        syncs = syncs_of(tree)
        return LoadedProject(syncs.working, syncs.broken, defs)

    def _run(self, *arguments: str) -> Answer:
        parser = argparse.ArgumentParser()
        command.add_arguments(parser)
        options = parser.parse_args(arguments)
        self.sandbox.clear_requests()
        self.said = []
        status = command.run(options, self._load, self.said.append)
        return Answer(status, self.said[-1] if options.json else "\n".join(self.said))


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(epoch=time.time())


@pytest.fixture
def sandbox(clock: SimulatedClock) -> Iterator[Sandbox]:
    with Sandbox(serve=False, clock=clock.time, job_seconds=2.0) as sandbox:
        yield sandbox


@pytest.fixture
def doctor(
    tmp_path: Path, sandbox: Sandbox, clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch, dagster_home: Path
) -> Iterator[Doctor]:
    """Everything is well: a key with all roles, two syncs, a warehouse, an org with a few records, no state yet."""
    home = httpx.URL(sandbox.url)

    class Wire(httpx.AsyncBaseTransport):
        inner = InProcess(sandbox.app, clock)

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if (request.url.host, request.url.port) != (home.host, home.port):
                raise httpx.ConnectError("nobody is there", request=request)
            return await self.inner.handle_async_request(request)

    def client(**settings: Any) -> KustomerClient:
        return KustomerClient(**settings, clock=clock, transport=Wire())

    monkeypatch.setattr("kustomer_pipeline.resources.KustomerClient", client)
    monkeypatch.syspath_prepend(tmp_path)
    doctor = Doctor(tmp_path, sandbox, clock, f"doctor_project_{next(_NUMBER)}")
    monkeypatch.setenv("WAREHOUSE_URL", f"sqlite:///{tmp_path / 'warehouse.db'}")
    monkeypatch.setenv("KUSTOMER_STATE_URL", f"sqlite:///{doctor.state}")
    monkeypatch.setenv("KUSTOMER_BASE_URL", sandbox.url)
    monkeypatch.setenv("KUSTOMER_API_KEY", sandbox.api_key)
    doctor.warehouse("create table people (id text, email text, name text, plan text)")
    doctor.sync("customers", CUSTOMERS)
    doctor.sync("vip", VIP)
    sandbox.declare_custom("customer", planStr={"type": "string", "displayName": "Plan"})
    fill(sandbox)
    yield doctor
    for name in [name for name in sys.modules if name.split(".")[0] == doctor.package]:
        del sys.modules[name]


def fill(sandbox: Sandbox) -> None:
    """A few customers and companies with everything that can be asked for."""
    tag = sandbox.seed_tag("vip")
    companies = [sandbox.seed_company(name=f"Private Company {n}", externalId=f"A-{n}") for n in range(3)]
    for n in range(4):
        sandbox.seed_customer(
            externalId=f"C-{n}",
            name=f"Jane Private{n}",
            emails=[{"email": f"jane{n}@private.example", "type": "home"}],
            phones=[{"phone": f"+1212555000{n}"}],
            whatsapps=[{"phone": f"+1212555100{n}"}],
            urls=[{"url": f"https://private.example/{n}"}, {"url": f"https://private.example/{n}/blog"}],
            tags=[tag],
            company=companies[0],
            timeZone="Europe/London",
            custom={"planStr": "private plan"},
        )
