"""The state moves from SQLite to PostgreSQL whole, and what comes next goes on from there."""

import os
import runpy
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kustomer_pipeline.sync import StateStore
from kustomer_pipeline.sync.state.tables import metadata, schema_version
from kustomer_pipeline_tests.conftest import REPOSITORY
from kustomer_pipeline_tests.deploy.files import DEPLOY, commands

TABLES = [table for table in metadata.sorted_tables if table is not schema_version]
ROWS = 2_345  # more than are copied at a time


def move(file: Path, url: str) -> subprocess.CompletedProcess[str]:
    """Run the command of docs/deploy.md, with a URL in place of the page's."""
    [command] = commands("move the state")
    for there, here in {"postgresql+psycopg://…": shlex.quote(url), ".venv/bin/python": sys.executable}.items():
        assert there in command
        command = command.replace(there, here)
    return subprocess.run(
        command,
        shell=True,
        cwd=REPOSITORY,
        env=os.environ | {"DAGSTER_HOME": str(file.parent), "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )


def value(column: sa.Column[Any], number: int) -> Any:
    """A value that fits, another one for each row."""
    kind = column.type.python_type
    if kind is str:
        return f"{column.name} {number} ✓"
    if kind is datetime:
        return datetime(2026, 11, number % 28 + 1, 12, 30, tzinfo=UTC)
    return bool(number % 2) if kind is bool else kind(number + 1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A state in SQLite, with rows in every table."""
    path = tmp_path / "kustomer_state.db"
    with StateStore.open(f"sqlite:///{path}") as store, store.engine.begin() as connection:
        for table in TABLES:
            count = ROWS if table.name == "sync_rows" else 3
            connection.execute(
                sa.insert(table), [{c.name: value(c, number) for c in table.columns} for number in range(count)]
            )
    return path


def content(store: StateStore) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table; moments without their time zone, which SQLite does not keep."""
    with store.engine.connect() as connection:
        return {
            table.name: sorted(
                tuple(cell.replace(tzinfo=None) if isinstance(cell, datetime) else cell for cell in row)
                for row in connection.execute(sa.select(table))
            )
            for table in TABLES
        }


def test_every_row_goes_over_and_the_next_ones_get_numbers_of_their_own(file: Path, postgres_url: str) -> None:
    done = move(file, postgres_url)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{ROWS:,} sync_rows" in done.stdout
    with StateStore.open(f"sqlite:///{file}") as old, StateStore.open(postgres_url) as new:
        before = content(old)
        assert before == content(new)
        assert [len(rows) > 0 for rows in before.values()] == [True] * len(TABLES)
        log = metadata.tables["sync_log"]
        highest = max(row[0] for row in before["sync_log"])
        with new.engine.begin() as connection:
            line = {column.name: value(column, 9) for column in log.columns if column is not log.c.id}
            [number] = connection.execute(sa.insert(log).returning(log.c.id), line).scalars()
    assert number == highest + 1


def test_a_database_that_holds_a_state_already_is_left_alone(
    file: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUSTOMER_STATE_URL", postgres_url)
    main = runpy.run_path(str(DEPLOY / "copy_state.py"))["main"]
    assert main([str(file)]) == 0
    assert main([str(file)]) == 1
    assert "give it an empty database" in capsys.readouterr().out


def test_without_a_file_it_says_what_it_needs_and_makes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUSTOMER_STATE_URL", "postgresql+psycopg://nowhere")
    assert runpy.run_path(str(DEPLOY / "copy_state.py"))["main"]([str(tmp_path / "missing.db")]) == 2
    assert not (tmp_path / "missing.db").exists()
