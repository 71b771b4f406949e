"""A Kustomer that misbehaves all the time: many faults at once, each by chance, while data and agents move on.

Tens of runs of companies, customers and an audience, of which some die or lose their lock; between them rows change,
tags and syncs are renamed; agents edit, merge and delete, also in the middle of a run. Then the weather clears, and
every record is compared with the warehouse, every edit of an agent with what they did.

    KUSTOMER_TEST_EXAMPLES=50 python -m pytest kustomer_pipeline_tests/laws/test_chaos.py

tries that many seeds instead of the few of a usual run.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kustomer_pipeline.kustomer import KustomerError
from kustomer_pipeline.sync import AudienceSpec, ObjectSpec, RemovalLimit, RunOptions, StateStore, SyncReport, run_sync
from kustomer_pipeline.sync.state import LockLostError
from kustomer_pipeline_tests import oracle
from kustomer_pipeline_tests.simulated import InProcess
from kustomer_pipeline_tests.world import World, audience, companies, customers

SEEDS = int(os.environ.get("KUSTOMER_TEST_EXAMPLES", "3"))  # read here: the tests see no KUSTOMER_ variable
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
    "batches_shape": (["registry", "list", "data", "attributes", "list_attributes", "paged"], 0.7),
    "batches_limit": ([1], 0.5),
    "batches_not_found": ([None], 0.5),
    "results_missing": ([1, 5, 100], 0.4),
    "results_shuffled": ([None], 1.0),
    "item_error_object": ([None], 0.5),
    "bulk_unlink_company": ([None], 1.0),
    "item_form_refused": ([None], 0.7),
    "untag_refused": ([None], 0.7),
    "merged_source": (["deleted"], 0.5),
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
# Without `rev` nobody can see that an agent came in between: their edit may be lost (docs/kustomer.md section 7.5).
AGENTS = {"agent_edit_after_read", "agent_touch_after_read"}
NOBODY: dict[str, Any] = dict.fromkeys(["id", "email", "phone"])


class Chaos:
    """The org, its warehouse, and what the agents did."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.sandbox = world.sandbox
        self.chance = random.Random(seed)
        self.rows: dict[int, dict[str, Any]] = {}
        self.accounts: dict[str, str] = {}
        self.members: list[str | None] = []
        self.people = set(range(PEOPLE))  # without those who were merged into others
        self.again: set[int] = set()  # people of whom the warehouse will have to say more before they are right again
        self.accounts_again: set[str] = set()
        self.deleted: set[int] = set()  # people whose records agents deleted
        self.late_tags: set[str] = set()  # ids of records whose tag was written by a job that nobody waited for
        self.touched: set[str] = set()  # ids of records that were merged or deleted in the middle of the last run
        self.takes_rev = self.chance.random() < 0.7
        self.carried = {"customers", "vip"}  # names that syncs have run under: from these they can be renamed
        self.tag_name = "vip"
        self.tags: set[str] = set()  # ids of all tags that the audience ever had
        self.names: dict[str, tuple[str, str | None]] = {"customers": ("customers", None), "vip": ("vip", None)}
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
        for n in self.chance.sample(sorted(self.people), 25):
            self.rows[n] = self.a_row(n)
        for n in self.chance.sample(range(PEOPLE), 3):
            self.rows.pop(n, None)
        for k in range(ACCOUNTS):
            self.accounts[f"A-{k}"] = self.chance.choice([f"Company {k}", f"Company {k} Ltd", f"POISON {k}"])
        some = self.chance.sample(range(PEOPLE), self.chance.randrange(PEOPLE))
        self.members = [f"p{n}@example.com" for n in some]
        if self.chance.random() < 0.2:
            self.members.append(None)

    def a_row(self, n: int) -> dict[str, Any]:
        row = {
            "id": f"C-{n}",
            "email": self.chance.choice([f"p{n}@example.com", f"p{n}@example.com", f"p{n}.new@example.com"]),
            "phone": self.chance.choice([None, None, f"+4420718387{n:02}"]),
            "name": self.chance.choice([*(f"Person {n}", f"Person {n} the second") * 3, f"POISON {n}"]),
            "plan": self.chance.choice(["free", "pro"]),
            "account": self.chance.choice([None, f"A-{self.chance.randrange(ACCOUNTS)}"]),
        }
        return {**row, **NOBODY} if self.chance.random() < 0.02 else row

    def names_change(self) -> None:
        """A sync is renamed; so is the tag, in Kustomer and in the YAML, or in the YAML only."""
        for sync, (name, _) in self.names.items():
            if self.chance.random() < 0.05 and name in self.carried:
                self.names[sync] = (f"{name}+", name)
        if self.chance.random() < 0.1:
            name = self.chance.choice(["vip", "gold", "silver"])
            tag = oracle.tag_named(self.sandbox, self.tag_name)
            if tag is not None and self.chance.random() < 0.7:
                oracle.rename_tag(self.sandbox, tag, name)
            self.tag_name = name

    def the_agents_work(self) -> None:
        for id_ in self.chance.sample(list(self.sandbox.customers), 4):
            note = f"note {self.chance.random()}"
            self.sandbox.agent_edit(id_, custom={"noteStr": note}, gender="f")
            self.notes[id_] = note
        id_ = self.chance.choice(list(self.sandbox.customers))
        if id_ not in self.addresses:
            self.addresses[id_] = f"{id_}.{self.chance.randrange(1_000_000)}@agents.example.com"
            emails = [{"email": one["email"]} for one in self.sandbox.customers[id_]["emails"]]
            self.sandbox.agent_edit(id_, emails=[{"email": self.addresses[id_]}, *emails])

    def agents_merge(self) -> None:
        """Somebody into somebody else, by their rows; the warehouse does not have the former any more."""
        source, target = self.chance.sample(sorted(self.people), 2)
        records = oracle.customers_of(self.sandbox)
        held = [oracle.candidates({"id": f"C-{n}", "email": f"p{n}@example.com"}, records) for n in (source, target)]
        if not all(len(ids) == 1 for ids in held):
            return
        gone, kept = (ids.pop() for ids in held)
        too_many = any(len(oracle.held(records[one], "email")) > 4 for one in (gone, kept))
        another = oracle.held(records[gone], "id") and not oracle.held(records[kept], "id")
        if gone == kept or too_many or another:
            return
        self.sandbox.agent_merge(gone, kept)
        self.people.discard(source)
        self.rows.pop(source, None)
        self.again.add(target)
        self.touched |= {gone, kept}
        for notes in (self.notes, self.addresses):
            if gone in notes:
                notes.setdefault(kept, notes.pop(gone))

    def agents_delete(self) -> None:
        n = self.chance.choice(sorted(self.people))
        ids = oracle.candidates({"id": f"C-{n}", "email": f"p{n}@example.com"}, oracle.customers_of(self.sandbox))
        for id_ in ids:
            self.sandbox.agent_delete(id_)
            self.notes.pop(id_, None)
            self.addresses.pop(id_, None)
        self.again.add(n)
        self.deleted.add(n)
        self.touched |= ids

    def the_weather_changes(self) -> None:
        self.sandbox.faults.clear()
        for name, (values, probability) in WEATHER.items():
            if self.chance.random() < 1 / 3 and not (name in AGENTS and not self.takes_rev):
                self.sandbox.faults.set(name, self.chance.choice(values), probability=probability)
        self.org_is_as_it_is()
        if self.chance.random() < 0.5:
            self.jobs_go_on()

    def org_is_as_it_is(self) -> None:
        if not self.takes_rev:
            self.sandbox.faults.set("bulk_rev_refused")

    def jobs_go_on(self) -> None:
        """What a job writes that nobody waits for any more is a change like an agent's."""
        syncs = {"companies", *(name for names in self.names.values() for name in names if name)}
        late = oracle.forgotten_writes(self.sandbox, self.world.state_url, syncs)
        self.is_wrong_by_now({item["id"] for _, item in late})
        self.late_tags |= {item["id"] for _, item in late if "tags" in item}
        self.sandbox.release_jobs()

    def is_wrong_by_now(self, ids: set[str]) -> None:
        """The warehouse will have to say more of these records, before they can be as it says."""
        records = oracle.customers_of(self.sandbox)
        for n in range(PEOPLE):
            row = {"id": f"C-{n}", "email": f"p{n}@example.com"}
            if ids & oracle.candidates(row, records):
                self.again.add(n)
        self.accounts_again |= {one["externalId"] for id_, one in self.sandbox.companies.items() if id_ in ids}
        for id_ in ids & self.addresses.keys():
            del self.addresses[id_]

    @contextmanager
    def agents_in_mid_run(self) -> Iterator[None]:
        """At some request of this run, or at none. Without `rev`, what a merge joins would be written over."""
        what = self.chance.choice([None, None, self.agents_delete, self.agents_merge, self.lose_the_lock])
        if what == self.agents_merge and not self.takes_rev:
            what = None
        at, number = self.chance.randrange(1, 40), 0

        def hook(_: Any) -> None:
            nonlocal number
            number += 1
            if number == at and what is not None:
                what()

        self.sandbox.hooks.before.append(hook)
        try:
            yield
        finally:
            self.sandbox.hooks.before.remove(hook)

    def lose_the_lock(self) -> None:
        oracle.lose_lock(self.world.state_url)

    # --- runs ---------------------------------------------------------------------------------------------------

    @property
    def customers(self) -> ObjectSpec:
        name, former = self.names["customers"]
        return customers(name=name, renamed_from=former, fields=oracle.FIELDS, match_on=("externalId", "email"))

    @property
    def mirror(self) -> AudienceSpec:
        name, former = self.names["vip"]
        return audience(name=name, renamed_from=former, tag=self.tag_name, max_removals=RemovalLimit(share=1.0))

    def run(
        self, spec: ObjectSpec | AudienceSpec, rows: list[dict[str, Any]], death: int | None, **options: Any
    ) -> SyncReport | None:
        self.touched = set()
        fuse = oracle.Fuse(death, transport=InProcess(self.sandbox.app, self.world.clock))
        try:
            with (
                self.world.client(transport=fuse) as client,
                StateStore.open(self.world.state_url, clock=self.world.clock) as state,
                fuse.lit(),
                self.history.of_run(),
            ):
                given = RunOptions("run", **options)
                report = self.world.compared(
                    spec,
                    rows,
                    state,
                    lambda mapped, rest: run_sync(spec, mapped, client=client, state=state, options=given, rest=rest),
                    everything=given.full_resync,
                )
        except KustomerError:
            return None
        except oracle.Died:
            self.deaths += 1
            self.world.clock.advance(5)  # jobs last two seconds: what was sent is done when the next run begins
            return None
        if isinstance(report.interrupted, LockLostError):
            self.deaths += 1
            self.world.clock.advance(5)
        self.carried.add(spec.name)
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
        self.names_change()
        self.the_agents_work()
        if self.chance.random() < 0.3:
            self.chance.choice([self.agents_merge, self.agents_delete])()
        self.the_weather_changes()
        self.ever += self.rows.values()
        self.sent = list(self.rows.values())
        death = self.chance.choice([None, None, None, None, -1, -2, self.chance.randrange(1, 150)])
        what = self.chance.choice(["companies", "customers", "customers", "audience"])
        with self.agents_in_mid_run():
            if what == "companies":
                self.run(companies(), self.company_rows, death)
            elif what == "customers":
                self.is_true(self.run(self.customers, self.sent, death))
            else:
                self.run(self.mirror, self.member_rows, death)
        self.only_mapped_changed()
        oracle.nobody_twice(self.sandbox)

    def only_mapped_changed(self) -> None:
        self.tags |= {oracle.tag_named(self.sandbox, self.tag_name) or ""} - {""}
        self.history.only_mapped_changed(self.ever, self.tags)
        self.is_wrong_by_now(self.history.overwritten)
        self.history.overwritten.clear()

    def is_true(self, report: SyncReport | None) -> None:
        """What the report says has landed is there."""
        if report is None:
            return
        records, accounts = oracle.customers_of(self.sandbox), oracle.companies_by_external_id(self.sandbox)
        drifted = self.touched | self.history.overwritten
        changed = {id_ for n in self.again for id_ in oracle.candidates({"id": f"C-{n}"}, records)}
        for row, line in zip(self.sent, report.rows.itertuples(), strict=True):
            id_ = str(line.kustomer_id)
            exempt = id_ in drifted or (line.outcome == "unchanged" and (id_ in changed or id_ not in records))
            if line.outcome in ("created", "updated", "unchanged") and not exempt:
                assert not oracle.differences(row, records[id_], accounts), (row, line)

    # --- the end ------------------------------------------------------------------------------------------------

    def the_weather_clears(self) -> None:
        self.sandbox.faults.clear()
        self.jobs_go_on()
        self.world.clock.advance(20_000)
        self.the_warehouse_has_the_last_word()
        last = {}
        for _ in range(2):
            oracle.hours_pass(self.world.state_url)
            last["companies"] = self.in_peace(companies(), self.company_rows)
            last["customers"] = self.in_peace(self.customers, list(self.rows.values()))
            last["vip"] = self.in_peace(self.mirror, self.member_rows)
            self.members += [f"p{n}@example.com" for n in self.deleted]  # they are somebody else by now
            self.deleted.clear()
        assert Counter(unchanged=len(self.rows)) == Counter(last["customers"].rows["outcome"])
        self.in_peace(self.mirror, self.member_rows, clean_up=True)
        self.sandbox.clear_requests()
        self.in_peace(self.customers, list(self.rows.values()))
        self.in_peace(companies(), self.company_rows)
        self.in_peace(self.mirror, self.member_rows)
        assert 3 == self.sandbox.units(), [(one.method, one.path) for one in self.sandbox.requests]

    def the_warehouse_has_the_last_word(self) -> None:
        """Nobody is nobody any more; and it says something new of those whom agents, or late jobs, have changed."""
        for n, row in self.rows.items():
            if row["id"] is None:
                self.rows[n] = {**self.a_row(n), "id": f"C-{n}", "email": f"p{n}@example.com"}
            if n in self.again:
                self.rows[n] = {**self.rows[n], "plan": "the last word"}
        for id_ in self.accounts_again:
            self.accounts[id_] += ", the last word"
        some = self.chance.sample(sorted(self.people - self.deleted), PEOPLE // 3)
        self.members = [f"p{n}@example.com" for n in some]
        self.ever += self.rows.values()

    def in_peace(self, spec: ObjectSpec | AudienceSpec, rows: list[dict[str, Any]], **options: Any) -> SyncReport:
        self.org_is_as_it_is()
        report = self.run(spec, rows, None, **options)
        assert report is not None
        assert report.interrupted is None
        counts = report.counts
        assert 0 == counts.rejected + counts.invalid + counts.deferred, report.rows["reason"].dropna().unique()
        assert 0 == report.read_back.drifted, report.read_back
        return report

    def everything_is_as_it_should_be(self) -> None:
        oracle.nobody_twice(self.sandbox)
        self.only_mapped_changed()
        records, accounts = oracle.customers_of(self.sandbox), oracle.companies_by_external_id(self.sandbox)
        assert self.accounts == {one["externalId"]: one["name"] for one in self.sandbox.companies.values()}
        for row in self.rows.values():
            found = oracle.candidates(row, records)
            assert 1 == len(found), (row, found)
            assert not oracle.differences(row, records[found.pop()], accounts), row
        vip = oracle.tag_named(self.sandbox, self.tag_name)
        for id_, one in records.items():
            member = bool(oracle.held(one, "email") & {*self.members})
            assert member is (vip in one["tags"]) or id_ in self.late_tags, (id_, member)
            assert not (self.tags - {vip}) & {*one["tags"]} or id_ in self.late_tags, (id_, one["tags"])
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
