"""What it takes to follow a page: a PostgreSQL with the tables of the pages, a sandbox as Kustomer; nobody waits."""

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from kustomer_pipeline_tests.components.conftest import clock, pipeline, sandbox
from kustomer_pipeline_tests.components.pipeline import Pipeline

from .followed import Followed, tables

__all__ = ["clock", "pipeline", "sandbox"]

ROWS = 150  # more than the guard of changes lets pass without a look


@pytest.fixture
def warehouse_url(postgres_url: str) -> str:
    """A warehouse with the tables that the pages read."""
    with sa.create_engine(postgres_url, poolclass=sa.NullPool).begin() as connection:
        connection.exec_driver_sql(tables(ROWS))
    return postgres_url


@pytest.fixture
def follow(
    tmp_path: Path, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str], Followed]:
    """A page, whose syncs are in the folder that KUSTOMER_DEFS names."""
    folder = tmp_path / "syncs"
    folder.mkdir()
    monkeypatch.setenv("KUSTOMER_DEFS", str(folder))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*__import__("sys").path])
    return lambda page: Followed(page, folder, pipeline, capsys)
