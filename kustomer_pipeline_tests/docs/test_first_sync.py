"""The guide "A first sync", followed as it is written, in a clone of one's own.

every block of the page, in its order → a shell, files, the launchpad of Dagster's UI → ten customers in Kustomer

What needs the network is left out: `make setup-run` and pip, which CI runs before any test.
"""

import os
import re
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import yaml

from kustomer_pipeline.demo.local import answers, process, wait_for
from kustomer_pipeline.sandbox import Sandbox
from kustomer_pipeline_tests.conftest import REPOSITORY
from kustomer_pipeline_tests.docs.blocks import blocks
from kustomer_pipeline_tests.test_packaging import tracked

PAGE = REPOSITORY / "docs" / "guides" / "first-sync.md"
INSTALLS = re.compile(r"make setup-run|.* -m pip install ")
SERVES = ".venv/bin/dagster dev -w workspace.yaml"
ROWS, LIMIT = 25, 10
LAUNCH = """mutation ($location: String!, $job: String!, $config: RunConfigData) {
  launchRun(executionParams: {runConfigData: $config, selector: {
    repositoryLocationName: $location, repositoryName: "__repository__", jobName: $job
  }}) { __typename ... on LaunchRunSuccess { run { runId } } ... on Error { message } } }"""
STATUS = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


@dataclass(frozen=True)
class Ui:
    """What a person does in the UI."""

    port: int
    location: str = "kustomer_pipeline"

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data that GraphQL answers."""
        url = f"http://127.0.0.1:{self.port}/graphql"
        answer = httpx.post(url, json={"query": query, "variables": variables}, timeout=60)
        data: dict[str, Any] = answer.json()["data"]
        return data

    def launch(self, job: str, config: dict[str, Any]) -> str:
        """Start a run; its id."""
        launched = self.ask(LAUNCH, location=self.location, job=job, config=config)["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return str(launched["run"]["runId"])

    def has_ended(self, run: str) -> bool:
        """Whether it has, which it must with success."""
        time.sleep(0.2)  # the run needs the processor more
        status = self.ask(STATUS, id=run)["runOrError"]["status"]
        assert status not in {"FAILURE", "CANCELED"}
        return bool(status == "SUCCESS")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What `git clone` and the installation leave: the files, and a .venv."""
    folder = tmp_path / "clone"
    for path in tracked(REPOSITORY):
        target = folder / path.relative_to(REPOSITORY)
        if "kustomer_pipeline_tests" not in target.parts:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        sandbox.declare_custom("customer", planStr={"type": "string"})
        yield sandbox


@pytest.fixture
def warehouse(postgres_url: str) -> str:
    """With the table that the guide reads."""
    with sa.create_engine(postgres_url, poolclass=sa.NullPool).begin() as connection:
        connection.exec_driver_sql("create schema crm")
        connection.exec_driver_sql(
            "create table crm.customers as select 'C-' || n as customer_id, 'jane' || n || '@acme.example' as email, "
            f"'Jane ' || n as full_name, 'pro' as plan from generate_series(1, {ROWS}) n"
        )
    return postgres_url


def follow(folder: Path, settings: dict[str, str]) -> tuple[str, list[dict[str, Any]]]:
    """Write the files of the page; its commands as a script, and its run configs, both in the page's order."""
    script, configs, files = [], [], 0
    for block in blocks(PAGE):
        if block.language == "sh":
            script += [line for line in block.commands if not INSTALLS.match(line)]
        elif block.language == "ini":
            names = [line.partition("=")[0] for line in block.text.splitlines()]
            assert {"WAREHOUSE_URL", "KUSTOMER_API_KEY"} < set(names)
            written = {"KUSTOMER_BASE_URL" if name == "KUSTOMER_ORG" else name for name in names}
            (folder / ".env").write_text("".join(f"{name}={settings[name]}\n" for name in sorted(written)))
        elif block.language == "yaml" and block.text.startswith("ops:"):
            configs.append(yaml.safe_load(block.text))
        elif block.language == "yaml" and "KustomerProject" not in block.text:  # that is for a project of one's own
            path = re.match(r"# (\w+/defs\.yaml)\n", block.text)
            assert path is not None
            script.append(f"mkdir -p kustomer_pipeline/defs/{Path(path[1]).parent}")
            script.append(f"cat > kustomer_pipeline/defs/{path[1]} <<'THE FILE'\n{block.text}THE FILE")
            files += 1
    assert files == 1
    return "\n".join(script), configs


def test_a_stranger_who_follows_the_guide_has_ten_customers_in_kustomer(
    clone: Path, sandbox: Sandbox, warehouse: str, tmp_path: Path
) -> None:
    settings = {
        "WAREHOUSE_URL": warehouse,
        "KUSTOMER_BASE_URL": sandbox.url,
        "KUSTOMER_API_KEY": sandbox.api_key,
    }
    script, [config] = follow(clone, settings)
    assert config == {"ops": {"kustomer__customers": {"config": {"limit": LIMIT}}}}
    assert script.endswith(SERVES)
    port = free_port()
    # PYTHONPATH: this .venv is a link to the folder of the tests, not to the clone.
    environment = os.environ | {"HOME": str(tmp_path), "PYTHONPATH": str(clone), "DAGSTER_DISABLE_TELEMETRY": "1"}
    command = ["bash", "-eu", "-c", f"{script.removesuffix(SERVES)}exec {SERVES} --port {port}"]
    log = tmp_path / "shell.log"
    with process(command, log, environment=environment, folder=clone) as shell:
        wait_for(shell, "What the guide says", log, lambda: answers(f"http://127.0.0.1:{port}/server_info"))
        assert "ready to sync" in log.read_text(encoding="utf-8")  # the doctor, before it
        ui = Ui(port)
        run = ui.launch("sync_customers", config)
        wait_for(shell, "The run", log, partial(ui.has_ended, run))
        assert len(sandbox.customers) == LIMIT
    assert (tmp_path / ".dagster_home" / "kustomer_state.db").is_file()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
