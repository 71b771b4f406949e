"""The demo's warehouse: believable, mostly sound, the same everywhere."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

from kustomer_pipeline.demo.seed import Edit, edit, seed
from kustomer_pipeline.mapping import FieldMapping, map_frame, required_fields
from kustomer_pipeline.warehouse import open_engine, read_frame, watermark

FIELDS = {
    "externalId": "customer_id",
    "email": "email",
    "name": "full_name",
    "phone": "mobile",
    "signedUpAt": "signed_up_at",
    "company": "account_id",
    "custom.planStr": "plan",
    "custom.subscribedBool": "is_subscribed",
    "custom.lifetimeValueNum": "ltv",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return seed(tmp_path / "shop" / "warehouse.db")


def read(path: Path, sql: str) -> pd.DataFrame:
    return read_frame(open_engine(f"sqlite:///{path}"), sql)


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def mapped_customers(path: Path) -> pd.DataFrame:
    return map_frame(
        read(path, "select * from customers"),
        [FieldMapping(field, (column,)) for field, column in FIELDS.items()],
        object_name="customers",
        match_on=["externalId", "email"],
        required=required_fields("customers"),
        default_region="GB",
    )


def test_the_warehouse_is_the_same_every_time(path: Path, tmp_path: Path) -> None:
    again = seed(f"sqlite:///{tmp_path / 'again.db'}")
    assert dump(again) == dump(path)
    edit(path)
    assert dump(again) != dump(path)
    assert dump(seed(path)) == dump(again)


def test_two_in_a_hundred_customers_would_be_refused(path: Path) -> None:
    reasons = mapped_customers(path)["_invalid"].dropna()
    assert 0.01 < len(reasons) / 2_000 < 0.03
    for reason in (
        "email is missing",
        "email is also on row key",
        "phone is not a phone number",
        "name is 300",
        "lifetimeValueNum is not a number",
    ):
        assert reasons.str.contains(reason, regex=False).any(), reason


def test_it_has_what_real_tables_have(path: Path) -> None:
    customers = read(path, "select * from customers")
    assert len(customers) == 2_000
    assert customers["customer_id"].str.startswith("00").any()
    assert (customers["email"] != customers["email"].str.strip().str.lower()).sum() > 100
    assert customers["full_name"].str.contains("🌟").any()
    assert (customers["ltv"] == "").any()
    assert set(customers["plan"]) == {"free", "pro", "enterprise"}
    assert mapped_customers(path)["phone"].notna().sum() > 1_300


def test_customers_belong_to_companies_that_are_there(path: Path) -> None:
    companies = read(path, "select * from companies")
    assert len(companies) == 40
    assert companies["account_id"].str.fullmatch(r"00\d{5}").all()
    assert companies[["account_id", "name", "domain"]].nunique().tolist() == [40, 40, 40]
    strangers = read(
        path, "select account_id from customers where account_id not in (select account_id from companies)"
    )
    assert strangers.empty


def test_most_vips_are_customers_and_a_few_are_not(path: Path) -> None:
    known = "lower(email) in (select lower(trim(email)) from customers where email is not null)"
    assert len(read(path, "select email from vip_customers")) == 150
    assert len(read(path, f"select email from vip_customers where not {known}")) == 5


def test_a_day_at_the_business_changes_what_it_says(path: Path) -> None:
    before = read(path, "select * from customers").set_index("customer_id")
    vips = set(read(path, "select email from vip_customers")["email"])
    engine = open_engine(f"sqlite:///{path}")
    marks = [watermark(engine, table, "updated_at") for table in ("customers", "vip_customers")]

    done = edit(path)

    after = read(path, "select * from customers").set_index("customer_id")
    assert set(after.index) - set(before.index) == {done.new_customer}
    changed = before.index[after.loc[before.index, "plan"] != before["plan"]]
    assert set(changed) == set(done.upgraded)
    assert len(done.upgraded) == 3
    now = set(read(path, "select email from vip_customers")["email"])
    assert (vips - now, now - vips) == ({done.left_vips}, {done.joined_vips})
    for mark, table in zip(marks, ("customers", "vip_customers"), strict=True):
        assert watermark(engine, table, "updated_at") != mark


def test_every_day_is_another_and_refuses_nobody_new(path: Path) -> None:
    refused = mapped_customers(path)["_invalid"].notna().sum()
    days: list[Edit] = [edit(path) for _ in range(10)]
    assert len({customer for day in days for customer in day.upgraded}) == 30
    assert len({day.new_customer for day in days}) == 10
    assert mapped_customers(path)["_invalid"].notna().sum() == refused


def test_only_a_sqlite_file_can_be_seeded() -> None:
    with pytest.raises(ValueError, match="SQLite file"):
        seed("postgresql://host/db")
