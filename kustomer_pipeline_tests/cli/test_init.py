"""`init`: a folder of one's own, in which everything works at once."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml

from kustomer_pipeline.__main__ import main
from kustomer_pipeline.sandbox import Sandbox
from kustomer_pipeline_tests.conftest import REPOSITORY

FILES = {
    ".env.example",
    ".github/workflows/syncs.yml",
    ".gitignore",
    "README.md",
    "dagster.yaml",
    "syncs/customers/defs.yaml",
    "workspace.yaml",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "crm"]) == 0
    return tmp_path / "crm"


def test_it_makes_what_a_project_needs_and_says_so(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == FILES
    said = capsys.readouterr().out
    assert all(name in said for name in FILES)


def test_nothing_is_written_over(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sync = folder / "syncs/customers/defs.yaml"
    sync.write_text("mine")
    (folder / "README.md").unlink()
    assert main(["init", "crm"]) == 1
    assert "syncs/customers/defs.yaml" in capsys.readouterr().err
    assert sync.read_text() == "mine"
    assert not (folder / "README.md").exists()


@pytest.mark.parametrize("name", ["dagster.yaml", "workspace.yaml"])
def test_its_files_are_those_of_the_repository(folder: Path, name: str) -> None:
    assert (folder / name).read_text() == (REPOSITORY / name).read_text()


def test_a_plan_and_a_run_work_in_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    warehouse = f"sqlite:///{folder / 'crm.db'}"
    with sa.create_engine(warehouse).begin() as connection:
        connection.exec_driver_sql("attach ':memory:' as crm")
        connection.exec_driver_sql("create table customers (customer_id, email, full_name, plan)")
        connection.exec_driver_sql("insert into customers values ('C-1', 'jane@example.com', 'Jane', 'pro')")
    sync = folder / "syncs/customers/defs.yaml"
    sync.write_text(sync.read_text().replace("crm.customers", "customers"))
    shutil.copy(folder / ".env.example", folder / ".env")
    with Sandbox() as sandbox:
        for name, value in {
            "KUSTOMER_DEFS": "syncs",
            "WAREHOUSE_URL": warehouse,
            "KUSTOMER_BASE_URL": sandbox.url,
            "KUSTOMER_API_KEY": sandbox.api_key,
            "DAGSTER_HOME": str(folder),
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(folder)
        assert main(["plan"]) == 2
        assert "create" in capsys.readouterr().out
        assert main(["run"]) == 0
        assert len(sandbox.customers) == 1
        assert main(["plan"]) == 0


def steps(folder: Path) -> dict[str, dict[str, Any]]:
    """The steps of its workflow that have a name."""
    workflow = yaml.safe_load((folder / ".github/workflows/syncs.yml").read_text(encoding="utf-8"))
    return {step["name"]: step for step in workflow["jobs"]["check"]["steps"] if "name" in step}


@pytest.mark.parametrize("broken", [False, True])
def test_its_workflow_fails_where_a_sync_does_not_load(
    folder: Path, monkeypatch: pytest.MonkeyPatch, broken: bool
) -> None:
    """The command is that of the guide, too, and Dagster passes over the mistake without the variable."""
    sync = folder / "syncs/customers/defs.yaml"
    if broken:
        sync.write_text(sync.read_text().replace("match_on:", "match:"))
    step = steps(folder)["Every sync loads"]
    shown = f"KUSTOMER_STRICT=1 .venv/bin/{step['run']}"
    assert shown in (REPOSITORY / "docs/guides/troubleshooting.md").read_text(encoding="utf-8")
    monkeypatch.setenv("KUSTOMER_DEFS", "syncs")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    done = subprocess.run(
        ["bash", "-ec", step["run"]], cwd=folder, env=os.environ | step["env"], capture_output=True, text=True
    )
    assert done.returncode == int(broken), done.stderr
    if broken:
        assert "match: is not a known key" in done.stdout + done.stderr
        without = subprocess.run(["bash", "-ec", step["run"]], cwd=folder, capture_output=True, text=True)
        assert without.returncode == 0
        assert "match: is not a known key" in without.stdout + without.stderr


@pytest.mark.parametrize("status, fails", [(0, False), (1, True), (2, False)])
def test_its_workflow_shows_the_plan(folder: Path, tmp_path: Path, status: int, fails: bool) -> None:
    command = tmp_path / "bin" / "kustomer-pipeline"
    command.parent.mkdir()
    command.write_text(f"#!/bin/sh\necho '# the plan'\nexit {status}\n")
    command.chmod(0o755)
    summary = tmp_path / "summary.md"
    env = {"PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}", "GITHUB_STEP_SUMMARY": str(summary)}
    done = subprocess.run(["bash", "-ec", steps(folder)["Plan"]["run"]], cwd=folder, env=env, check=False)
    assert (done.returncode != 0) == fails
    assert summary.read_text() == "# the plan\n"


def test_its_workflow_is_valid_by_the_schema_of_workflows(folder: Path) -> None:
    command = ["-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", ".github/workflows/syncs.yml"]
    done = subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_without_its_env_file_no_command_takes_other_syncs(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in a fresh checkout: .env is not in git."""
    monkeypatch.delenv("KUSTOMER_DEFS", raising=False)
    monkeypatch.chdir(folder)
    assert main(["run"]) == 1
    assert "KUSTOMER_DEFS is not set" in capsys.readouterr().err
