"""A pipeline with everything that it keeps in one Dagster home, and the search for a person in all of it."""

import argparse
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from kustomer_pipeline import AudienceSync, ObjectSync
from kustomer_pipeline.components.of_project import LoadedProject
from kustomer_pipeline.forget import command
from kustomer_pipeline_tests.components.conftest import clock, pipeline, sandbox, warehouse_url
from kustomer_pipeline_tests.components.pipeline import CUSTOMERS, VIP, Pipeline, Run
from kustomer_pipeline_tests.privacy.search import Search
from kustomer_pipeline_tests.world import World

__all__ = ["clock", "pipeline", "sandbox", "warehouse_url"]

JANE = ("CUST-7731", "jane.doe@private.example", "Jane Quimby", "020 7946 0731", "pro")
OTHERS = [(f"CUST-{n}", f"p{n}@private.example", f"Person {n}", f"020 7946 0{n}", "free") for n in range(101, 104)]
LOG_TO = {"schema": "kustomer_sync"}


class Stage:
    """A pipeline whose syncs are chosen, and the command on it."""

    def __init__(self, pipeline: Pipeline, home: Path, **changes: Any) -> None:
        own: dict[str, Any] = {"log_to": LOG_TO, **changes}
        self.pipeline = pipeline
        self.sandbox = pipeline.sandbox
        self.home = home
        self.customers: ObjectSync = ObjectSync.model_validate(CUSTOMERS.model_dump(exclude_unset=True) | own)
        mirrored = own | {"max_removals": {"share": 1.0}}
        self.vip: AudienceSync = AudienceSync.model_validate(VIP.model_dump(exclude_unset=True) | mirrored)
        self.beside: list[str] = []
        self.last_run_id = ""

    def run(self, job: str, **config: Any) -> Run:
        """A job over both syncs."""
        return self.pipeline.run(job, self.customers, self.vip, config=config or None)

    def lived(self) -> None:
        """Some days of both syncs: created, changed, tagged, refused, planned."""
        self.pipeline.customers([JANE, *OTHERS])
        self.pipeline.vips([JANE[1], OTHERS[0][1]])
        assert self.run("sync_all").success
        self.pipeline.customers([(*JANE[:2], "Jane Quimby-Roe", *JANE[3:]), *OTHERS])
        assert self.run("plan_all").success
        last = self.run("sync_all")
        assert last.success
        self.last_run_id = last.run_id

    def forget(self, *arguments: str) -> tuple[int, str]:
        """The command: exit status and what it printed."""
        parser = argparse.ArgumentParser()
        command.add_arguments(parser)
        said: list[str] = []
        project = LoadedProject([self.customers, self.vip], [], dg.Definitions())
        status = command.run(parser.parse_args(arguments), lambda _: project, said.append)
        return status, "\n".join(said)

    def search(self) -> Search:
        """What there is of a person anywhere."""
        return Search(self.home, self.pipeline.warehouse.engine, source=("customers", "vips"))


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A state in each of its databases."""
    url = f"sqlite:///{tmp_path / 'state.db'}"
    if request.param == "postgresql":
        url = str(request.getfixturevalue("postgres_url"))
    with World(url, in_warehouse=False) as world:
        yield world


@pytest.fixture
def home(dagster_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the state and the frames are."""
    monkeypatch.delenv("KUSTOMER_STATE_URL", raising=False)
    return dagster_home


@pytest.fixture
def on_disk(pipeline: Pipeline, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """The same pipeline, with a Dagster instance whose files are all in the home."""
    monkeypatch.delenv("KUSTOMER_STATE_URL", raising=False)
    with dg.DagsterInstance.get() as instance, contextlib.suppress(sa.exc.SQLAlchemyError):
        pipeline.instance = instance
        yield pipeline
