"""A Kustomer that misbehaves all the time: many faults at once, each by chance, while data and agents move on.

Tens of runs of companies, customers and an audience, of which some die; between them rows change. Then the weather
clears, and every record is compared with the warehouse, every edit of an agent with what they did.

    KUSTOMER_TEST_EXAMPLES=50 python -m pytest kustomer_pipeline_tests/laws/test_chaos.py

tries that many seeds instead of the few of a usual run.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from kustomer_pipeline.kustomer import KustomerError
from kustomer_pipeline.sync import AudienceSpec, ObjectSpec, RemovalLimit, RunOptions, StateStore, SyncReport, run_sync
from kustomer_pipeline_tests import oracle
from kustomer_pipeline_tests.simulated import InProcess
from kustomer_pipeline_tests.world import World, audience, companies, customers, frame_of

SEEDS = int(os.environ.get("KUSTOMER_TEST_EXAMPLES", "4"))  # read here: the tests see no KUSTOMER_ variable
RUNS = 30
PEOPLE = 70
ACCOUNTS = 6

# fault → values to choose from, and the chance that it fires for a request; each is switched on in a third of the runs.
WEATHER: dict[str, tuple[list[Any], float]] = {
    "drop_before": ([None], 0.05),
    "drop_after": ([None], 0.08),
    "gateway_error_before": ([502, 503], 0.05),
    "gateway_error_after": ([502, 504], 0.08),
    "too_many_requests": ([None], 0.05),
    "job_stuck": ([None], 0.3),
    "job_polls": ([1, 4], 0.5),
    "batch_size": ([1, 7], 0.5),
    "batches_shape": (["list", "data", "attributes", "list_attributes", "paged"], 0.7),
    "batches_not_found": ([None], 0.5),
    "results_missing": ([1, 5, 100], 0.4),
    "results_shuffled": ([None], 1.0),
    "item_error_object": ([None], 0.5),
    "bulk_unlink_company": ([None], 1.0),
    "multi_get_refused": ([400, 404, 414], 0.3),
    "multi_get_limit": ([3, 20], 0.5),
    "multi_get_missing_404": ([None], 1.0),
    "companies_multi_get": ([None], 0.5),
    "search_lag": ([30.0, 10_000.0], 1.0),
    "search_in_refused": ([None], 1.0),
    "search_in_ignored": ([None], 1.0),
    "search_or_limit": ([1, 10], 1.0),
    "search_exact": ([None], 1.0),
    "search_forbidden": ([None], 0.5),
    "agent_touch_after_read": ([None], 0.3),
    "agent_edit_after_read": (["angry"], 0.3),
    "list_item_extras": ([None], 0.5),
    "error_envelope": (["A", "B"], 0.5),
    "error_not_json": ([None], 0.3),
    "error_status_text": ([None], 0.5),
    "rate_headers_missing": ([None], 0.5),
    "rate_reset": (["seconds", "milliseconds", "wait", "none"], 0.5),
    "retry_after": (["seconds", "date"], 0.5),
    "others_spend": ([1, 40], 0.5),
    "body_limit": ([2_000, 400_000], 0.5),
    "role_removed": ([None], 0.02),
    "unauthorized": ([None], 0.01),
}
MIRROR = audience(max_removals=RemovalLimit(share=1.0))
CUSTOMERS = customers(fields=oracle.FIELDS, match_on=("externalId", "email"))


class Chaos:
    """The org, its warehouse, and what the agents did."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.sandbox = world.sandbox
        self.chance = random.Random(seed)
        self.rows: dict[int, dict[str, Any]] = {}
        self.accounts: dict[str, str] = {}
        self.members: list[str] = []
        self.ever: list[dict[str, Any]] = []
        self.notes: dict[str, str] = {}
        self.addresses: dict[str, str] = {}
        self.outcomes: Counter[str] = Counter()
        self.history = oracle.History(self.sandbox)
        self.deaths = 0
        for n in self.chance.sample(range(PEOPLE), 20):
            emails = [{"email": f"P{n}@example.com"}, {"email": f"p{n}.new@example.com"}]
            by: dict[str, Any] = self.chance.choice([{"externalId": f"C-{n}"}, {"emails": emails}])
            self.sandbox.seed_customer(**by, locale="fr")

    # --- what goes on between runs ------------------------------------------------------------------------------

    def the_warehouse_moves(self) -> None:
        for n in self.chance.sample(range(PEOPLE), 25):
            phone = self.chance.choice([None, None, f"+4420718387{n:02}"])
            account = self.chance.choice([None, f"A-{self.chance.randrange(ACCOUNTS)}"])
            self.rows[n] = {
                "id": f"C-{n}",
                "email": self.chance.choice([f"p{n}@example.com", f"p{n}@example.com", f"p{n}.new@example.com"]),
                "phone": phone,
                "name": self.chance.choice([f"Person {n}", f"Person {n} the second"]),
                "plan": self.chance.choice(["free", "pro"]),
                "account": account,
            }
        for n in self.chance.sample(range(PEOPLE), 3):
            self.rows.pop(n, None)
        for k in range(ACCOUNTS):
            self.accounts[f"A-{k}"] = self.chance.choice([f"Company {k}", f"Company {k} Ltd"])
        some = self.chance.sample(range(PEOPLE), self.chance.randrange(PEOPLE))
        self.members = [f"p{n}@example.com" for n in some]

    def the_agents_work(self) -> None:
        for id_ in self.chance.sample(list(self.sandbox.customers), 4):
            note = f"note {self.chance.random()}"
            self.sandbox.agent_edit(id_, custom={"noteStr": note}, gender="f")
            self.notes[id_] = note
        id_ = self.chance.choice(list(self.sandbox.customers))
        if id_ not in self.addresses:
            self.addresses[id_] = f"{id_}@agents.example.com"
            emails = [{"email": one["email"]} for one in self.sandbox.customers[id_]["emails"]]
            self.sandbox.agent_edit(id_, emails=[{"email": self.addresses[id_]}, *emails])

    def the_weather_changes(self) -> None:
        self.sandbox.faults.clear()
        for name, (values, probability) in WEATHER.items():
            if self.chance.random() < 1 / 3:
                self.sandbox.faults.set(name, self.chance.choice(values), probability=probability)
        if self.chance.random() < 0.5:
            self.sandbox.release_jobs()

    # --- runs ---------------------------------------------------------------------------------------------------

    def run(self, spec: ObjectSpec | AudienceSpec, rows: list[dict[str, Any]], death: int | None) -> SyncReport | None:
        fuse = oracle.Fuse(death, transport=InProcess(self.sandbox.app, self.world.clock))
        try:
            with (
                self.world.client(transport=fuse) as client,
                StateStore.open(self.world.state_url, clock=self.world.clock) as state,
                fuse.lit(),
            ):
                mapped = spec.map(frame_of(spec, rows))
                report = run_sync(spec, mapped, client=client, state=state, options=RunOptions("run"))
        except KustomerError:
            return None
        except oracle.Died:
            self.deaths += 1
            self.world.clock.advance(5)  # jobs last two seconds: what was sent is done when the next run begins
            return None
        assert report.adds_up
        self.outcomes.update(report.rows["outcome"])
        return report

    @property
    def company_rows(self) -> list[dict[str, Any]]:
        return [{"id": id_, "name": name} for id_, name in self.accounts.items()]

    @property
    def member_rows(self) -> list[dict[str, Any]]:
        return [{"email": email} for email in self.members]

    def bad_day(self) -> None:
        self.the_warehouse_moves()
        self.the_agents_work()
        self.the_weather_changes()
        self.ever += self.rows.values()
        death = self.chance.choice([None, None, None, None, -1, -2, self.chance.randrange(1, 150)])
        what = self.chance.choice(["companies", "customers", "customers", "audience"])
        if what == "companies":
            self.run(companies(), self.company_rows, death)
        elif what == "customers":
            self.is_true(self.run(CUSTOMERS, list(self.rows.values()), death))
        else:
            self.run(MIRROR, self.member_rows, death)
        self.history.only_mapped_changed(self.ever, next(iter(self.tag("vip")), None))
        oracle.nobody_twice(self.sandbox)

    def is_true(self, report: SyncReport | None) -> None:
        """What the report says has landed is there."""
        if report is None:
            return
        records, accounts = oracle.customers_of(self.sandbox), oracle.companies_by_external_id(self.sandbox)
        for row, line in zip(self.rows.values(), report.rows.itertuples(), strict=True):
            if line.outcome in ("created", "updated", "unchanged"):
                assert not oracle.differences(row, records[str(line.kustomer_id)], accounts), (row, line)

    def tag(self, name: str) -> list[str]:
        return [id_ for id_, tag in self.sandbox.tags.items() if tag["name"] == name]

    # --- the end ------------------------------------------------------------------------------------------------

    def the_weather_clears(self) -> None:
        self.sandbox.faults.clear()
        self.sandbox.release_jobs()
        self.world.clock.advance(20_000)
        last = {}
        for _ in range(2):
            oracle.hours_pass(self.world.state_url)
            for spec, rows in ((companies(), self.company_rows), (CUSTOMERS, list(self.rows.values()))):
                last[spec.name] = self.in_peace(spec, rows)
            last["vip"] = self.in_peace(MIRROR, self.member_rows)
        assert Counter(unchanged=len(self.rows)) == Counter(last["customers"].rows["outcome"])
        self.sandbox.clear_requests()
        self.in_peace(CUSTOMERS, list(self.rows.values()))
        self.in_peace(companies(), self.company_rows)
        self.in_peace(MIRROR, self.member_rows)
        assert 3 == self.sandbox.units(), [(one.method, one.path) for one in self.sandbox.requests]

    def in_peace(self, spec: ObjectSpec | AudienceSpec, rows: list[dict[str, Any]]) -> SyncReport:
        report = self.run(spec, rows, None)
        assert report is not None
        assert report.interrupted is None
        counts = report.counts
        assert 0 == counts.rejected + counts.invalid + counts.deferred, report.rows["reason"].dropna().unique()
        assert 0 == report.read_back.drifted, report.read_back
        return report

    def everything_is_as_it_should_be(self) -> None:
        oracle.nobody_twice(self.sandbox)
        self.history.only_mapped_changed(self.ever, self.tag("vip")[0])
        records, accounts = oracle.customers_of(self.sandbox), oracle.companies_by_external_id(self.sandbox)
        assert self.accounts == {one["externalId"]: one["name"] for one in self.sandbox.companies.values()}
        for row in self.rows.values():
            found = oracle.candidates(row, records)
            assert 1 == len(found), (row, found)
            assert not oracle.differences(row, records[found.pop()], accounts), row
        vip = self.tag("vip")[0]
        assert {id_ for id_, one in records.items() if oracle.held(one, "email") & set(self.members)} == {
            id_ for id_, one in records.items() if vip in one["tags"]
        }
        for id_, note in self.notes.items():
            assert (note, "f") == (records[id_]["custom"]["noteStr"], records[id_]["gender"])
        for id_, address in self.addresses.items():
            assert address in oracle.held(records[id_], "email")


def chaos(state_url: str, seed: int) -> None:
    with World(state_url, job_seconds=2.0, seed=seed) as world:
        here = Chaos(world, seed)
        for _ in range(RUNS):
            here.bad_day()
        here.the_weather_clears()
        here.everything_is_as_it_should_be()
        assert here.deaths
        assert {"created", "updated", "unchanged", "deferred"} <= here.outcomes.keys()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_after_any_weather_everything_is_as_the_warehouse_says(tmp_path: Path, seed: int) -> None:
    chaos(f"sqlite:///{tmp_path / 'state.db'}", seed)


def test_after_any_weather_with_the_state_in_postgresql(postgres_url: str) -> None:
    chaos(postgres_url, SEEDS)
