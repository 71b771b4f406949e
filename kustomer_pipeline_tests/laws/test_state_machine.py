"""All laws at once: a state machine that does whatever warehouses, agents, networks and power cuts do, in any order.

Hypothesis draws the order: rows change, agents edit, merge and delete (also in the middle of a run), tags and syncs
are renamed, syncs run with faults in Kustomer, lose their lock or die in the middle, jobs are stuck, time passes. After
every step the org is compared with an oracle that shares no code with the engine (oracle.py).

    KUSTOMER_TEST_EXAMPLES=500 python -m pytest kustomer_pipeline_tests/laws/test_state_machine.py

runs that many examples instead of the few of a usual run, and other ones each time (a failure is printed as a test).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from kustomer_pipeline.kustomer import KustomerError
from kustomer_pipeline.sync import (
    AudienceSpec,
    ObjectSpec,
    ReasonCode,
    RemovalLimit,
    RunOptions,
    StateStore,
    SyncReport,
    plan_sync,
    run_sync,
)
from kustomer_pipeline.sync.state import LockLostError
from kustomer_pipeline.sync.state.tables import metadata
from kustomer_pipeline_tests import oracle
from kustomer_pipeline_tests.laws.undo_moves import Meanwhile, UndoMoves
from kustomer_pipeline_tests.oracle import Died, Fuse
from kustomer_pipeline_tests.simulated import InProcess
from kustomer_pipeline_tests.world import World, audience, companies, customers

EXAMPLES = int(os.environ.get("KUSTOMER_TEST_EXAMPLES", "0"))  # read here: the tests see no KUSTOMER_ variable
STEPS = 25
PEOPLE = 6
LANDED = {"created", "updated", "unchanged"}
TAGS = ["vip", "gold", "silver"]
MANY = 8  # a list of Kustomer's takes ten: nobody is merged who would have more identifiers of a kind

# How an org may be, from its first day to its last: where the documentation is silent (docs/kustomer.md section 12).
NATURES: list[tuple[str, Any]] = [
    ("bulk_unlink_company", None),
    ("bulk_unlink_company", None),
    ("batches_shape", "attributes"),
    ("batches_shape", "paged"),
    ("batches_limit", 1),
    ("batch_size", 2),
    ("job_polls", 2),
    ("body_limit", 1200),
    ("bulk_rev_refused", None),
    ("bulk_rev_refused", None),
    ("merged_source", "deleted"),
    ("results_shuffled", None),
    ("multi_get_refused", 404),
    ("multi_get_missing_404", None),
    ("deleted_company_hidden", None),
    ("search_lag", 30.0),
    ("search_in_ignored", None),
    ("search_or_limit", 1),
    ("search_forbidden", None),
    ("list_item_extras", None),
    ("rate_headers_missing", None),
    ("agent_edit_after_read", "agent"),
]

# What may be wrong with Kustomer during one run: fault, value, settings. Each alone is survivable, so all together are.
FAULTS: list[tuple[str, Any, dict[str, Any]]] = [
    *(
        (name, None, {"method": method, "times": times, "after": after})
        for name in ("drop_before", "drop_after", "gateway_error_before", "gateway_error_after")
        for method, times, after in (("POST", 1, 0), ("PUT", 1, 0), ("GET", 2, 1), (None, 1, 3), ("GET", None, 3))
    ),
    ("too_many_requests", None, {"times": 2, "after": 1}),
    ("role_removed", None, {"after": 3}),
    ("unauthorized", None, {"after": 4}),
    ("job_stuck", None, {"times": 1}),
    ("job_stuck", None, {"times": 2, "after": 1}),
    ("job_stuck", None, {}),
    ("job_polls", 3, {}),
    ("batch_size", 2, {}),
    ("batches_shape", "attributes", {}),
    ("batches_shape", "paged", {}),
    ("batches_shape", "list_attributes", {}),
    ("batches_limit", 1, {}),
    ("batches_not_found", None, {}),
    ("results_missing", 1, {}),
    ("results_missing", 9, {}),
    ("results_shuffled", None, {}),
    ("results_reversed", None, {}),
    ("item_error_object", None, {}),
    *(("item_form_refused", None, {}),) * 3,
    *(("untag_refused", None, {}),) * 2,
    ("bulk_unlink_company", None, {}),
    ("bulk_rev_refused", None, {}),
    ("rev_ignored", None, {}),
    ("multi_get_refused", 404, {}),
    ("multi_get_refused", 400, {}),
    ("multi_get_limit", 1, {}),
    ("multi_get_missing_404", None, {}),
    ("companies_multi_get", None, {}),
    ("deleted_company_hidden", None, {}),
    ("search_lag", 100_000.0, {}),
    ("search_lag", 30.0, {}),
    ("search_exact", None, {}),
    ("search_forbidden", None, {}),
    ("search_in_refused", None, {}),
    ("search_in_ignored", None, {}),
    ("search_or_limit", 1, {}),
    ("agent_edit_after_read", "agent", {"times": 2}),
    ("agent_touch_after_read", None, {"times": 2}),
    ("agent_touch_after_read", None, {}),
    ("masked", "phones", {}),
    ("list_item_extras", None, {}),
    ("error_envelope", "A", {}),
    ("error_not_json", None, {}),
    ("others_spend", 50, {}),
    ("rate_headers_missing", None, {}),
    ("custom_declared_only", None, {}),
]
# Without `rev` nobody can see that an agent came in between: their edit may be lost (docs/kustomer.md section 7.5).
NO_REV = {"rev_ignored", "bulk_rev_refused"}
AGENTS = {"agent_edit_after_read", "agent_touch_after_read"}
# A row that holds the text POISON is refused as such; these refuse others in the same words.
ALSO_OF_FORM = {"custom_declared_only", "bulk_rev_refused"}

faults = st.one_of(
    st.just([]), st.lists(st.sampled_from(FAULTS), min_size=1, max_size=3, unique_by=lambda fault: fault[0])
)
numbers = st.integers(0, PEOPLE - 1)
# None: it lives; below zero: right after Kustomer took its n-th job; else at its n-th moment.
deaths = st.one_of(st.none(), st.sampled_from([None, None, -1, -2]), st.integers(10, 70))
plans = st.sampled_from(["free", "pro"])
EDITS = [
    *("angry", "calm", "vip", "not vip", "touch", "note", "e-mail", "company", "name", "plan", "externalId"),
    "drops e-mail",
]
CREATES = ["creates by id", "creates by e-mail", "creates by phone"]
# What happens at the n-th request of a run: n, what, whose, of whom.
meanwhile: st.SearchStrategy[Meanwhile] = st.one_of(
    st.just([]),
    st.just([]),
    st.lists(
        st.tuples(
            st.integers(1, 12),
            st.sampled_from(["loses its lock", "merges", "merges", "deletes", "deletes", *EDITS, *CREATES]),
            numbers,
            numbers,
        ),
        min_size=1,
        max_size=2,
    ),
)


class Org(UndoMoves):
    """One org, its warehouse, its agents, its bad days."""

    def __init__(self) -> None:
        self.world = World(self.state_url, job_seconds=2.0).__enter__()
        self.sandbox = self.world.sandbox
        super().__init__()
        self.rows: dict[str, dict[str, Any]] = {}
        self.accounts: dict[str, str] = {}
        self.members: list[str | None] = []
        self.ever: list[dict[str, Any]] = []
        self.drifted: set[str] = set()  # ids of records in which agents changed what is mapped
        self.tag_drifted: set[str] = set()  # ids of records whose tag vip, or whose address, agents changed
        self.tag_moved: set[str] = set()  # ids of records that have the tag, or the address, of a merged one
        self.loose: set[str] = set()  # e-mail addresses that agents took from a record: they may be another's by now
        self.touched: set[str] = set()  # ids of records that changed in the middle of the last run, not by it
        self.gone: set[str] = set()  # ids of records that agents deleted or merged into others
        self.made: set[str] = set()  # ids of records that agents created
        self.tag_name = "vip"  # what the YAML says
        self.once: dict[str, set[str]] = {name: set() for name in TAGS}  # ids that the sync may have seen for a name
        self.tags: set[str] = set()  # ids of all tags that the audience ever had
        self.before: oracle.Records = {}
        self.names: dict[str, tuple[str, str | None]] = {"customers": ("customers", None), "vip": ("vip", None)}
        self.carried = {"customers": True, "vip": True}  # whether a renamed sync has said what its name was
        self.history = oracle.History(self.sandbox)
        self.natures: list[tuple[str, Any]] = []
        self.cleared = False  # whether a run ever had nulls: clear
        self.restless = False  # a lost job may still be waiting: what was true when it was looked at may not stay so
        self.runs = 0

    def teardown(self) -> None:
        try:
            self.settles()
        finally:
            self.world.__exit__()

    # --- the warehouse ------------------------------------------------------------------------------------------

    @initialize(
        known=st.integers(0, PEOPLE),
        natures=st.lists(st.sampled_from(NATURES), max_size=4, unique_by=lambda nature: nature[0]),
    )
    def begin(self, known: int, natures: list[tuple[str, Any]]) -> None:
        self.natures = natures
        self.sandbox.seed_tag("vip")
        self.angry = self.sandbox.seed_tag("angry")
        self.agents_company = self.sandbox.seed_company(name="The company that an agent linked")
        for n in range(PEOPLE):
            self.rows[f"{n}"] = self.new_row(n)
        for n in range(known):
            self.agent(n, n, "creates by e-mail" if n % 2 else "creates by id")
        for n in range(0, known, 2):
            self.agent(n, n, "note")
        self.members = [f"p{n}@example.com" for n in range(PEOPLE)]
        self.history.wrote.clear()
        self.events.all.clear()

    def new_row(self, n: int) -> dict[str, Any]:
        row = {"id": f"C-{n}", "email": f"p{n}@example.com", "phone": None, "name": f"Person {n}"}
        return {**row, "plan": "free", "account": None}

    @rule(plan=plans)
    def the_whole_table_changes(self, plan: str) -> None:
        """Back and forth: what was true once may become true again."""
        self.rows = {key: {**row, "plan": plan} for key, row in self.rows.items()}

    @rule(n=numbers, m=numbers, what=st.sampled_from(["put", "remove", "duplicate", "swap id", "swap email", "nobody"]))
    def a_row_comes_or_goes(self, n: int, m: int, what: str) -> None:
        one, other = self.rows.get(f"{n}"), self.rows.get(f"{m}")
        if what == "put":
            self.rows[f"{n}"] = self.new_row(n)
        elif what == "nobody":
            self.rows[f"{n}"] = {**self.new_row(n), "id": None, "email": None}
        elif what == "remove":
            self.rows.pop(f"{n}", None)
            self.rows.pop(f"{n} again", None)
        elif what == "duplicate" and one:
            self.rows[f"{n} again"] = {**one, "name": "The same again"}
        elif one and other:
            column = what.removeprefix("swap ")
            self.rows[f"{n}"], self.rows[f"{m}"] = ({**one, column: other[column]}, {**other, column: one[column]})

    @rule(
        n=numbers, column=st.sampled_from(["id", "email", "phone", "name", "plan", "account"]), value=st.integers(0, 3)
    )
    def a_cell_changes(self, n: int, column: str, value: int) -> None:
        """Value 0: null. E-mail addresses also get upper case, spaces, or are none; names, what Kustomer may refuse."""
        if f"{n}" in self.rows:
            values: dict[str, list[str | None]] = {
                "id": [None, f"C-{n}", f"C-{n}", f"D-{n}"],
                "email": [None, f" P{n}@Example.com", f"p{n}.new@example.com", "no address"],
                "phone": [None, f"+44207183870{n}", f"+44207183880{n}", f"+44207183870{(n + 1) % PEOPLE}"],
                "name": [None, f"Person {n}", "Somebody", f"POISON {n}"],
                "plan": [None, "free", "pro", "max"],
                "account": [None, "A-0", "A-1", "A-2"],
            }
            self.rows[f"{n}"] = {**self.rows[f"{n}"], column: values[column][value]}

    @rule(k=st.integers(0, 2), name=st.sampled_from(["0", "1", "POISON"]))
    def put_company(self, k: int, name: str) -> None:
        self.accounts[f"A-{k}"] = f"Company {k}.{name}"

    @rule(first=numbers, last=numbers, extra=st.booleans(), nobodies=st.sampled_from([0, 0, 0, 1, 2]))
    def put_members(self, first: int, last: int, extra: bool, nobodies: int = 0) -> None:
        self.members = [*(f"p{n}@example.com" for n in range(first, last + 1)), *["p0.agent@example.com"] * extra]
        self.members += [None] * nobodies

    # --- the YAML -----------------------------------------------------------------------------------------------

    @rule(
        name=st.sampled_from(TAGS), how=st.sampled_from(["in Kustomer and in the YAML", "in the YAML", "in Kustomer"])
    )
    def the_tag_is_renamed(self, name: str, how: str) -> None:
        """In both places it is the same audience; in one of them it is another tag."""
        if "Kustomer" in how and self.vip is not None:
            oracle.rename_tag(self.sandbox, self.vip, name)
        if "YAML" in how:
            self.tag_name = name

    @rule(sync=st.sampled_from(["customers", "vip"]), says_so=st.booleans())
    def a_sync_is_renamed(self, sync: str, says_so: bool) -> None:
        """Whether its file says renamed_from: at once, or only later."""
        name = self.names[sync][0]
        if not self.carried[sync]:
            self.names[sync] = (name, name.rpartition("+")[0])
        else:
            self.names[sync] = (f"{name}+", name if says_so else None)
            self.carried[sync] = False

    # --- the agents ---------------------------------------------------------------------------------------------

    @rule(n=numbers, m=numbers, what=st.sampled_from([*EDITS, *CREATES, "deletes", "merges", "merges"]))
    def agent(self, n: int, m: int, what: str) -> None:
        """What people do in Kustomer meanwhile. Notes which records are no longer as the warehouse says, and why."""
        ids = list(self.sandbox.customers)
        if what.startswith("creates"):
            self.agent_creates(n, what)
        elif ids:
            id_, other = ids[n % len(ids)], ids[m % len(ids)]
            if what == "touch":
                self.sandbox.touch(id_)
            elif what == "deletes":
                self.loose |= oracle.held(self.sandbox.customers[id_], "email")
                self.sandbox.agent_delete(id_)
                self.drifted.add(id_)
                self.gone.add(id_)
            elif what == "merges":
                if id_ != other:
                    self.agent_merges(id_, other)
            else:
                self.agent_edits(n, id_, what)

    def agent_creates(self, n: int, what: str) -> None:
        bodies: dict[str, dict[str, Any]] = {
            "creates by id": {"externalId": f"C-{n}"},
            "creates by e-mail": {"emails": [{"email": f"p{n}@example.com", "type": "home"}]},
            "creates by phone": {"phones": [{"phone": f"+44207183870{n}", "type": "mobile"}]},
        }
        row = self.new_row(n) if "phone" not in what else {"phone": f"+44207183870{n}"}
        if not oracle.candidates(row, oracle.customers_of(self.sandbox)):
            id_ = self.sandbox.seed_customer(**bodies[what], custom={"noteStr": "by an agent"}, locale="fr")
            self.tag_drifted.add(id_)
            self.made.add(id_)

    def agent_edits(self, n: int, id_: str, what: str) -> None:
        record = self.sandbox.customers[id_]
        emails = [{"email": one["email"]} for one in record["emails"]]
        fresh = {"email": f"p{n}.agent@example.com"}
        if what == "e-mail" and (len(emails) > MANY or oracle.candidates(fresh, oracle.customers_of(self.sandbox))):
            return
        tag = self.vip if "vip" in what else self.angry
        if tag is None:
            return
        others = [one for one in record["tags"] if one != tag]
        edits: dict[str, dict[str, Any]] = {
            "e-mail": {"emails": [*emails, fresh]},
            "drops e-mail": {"emails": emails[1:]},
            "note": {"custom": {"noteStr": f"{n}"}, "gender": "f", "company": self.agents_company},
            "company": {"company": self.agents_company},
            "name": {"name": "By an agent"},
            "plan": {"custom": {"planStr": "by an agent"}},
            "externalId": {"externalId": f"X-{id_}"},
            "angry": {"tags": [*others, tag]},
            "calm": {"tags": others},
            "vip": {"tags": [*others, tag]},
            "not vip": {"tags": others},
        }
        if what == "drops e-mail":
            self.loose |= oracle.held(record, "email")
        self.sandbox.agent_edit(id_, **edits[what])
        if what in ("note", "company", "name", "plan", "externalId", "drops e-mail"):
            self.drifted.add(id_)
        if what in ("e-mail", "drops e-mail", "vip", "not vip"):
            self.tag_drifted.add(id_)

    def agent_merges(self, source: str, target: str) -> None:
        """The source goes, its addresses, externalIds and tags are the target's from now on."""
        gone, kept = self.sandbox.customers[source], self.sandbox.customers[target]
        if any(len(oracle.held(gone, column) | oracle.held(kept, column)) > MANY for column in oracle.IDENTIFIERS):
            return
        self.sandbox.agent_merge(source, target)
        self.gone.add(source)
        self.drifted |= {source, target}
        self.tag_moved.add(target)
        if source in self.tag_drifted:
            self.tag_drifted.add(target)

    # --- time -----------------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1.0, 60.0, 4000.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.clock.advance(seconds)
        if seconds > 3600:
            oracle.hours_pass(self.state_url)

    @rule()
    def jobs_go_on(self) -> None:
        """What a job writes that nobody waits for any more is a change like an agent's."""
        syncs = {"companies", *(name for names in self.names.values() for name in names if name)}
        for kind, item in oracle.forgotten_writes(self.sandbox, self.state_url, syncs):
            self.drifted.add(item["id"])
            if kind == "customer" and "tags" in item:
                self.tag_drifted.add(item["id"])
        self.sandbox.release_jobs()

    # --- syncs ----------------------------------------------------------------------------------------------

    @property
    def frame(self) -> list[dict[str, Any]]:
        return list(self.rows.values())

    @property
    def account_rows(self) -> list[dict[str, Any]]:
        return [{"id": id_, "name": name} for id_, name in self.accounts.items()]

    @property
    def member_rows(self) -> list[dict[str, Any]]:
        return [{"email": email} for email in self.members]

    def spec(self, mode: Any = "upsert", nulls: Any = "keep") -> ObjectSpec:
        name, former = self.names["customers"]
        matches = ("externalId", "email")
        return customers(name=name, renamed_from=former, fields=oracle.FIELDS, match_on=matches, mode=mode, nulls=nulls)

    def audience(self, mode: Any = "mirror", scope: Any = "owned", share: float = 1.0) -> AudienceSpec:
        name, former = self.names["vip"]
        limit = RemovalLimit(share=share)
        return audience(
            name=name, renamed_from=former, tag=self.tag_name, mode=mode, mirror_scope=scope, max_removals=limit
        )

    @property
    def vip(self) -> str | None:
        """The id of the tag that has the audience's name now."""
        return oracle.tag_named(self.sandbox, self.tag_name)

    @property
    def vips(self) -> set[str]:
        """And of those that had it when the sync last looked: while nothing changes, it does not look."""
        return self.once[self.tag_name] | ({self.vip} if self.vip else set())

    def run(
        self,
        spec: ObjectSpec | AudienceSpec,
        rows: list[dict[str, Any]],
        death: int | None = None,
        meanwhile: Meanwhile = (),
        **options: Any,
    ) -> SyncReport | None:
        """One run. None: it died, or could not even begin."""
        self.runs += 1
        self.before = oracle.customers_of(self.sandbox)
        self.touched = set()
        self.sandbox.clear_requests()
        fuse = Fuse(death, transport=InProcess(self.sandbox.app, self.world.clock))
        self.begins(spec, run_id := f"run-{self.runs}")
        try:
            with (
                self.world.client(transport=fuse) as client,
                StateStore.open(self.state_url, clock=self.world.clock) as state,
                fuse.lit(),
                self.history.of_run(),
                self.at_requests(meanwhile),
            ):
                given = RunOptions(run_id, **options)
                report = self.world.compared(
                    spec,
                    rows,
                    state,
                    lambda mapped, rest: run_sync(spec, mapped, client=client, state=state, options=given, rest=rest),
                    everything=given.full_resync,
                )
        except KustomerError:
            assert not self.writes(), "an error instead of a report, although something was sent"
            return None
        except Died:
            self.died(run_id)
            self.stopped()
            return None
        finally:
            self.events.run = None
            self.follow_undos()
            self.ever_once()
            self.sandbox.faults.clear()
        if isinstance(report.interrupted, LockLostError):
            assert any(what == "loses its lock" for _, what, _, _ in meanwhile)
            self.died(run_id)
            self.stopped()
        for sync, (name, former) in self.names.items():
            self.carried[sync] |= name == spec.name and former is not None
        assert report.adds_up, report.counts
        assert len(rows) == report.counts.read
        return report

    def begins(self, spec: ObjectSpec | AudienceSpec, run_id: str) -> None:
        self.events.run = run_id
        self.can_be_undone.append(run_id)
        if isinstance(spec, AudienceSpec) and (spec.mode, spec.mirror_scope) == ("mirror", "owned"):
            self.owned_mirrors.add(run_id)

    def ever_once(self) -> None:
        if self.vip:
            self.once[self.tag_name].add(self.vip)
            self.tags.add(self.vip)

    def stopped(self) -> None:
        """In its middle. Every other time the next run begins before the jobs that were lost are done."""
        self.restless = self.runs % 2 == 1 and not self.no_rev
        self.world.clock.advance(0 if self.restless else 5)

    @property
    def no_rev(self) -> bool:
        return bool(NO_REV & {*self.sandbox.faults, *(name for name, _ in self.natures)})

    @contextmanager
    def at_requests(self, meanwhile: Meanwhile) -> Iterator[None]:
        """What people do at the n-th request of a run, before it is worked on; but see NO_REV."""
        number = 0

        def hook(_: Any) -> None:
            nonlocal number
            number += 1
            for at, what, n, m in meanwhile:
                if at == number and what == "loses its lock":
                    oracle.lose_lock(self.state_url)
                elif at == number and (what in ("deletes", "touch", *CREATES) or not self.no_rev):
                    self.in_mid_run(n, m, what)

        self.sandbox.hooks.before.append(hook)
        try:
            yield
        finally:
            self.sandbox.hooks.before.remove(hook)

    def in_mid_run(self, n: int, m: int, what: str) -> None:
        before = self.revisions()
        self.agent(n, m, what)
        after = self.revisions()
        self.touched |= {id_ for id_ in {*before, *after} if before.get(id_) != after.get(id_)}

    def writes(self) -> list[str]:
        return [one.path for one in self.sandbox.requests if one.method != "GET" and "search" not in one.path]

    @rule(
        mode=st.sampled_from(["upsert", "upsert", "upsert", "insert", "update"]),
        nulls=st.sampled_from(["keep", "keep", "clear"]),
        drawn=faults,
        death=deaths,
        meanwhile=meanwhile,
        full=st.booleans(),
        limit=st.sampled_from([None, None, None, 2]),
    )
    def sync_customers(
        self,
        mode: str,
        nulls: str,
        drawn: list[Any],
        death: int | None,
        full: bool,
        limit: int | None,
        meanwhile: Meanwhile = (),
    ) -> None:
        self.ever += self.frame
        self.cleared |= nulls == "clear"
        queued, before = oracle.under_way(self.sandbox), oracle.customers_of(self.sandbox)
        self.switch_on(drawn)
        report = self.run(self.spec(mode, nulls), self.frame, death, meanwhile, full_resync=full, limit=limit)
        after = oracle.customers_of(self.sandbox)
        assert before.keys() <= after.keys() | self.gone, "a run never deletes"
        if mode == "update" and not queued:
            assert after.keys() - before.keys() <= self.made
        if report is not None and not (queued and self.restless):
            self.reported_customers(report, mode, nulls, full)
            self.refused_for_their_form(report, drawn)

    def switch_on(self, drawn: list[Any]) -> None:
        """The org is as it is, and has a bad day on top; but see NO_REV."""
        bad_day = {one[0] for one in drawn}
        no_rev = {*bad_day, *(name for name, _ in self.natures)} & NO_REV
        for name, value in self.natures:
            if name not in bad_day and not (name in AGENTS and no_rev):
                self.sandbox.faults.set(name, value)
        for name, value, setting in drawn:
            if not (name in AGENTS and no_rev):
                self.sandbox.faults.set(name, value, **setting)

    def reported_customers(self, report: SyncReport, mode: str, nulls: str, full: bool) -> None:
        """Rows that landed by their report are in Kustomer as the warehouse says."""
        self.overwritten()
        records, accounts = oracle.customers_of(self.sandbox), oracle.companies_by_external_id(self.sandbox)
        bad = oracle.invalid(self.frame)
        assert bad == {n for n, outcome in enumerate(report.rows["outcome"]) if outcome == "invalid"}
        looked = {"created", "updated"} | ({"unchanged"} if full else set())
        for row, line in zip(self.frame, report.rows.itertuples(), strict=True):
            if line.outcome not in LANDED:
                continue
            if line.outcome in looked and line.kustomer_id not in self.touched:
                self.drifted.discard(str(line.kustomer_id))
            if line.kustomer_id in self.drifted:
                continue
            wrong = oracle.differences(row, records[str(line.kustomer_id)], accounts, clear=nulls == "clear")
            assert not wrong, (row, line, wrong, records[str(line.kustomer_id)])

    def overwritten(self) -> None:
        """What was written late, over changes that no revision protected, is a change like an agent's."""
        for records in (self.touched, self.drifted, self.tag_drifted):
            records |= self.history.overwritten
        self.history.overwritten.clear()

    def refused_for_their_form(self, report: SyncReport, drawn: list[Any]) -> None:
        """Only those that are; whoever was in the same request is none the worse for it."""
        if not ALSO_OF_FORM & {name for name, _, _ in drawn}:
            poisoned = sum("POISON" in str(row["name"]) for row in self.frame)
            assert report.by_code.get(ReasonCode.REFUSED_FORM, 0) <= poisoned

    @rule(drawn=faults, death=deaths, meanwhile=meanwhile, full=st.booleans())
    def sync_companies(self, drawn: list[Any], death: int | None, full: bool, meanwhile: Meanwhile = ()) -> None:
        queued = oracle.under_way(self.sandbox)
        self.switch_on(drawn)
        report = self.run(companies(), self.account_rows, death, meanwhile, full_resync=full)
        if report is not None and not (queued and self.restless):
            self.reported_companies(report, full)

    def reported_companies(self, report: SyncReport, full: bool) -> None:
        looked = {"created", "updated"} | ({"unchanged"} if full else set())
        self.overwritten()
        for (id_, name), line in zip(self.accounts.items(), report.rows.itertuples(), strict=True):
            if line.outcome in looked and line.kustomer_id not in self.touched:
                self.drifted.discard(str(line.kustomer_id))
            if line.outcome in LANDED and line.kustomer_id not in self.drifted:
                record = self.sandbox.companies[str(line.kustomer_id)]
                assert (id_, name) == (record["externalId"], record["name"])

    @rule(
        mode=st.sampled_from(["mirror", "mirror", "mirror", "add", "remove"]),
        scope=st.sampled_from(["owned", "owned", "tag"]),
        share=st.sampled_from([1.0, 1.0, 0.0]),
        drawn=faults,
        death=deaths,
        meanwhile=meanwhile,
        full=st.booleans(),
        limit=st.sampled_from([None, None, None, 2]),
        clean_up=st.sampled_from([False, False, False, True]),
    )
    def sync_audience(
        self,
        mode: Any,
        scope: Any,
        share: float,
        drawn: list[Any],
        death: int | None,
        full: bool,
        limit: int | None,
        meanwhile: Meanwhile = (),
        clean_up: bool = False,
    ) -> None:
        queued = oracle.under_way(self.sandbox)
        self.switch_on(drawn)
        spec = self.audience(mode, scope, share)
        options = {"full_resync": full, "limit": limit, "clean_up": clean_up}
        report = self.run(spec, self.member_rows, death, meanwhile, **options)
        held = mode == "add" or (mode == "mirror" and (share == 0.0 or None in self.members))
        if held:
            assert not self.removals_sent({self.vip or ""} if clean_up else self.tags), "removals were not allowed"
        if report is not None and not (queued and self.restless):
            self.reported_audience(report, mode, full)

    def updates_sent(self) -> list[dict[str, Any]]:
        """Items of the updates that the last run handed in."""
        bodies = [one.json() for one in self.sandbox.requests if one.method == "PUT" and one.path.endswith("/bulk")]
        return [item for body in bodies for item in body]

    def removals_sent(self, tags: set[str]) -> list[str]:
        """Ids of the customers whose tag, one of these, the last run asked Kustomer to take away."""
        items = [item for item in self.updates_sent() if "tags" in item and item["id"] not in self.touched]
        return [one["id"] for one in items if tags & {*self.before.get(one["id"], one)["tags"]} - {*one["tags"]}]

    @rule(plan=plans, death=st.sampled_from([None, -1, -1, -2]))
    def a_change_and_its_run(self, plan: str, death: int | None) -> None:
        """The everyday case, and the worst moment to die."""
        self.the_whole_table_changes(plan)
        self.sync_customers("upsert", "keep", [], death, False, None)

    @rule(
        first=numbers, last=numbers, share=st.sampled_from([1.0, 1.0, 0.0]), death=st.sampled_from([None, -1, -1, -2])
    )
    def new_members_and_their_run(self, first: int, last: int, share: float, death: int | None) -> None:
        self.put_members(first, last, False)
        self.sync_audience("mirror", "owned", share, [], death, False, None)

    @rule(
        what=st.sampled_from(["customers", "customers", "companies", "audience"]),
        plan=plans,
        last=numbers,
        stuck=st.integers(1, 3),
        more=st.integers(0, 2),
        seconds=st.sampled_from([0.0, 60.0]),
    )
    def jobs_get_stuck(self, what: str, plan: str, last: int, stuck: int, more: int, seconds: float) -> None:
        """Runs in a row whose jobs do not end, and more runs before they do: what waits is not sent once more."""
        began = self.world.clock.time()
        for number in range(stuck + more):
            drawn: list[Any] = [("job_stuck", None, {})] if number < stuck else []
            self.world.clock.advance(seconds)
            waiting = oracle.stuck_updates(self.sandbox, began)
            if what == "companies":
                self.put_company(number % 3, plan if number < stuck else "0")
                self.sync_companies(drawn, None, False)
            elif what == "customers":
                self.the_whole_table_changes(plan if number % 2 else "max")
                self.sync_customers("upsert", "keep", drawn, None, False, None)
            else:
                self.put_members(min(number, last), last, False)
                self.sync_audience("mirror", "owned", 1.0, drawn, None, False, None)
            assert not waiting & {item["id"] for item in self.updates_sent()}
        self.jobs_go_on()

    def reported_audience(self, report: SyncReport, mode: str, full: bool) -> None:
        looked = {"updated"} | ({"unchanged"} if full else set())
        self.overwritten()
        drifted = self.tag_drifted | self.tag_moved
        for line in report.rows.itertuples():
            if line.outcome not in LANDED or line.kustomer_id is None:
                continue
            id_ = str(line.kustomer_id)
            if line.outcome in looked and id_ not in self.touched:
                self.tag_drifted.discard(id_)
                self.tag_moved.discard(id_)
                drifted.discard(id_)
            record = self.sandbox.customers.get(id_)
            if record is not None and id_ not in drifted:
                assert (mode != "remove") is bool(self.vips & {*record["tags"]}), line

    # --- what runs did is taken back --------------------------------------------------------------------------

    @precondition(lambda self: self.can_be_undone)
    @rule(
        back=st.one_of(st.integers(0, 2), st.integers(0, 9)),
        drawn=faults,
        death=deaths,
        meanwhile=meanwhile,
        again=st.booleans(),
    )
    def a_run_is_undone(
        self, back: int, drawn: list[Any], death: int | None, again: bool, meanwhile: Meanwhile = ()
    ) -> None:
        """One of the last runs; and, or not, the same once more in good weather."""
        if run := self.which(back):
            self.undo_twice(run, drawn, death, meanwhile, again)

    @rule(
        what=st.sampled_from(["customers", "audience"]),
        plan=plans,
        last=numbers,
        n=numbers,
        edits=st.lists(st.sampled_from(["plan", "name", "vip", "not vip", "e-mail"]), min_size=1, max_size=2),
        again=st.sampled_from([None, "plan", "vip", "not vip"]),
    )
    def an_agent_comes_between_a_run_and_its_undo(
        self, what: str, plan: str, last: int, n: int, edits: list[str], again: str | None
    ) -> None:
        """The everyday case; and once more, after an agent has edited the record again."""
        if what == "customers":
            self.the_whole_table_changes(plan)
            self.sync_customers("upsert", "keep", [], None, False, None)
        else:
            self.put_members(0, last, False)
            self.sync_audience("mirror", "owned", 1.0, [], None, False, None)
        run = self.can_be_undone[-1]
        for edit in edits:
            self.agent(n, n, edit)
        self.undo(run, [], None, ())
        if again is not None:
            self.agent(n, n, again)
            self.undo(run, [], None, ())

    @precondition(lambda self: self.can_be_undone)
    @rule(back=st.one_of(st.just(0), st.integers(0, 9)))
    def a_run_is_undone_in_good_weather(self, back: int) -> None:
        if run := self.which(back):
            self.undo(run, [], None, ())

    @rule(what=st.sampled_from(["customers", "companies", "mirror", "remove"]), drawn=faults)
    def plan(self, what: str, drawn: list[Any]) -> None:
        """A plan changes nothing: not in Kustomer, not in the state."""
        self.world.clock.advance(5)
        specs: dict[str, tuple[ObjectSpec | AudienceSpec, list[dict[str, Any]]]] = {
            "customers": (self.spec(), self.frame),
            "companies": (companies(), self.account_rows),
            "mirror": (self.audience(share=0.2), self.member_rows),
            "remove": (self.audience("remove", share=0.2), self.member_rows),
        }
        spec, rows = specs[what]
        before, remembered = self.revisions(), self.remembered()
        self.sandbox.clear_requests()
        self.switch_on(drawn)
        self.sandbox.faults.clear(*AGENTS)
        try:
            with self.world.client() as client, StateStore.open(self.state_url) as state:
                plan = self.world.compared(
                    spec,
                    rows,
                    state,
                    lambda mapped, rest: plan_sync(spec, mapped, client=client, state=state, rest=rest),
                )
                assert sum(plan.counts.values()) == len(rows) + plan.counts.get("untag", 0) * (what == "mirror")
        except KustomerError:
            pass  # Kustomer could not be asked
        finally:
            self.sandbox.faults.clear()
        assert not self.writes()
        assert before == self.revisions()
        assert remembered == self.remembered()

    def revisions(self) -> dict[str, Any]:
        records = {**self.sandbox.customers, **self.sandbox.companies, **self.sandbox.tags}
        return {id_: one.get("rev") for id_, one in records.items()}

    def remembered(self) -> dict[str, list[Any]]:
        with StateStore.open(self.state_url) as state, state.engine.connect() as connection:
            return {
                table.name: sorted(map(repr, connection.execute(sa.select(table)))) for table in metadata.sorted_tables
            }

    # --- what always holds ----------------------------------------------------------------------------------

    @invariant()
    def nobody_is_there_twice(self) -> None:
        oracle.nobody_twice(self.sandbox)

    @invariant()
    def only_what_is_mapped_was_written(self) -> None:
        by_undos = self.events.versions
        self.history.wrote = [pair for pair in self.history.wrote if (pair[1].id, pair[1].rev) not in by_undos]
        self.history.only_mapped_changed(self.ever, self.tags, clear=self.cleared)

    @precondition(lambda self: self.runs)
    @rule()
    def settles(self) -> None:
        """Good weather: everything lands, and then a run costs one request."""
        self.sandbox.faults.clear()
        self.jobs_go_on()
        self.ever += self.frame
        for sync, carried in self.carried.items():
            if not carried:
                name, _ = self.names[sync]
                self.names[sync] = (name, name.rpartition("+")[0])
        for _ in range(2):
            self.world.clock.advance(120)
            oracle.hours_pass(self.state_url)
            self.reported_companies(self.good_run(companies(), self.account_rows), full=False)
            report = self.good_run(self.spec(), self.frame)
            self.reported_customers(report, "upsert", "keep", full=False)
        self.everybody_is_there(report)
        self.costs_one_request(self.spec(), self.frame, report)
        self.mirror_settles()

    def good_run(self, spec: ObjectSpec | AudienceSpec, rows: list[dict[str, Any]], **options: Any) -> SyncReport:
        """The org is as it is, and nothing is wrong with it."""
        self.switch_on([])
        self.sandbox.faults.clear(*AGENTS)
        report = self.run(spec, rows, **options)
        assert report is not None
        assert report.interrupted is None
        assert 0 == report.counts.deferred
        assert 0 == report.read_back.drifted, report.read_back
        return report

    def everybody_is_there(self, report: SyncReport) -> None:
        records, accounts = oracle.customers_of(self.sandbox), oracle.companies_by_external_id(self.sandbox)
        for row, line in zip(self.frame, report.rows.itertuples(), strict=True):
            if line.outcome == "rejected":
                assert self.stands_in_the_way(row, records, accounts), (row, line)
            elif line.outcome != "invalid":
                assert line.outcome in LANDED, line

    def stands_in_the_way(self, row: dict[str, Any], records: Any, accounts: Any) -> bool:
        return oracle.cannot_land(row, records, self.frame, accounts)

    def costs_one_request(self, spec: ObjectSpec | AudienceSpec, rows: list[Any], last: SyncReport) -> None:
        if last.counts.rejected:  # tried again in every run
            return
        again = self.good_run(spec, rows)
        assert [] == self.writes()
        assert 1 == self.sandbox.units(), [(one.method, one.path) for one in self.sandbox.requests]
        assert last.rows["kustomer_id"].fillna("").tolist() == again.rows["kustomer_id"].fillna("").tolist()

    def mirror_settles(self) -> None:
        self.members = [email for email in self.members if email is not None]
        for full in (False, True, False):  # the last one takes the tag from whom the one before found under no key
            oracle.hours_pass(self.state_url)  # so that what was lost, or not there, is looked at again
            report = self.good_run(self.audience(), self.member_rows, full_resync=full)
            if full and self.members and self.vip:
                self.once[self.tag_name] = {self.vip}
            self.holders_are_members(full)
            if full and self.members:
                self.loose.clear()
        if self.members or self.vip:  # else nobody remembers that there is no such tag
            self.costs_one_request(self.audience(), self.member_rows, report)
        self.cleans_up()

    def holders_are_members(self, full: bool) -> None:
        drifted = self.tag_drifted if full else self.tag_drifted | self.tag_moved
        for id_, one in self.sandbox.customers.items():
            addresses = oracle.held(one, "email") & {*self.members}
            member = bool(addresses)
            if member and (full or (id_ not in drifted and not addresses & self.loose)):
                assert self.vips & {*one["tags"]}, id_
            if not member and id_ not in drifted and (len(self.vips) < 2 or (full and self.members)):
                assert self.vip not in one["tags"], id_

    def cleans_up(self) -> None:
        """Nobody holds a former tag of the audience's but those to whom agents gave one."""
        self.good_run(self.audience(), self.member_rows, clean_up=True)
        former = self.tags - self.vips
        for id_, one in self.sandbox.customers.items():
            assert id_ in self.tag_drifted or not former & {*one["tags"]}, (id_, former)


def check(state_url: str, examples: int) -> None:
    machine = type("OrgHere", (Org,), {"state_url": state_url})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES or examples,
            stateful_step_count=STEPS,
            derandomize=not EXAMPLES,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture
def sqlite_state(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'state.db'}"


def test_the_laws_hold_whatever_happens_in_any_order(sqlite_state: str) -> None:
    check(sqlite_state, 8)


def test_the_laws_hold_with_the_state_in_postgresql(postgres_url: str) -> None:
    check(postgres_url, 3)
