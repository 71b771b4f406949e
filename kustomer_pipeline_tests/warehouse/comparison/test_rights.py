"""What the warehouse user may not do is named, with the grant that helps; reading alone is enough for nothing here."""

import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from kustomer_pipeline.warehouse import QueryError, WarehouseError, open_engine
from kustomer_pipeline.warehouse.comparison import Comparison, ComparisonError, Source

from .conftest import Statements, Sync

SOURCE = Source("select * from customers", ("id", "email"), "id")


def as_reader(postgres_url: str) -> Sync:
    """A user that may read the table of customers and nothing else."""
    url = sa.make_url(postgres_url).set(username="reader").render_as_string(hide_password=False)
    comparison = Comparison(open_engine(url), schema="kustomer_sync", org_id="org", sync="customers")
    return Sync(comparison, SOURCE)


@pytest.fixture
def tables(postgres: Statements) -> Statements:
    postgres("create table customers (id integer, email text)", "insert into customers values (1, 'a')")
    return postgres


def test_a_schema_that_may_not_be_created(tables: Statements, postgres_url: str) -> None:
    tables("grant select on customers to reader")

    with pytest.raises(ComparisonError, match="create schema kustomer_sync authorization reader"):
        as_reader(postgres_url).read()


def test_tables_that_may_not_be_created(tables: Statements, postgres_url: str) -> None:
    tables("grant select on customers to reader", "create schema kustomer_sync")

    with pytest.raises(ComparisonError, match="grant usage, create on schema kustomer_sync to reader"):
        as_reader(postgres_url).read()


def test_a_source_that_may_not_be_read_is_the_querys_error(tables: Statements, postgres_url: str) -> None:
    tables("create schema kustomer_sync authorization reader")

    with pytest.raises(QueryError, match="permission denied for table customers"):
        as_reader(postgres_url).read()


def test_a_schema_of_its_own_and_reading_is_all_it_takes(tables: Statements, postgres_url: str) -> None:
    tables("grant select on customers to reader", "create schema kustomer_sync authorization reader")
    sync = as_reader(postgres_url)

    sync.settle()

    assert len(sync.read().rows) == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write every file")
def test_a_file_that_may_not_be_written(sqlite: Statements, sqlite_url: str) -> None:
    engine = sqlite("create table customers (id integer, email text)")
    Path(sqlite_url.removeprefix("sqlite:///")).chmod(0o400)
    comparison = Comparison(engine, schema="kustomer_sync", org_id="org", sync="customers")

    with pytest.raises(WarehouseError, match="readonly"):
        Sync(comparison, SOURCE).read()
