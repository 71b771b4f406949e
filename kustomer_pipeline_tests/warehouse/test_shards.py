"""A part of a query, chosen in the warehouse: every row in one part, the same part that its key has here."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from kustomer_pipeline.sync import shard_number
from kustomer_pipeline.warehouse import QueryError, open_engine, part_of_query, read_frame

OF = 4
IDS = [*(f"C-{n}" for n in range(40)), " C-90 ", "c-91", *(f"Ä-{n}" for n in range(9)), "7", "", "it's: 100 %"]
MATCH_ON = ("externalId", "email")


def urls(request: pytest.FixtureRequest, name: str, tmp_path: Path) -> str:
    if name == "sqlite":
        (tmp_path / "warehouse.db").touch()
        return f"sqlite:///{tmp_path / 'warehouse.db'}"
    return str(request.getfixturevalue(name))


@pytest.fixture(params=["sqlite", "postgres_url"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> sa.Engine:
    url = urls(request, request.param, tmp_path)
    table = sa.Table("people", sa.MetaData(), sa.Column("id", sa.Text), sa.Column("number", sa.Integer))
    writer = sa.create_engine(url, poolclass=sa.NullPool)
    with writer.begin() as connection:
        table.create(connection)
        rows = [{"id": id_, "number": number} for number, id_ in enumerate(IDS)]
        connection.execute(table.insert(), [*rows, {"id": None, "number": 1000}])
    return open_engine(url)


def parts(engine: sa.Engine, sql: str, *key: str) -> list[list[object]]:
    return [read_frame(engine, part_of_query(engine, sql, key, n, OF))[key[0]].tolist() for n in range(OF)]


def test_every_row_is_in_the_part_that_its_key_has(engine: sa.Engine) -> None:
    found = parts(engine, "select * from people", "id")
    assert sorted(len(part) for part in found)[0] > 3
    assert sum(len(part) for part in found) == len(IDS) + 1
    for number, part in enumerate(found):
        for id_ in part:
            assert shard_number(id_ if isinstance(id_, str) else "", MATCH_ON, OF) == number


def test_numbers_go_by_their_digits(engine: sa.Engine) -> None:
    for number, part in enumerate(parts(engine, "select number from people", "number")):
        assert {shard_number(str(value), MATCH_ON, OF) for value in part} <= {number}


def test_of_several_columns_the_first_that_is_not_empty_counts(engine: sa.Engine) -> None:
    sql = "select case when id like 'C-1%' then id end as first, id as second from people where id like 'C-%'"
    for number in range(OF):
        frame = read_frame(engine, part_of_query(engine, sql, ["first", "second"], number, OF))
        assert {shard_number(second, MATCH_ON, OF) for second in frame["second"]} == {number}


@pytest.mark.parametrize(
    "sql",
    [
        "select * from people;",
        "select * from people -- all of them",
        "with a as (select * from people) select * from a",
    ],
)
def test_the_query_stands_as_it_is(engine: sa.Engine, sql: str) -> None:
    assert sum(len(part) for part in parts(engine, sql, "id")) == len(IDS) + 1


def test_a_column_of_another_case_is_quoted(engine: sa.Engine) -> None:
    assert sum(len(part) for part in parts(engine, 'select id as "The Id" from people', "The Id")) == len(IDS) + 1


def test_a_database_of_which_nothing_is_known_says_so(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.dialect, "name", "firebird")
    with pytest.raises(QueryError, match="cannot be split into shards: nothing is known of firebird's md5"):
        part_of_query(engine, "select 1 as id", ["id"], 0, OF)
