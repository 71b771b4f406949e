"""`make bench`: API units per record, and what a run of a million unchanged rows takes.

python -m kustomer_pipeline_tests.bench                   both
python -m kustomer_pipeline_tests.bench units --rows 5000
python -m kustomer_pipeline_tests.bench unchanged --rows 1000000
"""

from __future__ import annotations

import argparse
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from kustomer_pipeline.kustomer import KustomerClient
from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sandbox import Sandbox
from kustomer_pipeline.sync import ObjectSpec, RunOptions, StateStore, run_sync
from kustomer_pipeline.sync.changes import fingerprints
from kustomer_pipeline.sync.remembered import RowState
from kustomer_pipeline.warehouse import open_engine, read_frame
from kustomer_pipeline_tests.world import World, audience, companies, customers, members, people

MODULE = "kustomer_pipeline_tests.bench"
AIMS = {"first load, all new": 0.05, "first load, all exist": 0.07, "update of known records": 0.06, "unchanged": 0.0}

MILLION = ObjectSpec(
    name="customers",
    object="customers",
    mode="upsert",
    match_on=("externalId", "email"),
    fields=(
        FieldMapping("externalId", ("customer_id",)),
        FieldMapping("email", ("email",)),
        FieldMapping("name", ("name",)),
        FieldMapping("phone", ("phone",)),
        FieldMapping("custom.planStr", ("plan",)),
        FieldMapping("custom.lifetimeValueNum", ("ltv",)),
        FieldMapping("custom.ordersNum", ("orders",)),
        FieldMapping("signedUpAt", ("signed_up_at",)),
        FieldMapping("custom.subscribedBool", ("subscribed",)),
        FieldMapping("custom.regionStr", ("region",)),
    ),
)


def units(rows: int) -> None:
    """Requests against the org's budget, per record, by kind of run."""
    print(f"API units per record, {rows:,} records (one more a run says which org it is)\n")
    print(f"  {'':<28}{'units':>8}{'per record':>12}{'aim':>8}")
    for search, faults in (("search with `in`", []), ("search with `or` only", ["search_in_refused"])):
        print(f"  {search}")
        with tempfile.TemporaryDirectory() as folder:
            for label, work in _kinds_of_run(rows):
                with World(f"sqlite:///{folder}/{abs(hash(label))}.db", job_seconds=5.0) as world:
                    for fault in faults:
                        world.sandbox.faults.set(fault)
                    work(world)
                    spent = world.sandbox.units() - 1
                    aim = next((aim for name, aim in AIMS.items() if label.startswith(name)), None)
                    print(f"    {label:<26}{spent:>8}{spent / rows:>12.4f}{'' if aim is None else aim:>8}")


def _kinds_of_run(rows: int) -> Iterator[tuple[str, Callable[[World], object]]]:
    def existing(world: World) -> None:
        for row in people(rows):
            world.sandbox.seed_customer(externalId=row["id"], emails=[{"email": row["email"]}])

    def all_exist(world: World) -> None:
        existing(world)
        world.run(customers(), people(rows))

    def updated(world: World) -> None:
        world.run(customers(), people(rows))
        world.run(customers(), people(rows, plan="pro"))

    def unchanged(world: World) -> None:
        world.run(customers(), people(rows))
        world.run(customers(), people(rows))

    def company_rows(world: World) -> None:
        world.run(companies(), [{"id": f"A-{n}", "name": f"Company {n}"} for n in range(rows)])

    def tagged(world: World) -> None:
        world.run(customers(), people(rows))
        world.run(audience(), members(rows))

    yield "first load, all new", lambda world: world.run(customers(), people(rows))
    yield "first load, all exist", all_exist
    yield "update of known records", updated
    yield "unchanged", unchanged
    yield "companies, all new", company_rows
    yield "audience, all to be tagged", tagged


def unchanged(rows: int) -> None:
    """A run in which nothing has changed: seconds by step, peak memory. In a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        for step in ("prepare", "measure"):
            subprocess.run([sys.executable, "-m", MODULE, step, "--rows", str(rows), "--folder", folder], check=True)


def prepare(rows: int, folder: Path) -> None:
    """A warehouse of that many rows, and a state in which all of them were accepted."""
    with closing(sqlite3.connect(folder / "warehouse.db")) as connection, connection:
        connection.execute(
            "create table customers (customer_id text, email text, name text, phone text, plan text, ltv real, "
            "orders integer, signed_up_at text, subscribed integer, region text)"
        )
        connection.executemany("insert into customers values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", _warehouse_rows(rows))
    mapped = MILLION.map(read_frame(open_engine(f"sqlite:///{folder}/warehouse.db"), "select * from customers"))
    prints = fingerprints(mapped, MILLION.signature)
    with StateStore.open(f"sqlite:///{folder}/state.db") as store:
        state = store.of("org", MILLION.name)
        keys = mapped["_key"].tolist()
        for start in range(0, rows, 50_000):
            part = range(start, min(start + 50_000, rows))
            state.remember("first", [RowState(keys[n], "accepted", int(prints[n]), f"{n:024x}") for n in part])


def _warehouse_rows(rows: int) -> Iterator[tuple[object, ...]]:
    for n in range(rows):
        yield (
            f"C{n:08d}",
            f"user{n}@example.com",
            f"Name {n}",
            f"+1202{n:07d}",
            "pro" if n % 3 else "free",
            n * 1.5,
            n % 17,
            f"2026-01-{n % 28 + 1:02d}T03:04:05Z",
            n % 2,
            f"region {n % 40}",
        )


def measure(rows: int, folder: Path) -> None:
    """Read, map, run; nothing has changed."""
    print(f"An unchanged run, {rows:,} rows of {len(MILLION.fields)} columns from SQLite\n")
    began = time.perf_counter()
    with _step("read the warehouse"):
        frame = read_frame(open_engine(f"sqlite:///{folder}/warehouse.db"), "select * from customers")
    with _step("map"):
        mapped = MILLION.map(frame)
    with Sandbox() as sandbox, StateStore.open(f"sqlite:///{folder}/state.db") as store:
        sandbox.state.org_id = "org"
        with KustomerClient(base_url=sandbox.url, api_key=sandbox.api_key) as client, _step("run"):
            report = run_sync(MILLION, mapped, client=client, state=store, options=RunOptions("bench"))
        assert report.counts.unchanged == rows, report.counts
        print(f"\n  all {time.perf_counter() - began:.1f} s, requests {sandbox.units()} (whose key is this)")


@contextmanager
def _step(name: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  {name:<20}{time.perf_counter() - began:>6.1f} s   peak memory so far {peak:,.0f} MB", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="?", choices=["all", "units", "unchanged", "prepare", "measure"], default="all")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args(arguments)
    if options.what in ("all", "units"):
        units(options.rows or 2_000)
        print()
    if options.what in ("all", "unchanged"):
        unchanged(options.rows or 1_000_000)
    if options.what == "prepare":
        prepare(options.rows, options.folder)
    if options.what == "measure":
        measure(options.rows, options.folder)


if __name__ == "__main__":
    main()
