"""The life of a comparison in further databases that can run here: DuckDB, and MariaDB where it is installed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from kustomer_pipeline.warehouse import open_engine
from kustomer_pipeline.warehouse.comparison import Comparison, Source

from ..dialects import mariadb
from .conftest import SCHEMA, Sync, ids


@pytest.fixture(params=["duckdb", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A new database."""
    if request.param == "duckdb":
        made = f"duckdb:///{tmp_path / 'warehouse.duckdb'}"
        run(made, "select 1")
        yield made
        return
    program = mariadb.server()
    if program is None:
        pytest.skip("mariadbd is not installed (Debian, Ubuntu: apt-get install mariadb-server-core)")
    with mariadb.running(program) as of_server:
        yield of_server


def run(url: str, *statements: str) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_the_life_of_a_comparison(url: str) -> None:
    run(
        url,
        "create table customers (id integer, email varchar(50), note text, extra json, score numeric(10, 2))",
        """insert into customers values (1, 'a', 'x', '{"k": 1}', 1.5), (2, 'b', null, null, null),
        (3, 'c', 'y', '[]', 2), (4, null, 'z', null, 0), (5, 'e', null, null, null)""",
    )
    comparison = Comparison(open_engine(url), schema=SCHEMA, org_id="org", sync="customers")
    columns = ("id", "email", "note", "extra", "score")
    sync = Sync(comparison, Source("select * from customers where '100%' <> 'a:b';", columns, "id"))
    sync.settle()
    assert ids(sync.read()) == []

    run(
        url,
        "update customers set email = 'A' where id = 1",
        "update customers set note = 'y ' where id = 3",
        "delete from customers where id = 2",
        "insert into customers values (6, 'e', null, null, null), (6, 'e', null, null, null)",
    )
    reading = sync.read(again=["4"])

    assert ids(reading) == [1, 3, 4, 5, 6, 6]  # 5 shares its e-mail with 6
    assert (reading.kept.source_rows, reading.kept.stayed) == (6, 0)
    assert sorted(comparison.gone(reading.kept.number)) == ["1", "2", "3"]
    assert sync.accept(reading, ids=[1, 4, 5], forget=["2"])
    reading = sync.read()
    assert ids(reading) == [3, 5, 6, 6]
    assert comparison.holders(reading.kept.number, {"id:1", "id:3", "id:5"}) == {"id:1": "1"}

    sync.source = Source("select id, email from customers", ("id", "email"), "id")
    reading = sync.read()
    assert ids(reading) == [1, 3, 4, 5, 6, 6]
    assert reading.kept.whole
    comparison.drop()
    assert ids(sync.read()) == [1, 3, 4, 5, 6, 6]
