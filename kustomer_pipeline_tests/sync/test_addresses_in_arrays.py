"""Several addresses in one column, as PostgreSQL's arrays and JSON arrays come, in the fields for one: the first names
the row, all of them are sent, found and compared."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from kustomer_pipeline.mapping import FieldMapping, hash_of, identity_hashes, map_frame, wire_rows
from kustomer_pipeline.warehouse import read_frame
from kustomer_pipeline_tests.mapping.frames import mapped_column, objects, plain, reasons
from kustomer_pipeline_tests.world import World, customers

FIELDS = (FieldMapping("email", ("emails",)), FieldMapping("phone", ("phones",)), FieldMapping("name", ("name",)))
BY_EMAIL = customers(name="by_email", match_on=("email",), fields=FIELDS)


def mapped(emails: list[Any], phones: list[Any] | None = None, match_on: tuple[str, ...] = ("email",)) -> pd.DataFrame:
    frame = pd.DataFrame({"emails": objects(*emails), "phones": objects(*(phones or [None] * len(emails)))})
    return map_frame(frame, FIELDS[:2], object_name="customers", match_on=match_on)


@pytest.mark.parametrize("cell", [["B@x.com", "a@x.com"], '["B@x.com", "a@x.com"]', ["B@x.com", "a@x.com", "b@X.com"]])
def test_the_first_address_of_a_list_names_the_row_and_all_are_sent(cell: Any) -> None:
    rows = mapped([cell])
    assert (plain(rows["_key"]), reasons(rows)) == (["b@x.com"], [None])
    assert wire_rows(rows, FIELDS[:2], object_name="customers")[0]["emails"] == [
        {"email": "b@x.com"},
        {"email": "a@x.com"},
    ]


def test_a_list_of_one_is_that_one() -> None:
    alone, in_a_list = mapped(["a@x.com"]), mapped([["A@x.com"]])
    assert alone.equals(in_a_list)


def test_the_first_number_of_a_list_names_the_row_as_one_alone_would() -> None:
    rows = mapped([None], [["+44 20 7946 0108", "+442079460109"]], match_on=("email", "phone"))
    assert plain(rows["_key"]) == ["phone=+442079460108"]


def test_a_null_in_a_list_is_nobodys_address() -> None:
    """As array_agg over an outer join gives it."""
    rows = mapped([[None], ["a@x.com", None], []])
    assert plain(rows["_key"]) == ["row:1", "a@x.com", "row:3"]
    assert reasons(rows) == ["email is missing", None, "email is missing"]


@pytest.mark.parametrize(
    "cell, reason",
    [
        (["a@x.com", "nope"], "email item 2 is not an e-mail address"),
        ([["a@x.com"]], "email item 1 is not a single value"),
        ([{"email": "a@x.com"}], "email holds an object; map it to emails instead"),
        ({"email": "a@x.com"}, "email holds an object; map it to emails instead"),
        ([f"a{n}@x.com" for n in range(11)], "email has 11 items, at most 10"),
        ("[a@x.com]", "email is not an e-mail address"),
        ("{a@x.com,b@x.com}", "email is not an e-mail address"),
        ("[" * 100_000, "email is not an e-mail address"),
    ],
)
def test_what_is_no_list_of_addresses_says_why(cell: Any, reason: str) -> None:
    assert mapped_column("email", objects(cell)) == ([None], [reason])


def test_what_the_reason_names_works() -> None:
    column = objects([{"email": "a@x.com", "type": "work"}, "b@x.com"])
    assert mapped_column("emails", column)[1] == [None]


def test_an_address_inside_a_list_and_alone_are_on_two_rows() -> None:
    rows = mapped([["a@x.com", "b@x.com"], "B@x.com", ["c@x.com"]])
    assert reasons(rows) == ["email is also on row 2", "email is also on row 1", None]


def test_a_row_is_recognised_by_every_address_of_its_list() -> None:
    """What a comparison in the warehouse, and a list of people to be left out, look for."""
    [hashes] = identity_hashes(
        mapped([["a@x.com", "b@x.com"]]), FIELDS[:1], object_name="customers", match_on=["email"]
    )
    assert {hash_of("email", "a@x.com"), hash_of("email", "b@x.com"), hash_of("", "a@x.com")} == hashes


def test_an_array_of_postgresql_is_several_addresses(world: World, postgres_url: str) -> None:
    engine = sa.create_engine(postgres_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("create table people (emails text[], phones jsonb, name text)")
        connection.exec_driver_sql(
            "insert into people values (array['Jane@x.com', 'jane@y.com'], '[\"+442079460108\"]', 'Jane'),"
            " (array['joe@x.com'], null, 'Joe'), (array[]::text[], null, 'Nobody')"
        )
    world.sandbox.seed_customer(emails=[{"email": "jane@y.com"}])
    frame = read_frame(engine, "select * from people order by name")
    report = world.run(BY_EMAIL, frame)
    assert report.rows[["key", "outcome", "reason"]].fillna("").to_numpy().tolist() == [
        ["jane@x.com", "updated", ""],
        ["joe@x.com", "created", ""],
        ["row:3", "invalid", "email is missing"],
    ]
    jane = world.sandbox.customers[world.id_of("jane@y.com")]
    assert {item["email"] for item in jane["emails"]} == {"jane@x.com", "jane@y.com"}
    assert [item["phone"] for item in jane["phones"]] == ["+442079460108"]
    assert world.run(BY_EMAIL, frame).counts.unchanged == 2


def test_an_address_that_is_added_to_the_list_is_added_in_kustomer(world: World) -> None:
    def rows(*emails: str) -> list[dict[str, Any]]:
        return [{"emails": json.dumps(emails), "phones": None, "name": "Jane"}]

    world.run(BY_EMAIL, rows("a@x.com"))
    report = world.run(BY_EMAIL, rows("a@x.com", "b@x.com"))
    assert (report.counts.updated, report.rows["key"].tolist()) == (1, ["a@x.com"])
    [record] = world.sandbox.customers.values()
    assert [item["email"] for item in record["emails"]] == ["a@x.com", "b@x.com"]
