"""`init`: a folder of one's own, in which everything works at once."""

import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from kustomer_pipeline.__main__ import main
from kustomer_pipeline.sandbox import Sandbox
from kustomer_pipeline_tests.conftest import REPOSITORY

FILES = {
    ".env.example",
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
