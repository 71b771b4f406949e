"""The warehouse of the demo: a small business in one SQLite file, the same on every machine.

    companies       40 accounts
    customers       2,000 people, most of them with a company; about 2 in 100 have something wrong with them
    vip_customers   150 e-mail addresses, some of them unknown

It has what real tables have: leading zeros in ids, e-mail addresses in mixed case and with spaces around
them, numbers kept as text, phone numbers in every notation, names in every script. Nobody in it exists: the
addresses end in example.com, .net or .org, and the phone numbers are of the ranges reserved for fiction.
"""

from __future__ import annotations

import random
import sqlite3
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from .names import COMPANY_NAMES, FIRST_NAMES, LAST_NAMES, OTHER_NAMES

CUSTOMERS = 2_000
VIPS = 150

_TABLES = """
    create table companies (
        account_id text primary key, name text not null, domain text, employees integer,
        updated_at text not null);
    create table customers (
        customer_id text primary key, full_name text, email text, mobile text, account_id text, plan text,
        ltv text, is_subscribed integer, signed_up_at text, updated_at text not null);
    create table vip_customers (email text primary key, updated_at text not null);
"""

# What is wrong with whom: positions in the table, far enough apart to show up on different pages.
_NO_EMAIL = range(40, CUSTOMERS, 200)
_DUPLICATE_EMAIL = range(90, CUSTOMERS, 200)  # has the address of the person before
_BAD_PHONE = range(140, CUSTOMERS, 250)
_LONG_NAME = 777
_BAD_LTV = 1_234

_BAD_PHONES = ("none", "12345", "ask the office", "+44", "000000", "07700 90", "??", "+999 123456789")

# The ranges for use in fiction: mobile numbers, and numbers in London. Mobile ones with their country, because without
# it a number has to be in use somewhere, which these are not.
_MOBILE = ("+447700900", "+44 7700 900", "+44-7700-900-", "+44 7700 900 ", "+44 (0)7700 900")
_LANDLINE = ("+44207946", "020 7946 ", "(020) 7946-", "+44 20 7946 ")


@dataclass(frozen=True)
class Edit:
    """What `edit` has changed, to be shown to whoever watches the demo."""

    new_customer: str
    upgraded: tuple[str, ...]
    left_vips: str
    joined_vips: str


def seed(url_or_path: str | Path) -> Path:
    """Write the warehouse, in place of what these three tables hold; returns the path of the file."""
    path = _path(url_or_path)
    path.parent.mkdir(parents=True, exist_ok=True)
    chance = random.Random(1042)
    companies = list(_companies(chance))
    customers = list(_customers(chance, companies))
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in ("companies", "customers", "vip_customers"):
            connection.execute(f"drop table if exists {table}")
        for statement in filter(str.strip, _TABLES.split(";")):
            connection.execute(statement)
        connection.executemany("insert into companies values (?, ?, ?, ?, ?)", companies)
        connection.executemany("insert into customers values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", customers)
        connection.executemany("insert into vip_customers values (?, ?)", _vips(chance, customers))
    return path


def edit(url_or_path: str | Path) -> Edit:
    """A day at the business: a customer signs up, three take a better plan, one VIP leaves and one joins.

    May be repeated: the next day somebody else does.
    """
    with closing(sqlite3.connect(_path(url_or_path))) as connection, connection:
        (last,) = _column(
            connection,
            "select max(updated_at) from (select updated_at from customers union select updated_at from vip_customers)",
        )
        now = str(datetime.fromisoformat(last) + timedelta(hours=1))
        return Edit(
            new_customer=_sign_up(connection, now),
            upgraded=_upgrade(connection, now),
            left_vips=_leave_vips(connection),
            joined_vips=_join_vips(connection, now),
        )


# Customers with nothing wrong: those without a phone number, and with an address of their own.
_SOUND = """from customers where mobile is null and length(full_name) < 100 and ltv not like '%,%'
    and lower(trim(email)) in (select lower(trim(email)) from customers group by 1 having count(*) = 1)"""
_MEMBERS = "(select lower(trim(email)) from vip_customers)"


def _sign_up(connection: sqlite3.Connection, now: str) -> str:
    (count,) = connection.execute("select count(*) from customers").fetchone()
    customer_id, name = f"{count + 1:06d}", f"Robin Newcomer {count + 1}"
    email = f"robin.newcomer.{count + 1}@example.org"
    connection.execute(
        "insert into customers values (?, ?, ?, null, '0001001', 'free', '0', 1, ?, ?)",
        (customer_id, name, email, now, now),
    )
    return customer_id


def _upgrade(connection: sqlite3.Connection, now: str) -> tuple[str, ...]:
    customer_ids = _column(connection, f"select customer_id {_SOUND} and plan = 'free' order by rowid limit 3")
    connection.executemany(
        "update customers set plan = 'pro', updated_at = ? where customer_id = ?",
        [(now, customer_id) for customer_id in customer_ids],
    )
    return tuple(customer_ids)


def _leave_vips(connection: sqlite3.Connection) -> str:
    (email,) = _column(
        connection,
        f"select email from vip_customers where lower(email) in (select lower(trim(email)) {_SOUND}) "
        "order by updated_at, email limit 1",
    )
    connection.execute("delete from vip_customers where email = ?", (email,))
    return email


def _join_vips(connection: sqlite3.Connection, now: str) -> str:
    (email,) = _column(
        connection,
        f"select lower(trim(email)) {_SOUND} and lower(trim(email)) not in {_MEMBERS} order by rowid limit 1 offset 9",
    )
    connection.execute("insert into vip_customers values (?, ?)", (email, now))
    return email


def _path(url_or_path: str | Path) -> Path:
    text = str(url_or_path).removeprefix("sqlite:///")
    if "://" in text:
        raise ValueError("the demo's warehouse is a SQLite file: give its path, or sqlite:////path/to/file.db")
    return Path(text)


def _column(connection: sqlite3.Connection, query: str) -> list[str]:
    return [value for (value,) in connection.execute(query)]


def _companies(chance: random.Random) -> Iterator[tuple[str, str, str, int | None, str]]:
    for number, name in enumerate(COMPANY_NAMES, start=1001):
        employees = None if number % 10 == 0 else chance.choice((4, 12, 35, 80, 240, 1_100))
        yield f"{number:07d}", name, f"{_ascii(name)}.example.com", employees, _moment(chance, 2025)


def _customers(
    chance: random.Random, companies: list[tuple[str, str, str, int | None, str]]
) -> Iterator[tuple[str | int | None, ...]]:
    phones = _phones(chance)
    taken: dict[str, int] = {}
    email: str | None = None
    for position in range(CUSTOMERS):
        company = chance.choice(companies) if chance.random() < 0.85 else None
        if position % 250 == 20:
            name = OTHER_NAMES[position // 250 % len(OTHER_NAMES)]
            local = f"guest{position}"
        else:
            first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
            name, local = f"{first} {last}", f"{_ascii(first)}.{_ascii(last)}"
        domain = company[2] if company else chance.choice(("example.com", "example.net", "example.org"))
        address = f"{local}@{domain}"
        taken[address] = taken.get(address, 0) + 1
        if taken[address] > 1:
            address = f"{local}{taken[address]}@{domain}"
        if position not in _DUPLICATE_EMAIL:  # who has the address of the person before
            email = _as_typed(chance, address)
        mobile = next(phones) if chance.random() < 0.7 else None
        ltv = chance.choice(("", "0", f"{chance.random() * 900:.2f}", f" {chance.random() * 9_000:.2f} "))
        yield (
            f"{position + 1:06d}" if position % 3 else f"C-{20_000 + position}",
            "Long Name " * 30 if position == _LONG_NAME else name,
            None if position in _NO_EMAIL else email,
            _BAD_PHONES[position // 250] if position in _BAD_PHONE else mobile,
            company[0] if company else None,
            chance.choices(("free", "pro", "enterprise"), weights=(70, 25, 5))[0],
            "1,234.00" if position == _BAD_LTV else ltv,
            chance.choice((0, 1, 1, None)),
            _moment(chance, chance.randint(2021, 2024)),
            _moment(chance, 2025),
        )


def _vips(chance: random.Random, customers: list[tuple[str | int | None, ...]]) -> Iterator[tuple[str, str]]:
    for number in range(5):
        yield f"stranger{number}@example.org", _moment(chance, 2025)
    members = {str(email).strip().lower() for _, _, email, *_ in customers if email is not None}
    for email in chance.sample(sorted(members), VIPS - 5):
        yield _as_typed(chance, email).strip(), _moment(chance, 2025)


def _phones(chance: random.Random) -> Iterator[str]:
    """Numbers that are valid, each one once, in the notations that people use."""
    mobiles, landlines = list(range(1_000)), list(range(1_000))
    chance.shuffle(mobiles)
    chance.shuffle(landlines)
    for mobile, landline in zip(mobiles, landlines, strict=True):
        yield f"{chance.choice(_MOBILE)}{mobile:03d}"
        yield f"{chance.choice(_LANDLINE)}{landline:04d}"


def _as_typed(chance: random.Random, email: str) -> str:
    return chance.choice((email, email, email, email.title(), email.upper(), f" {email}", f"{email} "))


def _moment(chance: random.Random, year: int) -> str:
    return str(datetime(year, 1, 1) + timedelta(seconds=chance.randrange(300 * 86_400)))


def _ascii(text: str) -> str:
    """The letters of a name that an address can have: Łukasz → lukasz."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(str.maketrans("łøıß", "lois")))
    return "".join(letter for letter in plain if letter.isascii() and letter.isalnum())
