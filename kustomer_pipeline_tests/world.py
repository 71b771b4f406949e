"""A small world for tests of the engine: a sandbox, a state database, a clock that nobody waits for."""

from __future__ import annotations

import hashlib
import itertools
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self, TypeVar, cast

import pandas as pd

from kustomer_pipeline.kustomer import KustomerClient
from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sandbox import Sandbox
from kustomer_pipeline.sync import (
    AudienceSpec,
    ChangeLimit,
    ObjectSpec,
    Plan,
    Rest,
    RowsOutOfDateError,
    RunOptions,
    StateStore,
    SyncReport,
    plan_sync,
    run_sync,
)
from kustomer_pipeline_tests.compared import EVERYWHERE, Warehouse, with_all_rows
from kustomer_pipeline_tests.simulated import InProcess, SimulatedClock

CUSTOMER_FIELDS = (
    FieldMapping("externalId", ("id",)),
    FieldMapping("email", ("email",)),
    FieldMapping("name", ("name",)),
    FieldMapping("custom.planStr", ("plan",)),
)
ANY_CHANGES = ChangeLimit(share=1.0)  # the guard of mass changes has tests of its own
COMPANY_FIELDS = (FieldMapping("externalId", ("id",)), FieldMapping("name", ("name",)))


T = TypeVar("T")


class World:
    """One org, one state database; runs and plans of syncs against them."""

    def __init__(self, state_url: str, *, in_warehouse: bool = EVERYWHERE, **sandbox: Any) -> None:
        self.clock = SimulatedClock()
        self.state_url = state_url
        self.latency = 0.0
        self.sandbox = Sandbox(clock=self.clock.time, serve=False, **sandbox)
        self.api_key: str | None = None
        self._run_ids = itertools.count(1)
        self.left = 0  # rows that left the warehouse for the latest run or plan
        self._folder = tempfile.TemporaryDirectory(prefix="warehouse-") if in_warehouse else None
        name = f"world_{uuid.uuid4().hex}"
        self.warehouse = Warehouse.of(name, Path(self._folder.name)) if self._folder else None

    def __enter__(self) -> Self:
        self.sandbox.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.sandbox.close()
        if self._folder is not None and self.warehouse is not None:
            self.warehouse.drop()
            self._folder.cleanup()

    @contextmanager
    def client(self, api_key: str | None = None, **settings: Any) -> Iterator[KustomerClient]:
        """A client of the org."""
        settings = {
            "base_url": self.sandbox.url,
            "api_key": api_key or self.api_key or self.sandbox.api_key,
            "clock": self.clock,
            "transport": InProcess(self.sandbox.app, self.clock, self.latency),
            **settings,
        }
        with KustomerClient(**settings) as client:
            yield client

    def run(
        self, spec: ObjectSpec | AudienceSpec, rows: Sequence[Mapping[str, Any]] | pd.DataFrame, **options: Any
    ) -> SyncReport:
        """Run a sync over warehouse rows. The requests of the run alone are in `sandbox.requests` afterwards."""
        self.sandbox.clear_requests()
        options.setdefault("run_id", f"run-{next(self._run_ids)}")
        with self.client() as client, StateStore.open(self.state_url, clock=self.clock) as state:
            given = RunOptions(**options)
            report = self.compared(
                spec,
                rows,
                state,
                lambda mapped, rest: run_sync(spec, mapped, client=client, state=state, options=given, rest=rest),
                everything=given.every_row,
            )
        assert report.adds_up, report.counts
        return report

    def plan(
        self,
        spec: ObjectSpec | AudienceSpec,
        rows: Sequence[Mapping[str, Any]] | pd.DataFrame,
        expected: frozenset[bytes] = frozenset(),
        **options: Any,
    ) -> Plan:
        """Plan a sync over warehouse rows. expected: what earlier plans would create."""
        self.sandbox.clear_requests()
        with self.client() as client, StateStore.open(self.state_url, clock=self.clock) as state:
            given = RunOptions(**{"run_id": "plan", **options})
            return self.compared(
                spec,
                rows,
                state,
                lambda mapped, rest: plan_sync(
                    spec, mapped, client=client, state=state, options=given, rest=rest, expected=expected
                ),
                everything=given.every_row,
            )

    def compared(
        self,
        spec: ObjectSpec | AudienceSpec,
        rows: Sequence[Mapping[str, Any]] | pd.DataFrame,
        state: StateStore,
        go: Callable[[pd.DataFrame, Rest | None], T],
        *,
        everything: bool = False,
    ) -> T:
        """What `go` makes of the mapped rows: of all of them, or where the warehouse compares of those that differ.

        As components/comparing.py does it: rows that are out of date are read again.
        """
        frame = frame_of(spec, rows)
        if self.warehouse is None or not self.warehouse.holds(frame):
            return go(spec.map(frame), None)
        self.warehouse.write(spec, frame)
        for every_row in (everything, True):
            left, rest = self.warehouse.read(spec, state, self.sandbox.org_id, everything=every_row)
            self.left = len(left)
            with suppress(RowsOutOfDateError):
                result = go(spec.map(left), rest)
                if isinstance(result, SyncReport):
                    return cast(T, with_all_rows(result, spec, self.warehouse.all_rows(spec), left, state))
                return result
        raise AssertionError("rows that were all read are out of date")

    def hours_pass(self, hours: float) -> None:
        """Time goes by."""
        self.clock.advance(hours * 3600)

    def jobs_take(self, seconds: float) -> None:
        """From now on a bulk job takes so long."""
        self.sandbox.jobs_take(seconds)

    def customer(self, external_id: str) -> dict[str, Any]:
        """The live customer with that externalId."""
        found = [one for one in self.sandbox.customers.values() if one.get("externalId") == external_id]
        assert len(found) == 1, f"{len(found)} customers have externalId {external_id}"
        return dict(found[0])

    def id_of(self, email: str) -> str:
        """The id of the live customer with that e-mail address."""
        return next(
            id_
            for id_, one in self.sandbox.customers.items()
            if email in [item["email"] for item in one.get("emails") or []]
        )


def mapped_rows(
    spec: ObjectSpec | AudienceSpec,
    rows: Sequence[Mapping[str, Any]] | pd.DataFrame,
    client: KustomerClient,
    state: StateStore,
    state_url: str,
) -> tuple[pd.DataFrame, Rest | None]:
    """What a run of another process is given: the mapped rows, and what answers for those that stayed."""
    frame = frame_of(spec, rows)
    if not EVERYWHERE:
        return spec.map(frame), None
    name = hashlib.blake2b(state_url.encode(), digest_size=8).hexdigest()
    warehouse = Warehouse.of(f"rows_of_{name}", Path(tempfile.gettempdir()))
    if not warehouse.holds(frame):
        return spec.map(frame), None
    warehouse.write(spec, frame)
    left, rest = warehouse.read(spec, state, client.run(client.token()).org_id)
    return spec.map(left), rest


def frame_of(spec: ObjectSpec | AudienceSpec, rows: Sequence[Mapping[str, Any]] | pd.DataFrame) -> pd.DataFrame:
    """Warehouse rows as the warehouse gives them."""
    if isinstance(rows, pd.DataFrame):
        return rows
    columns = list(dict.fromkeys(column for mapping in spec.fields for column in mapping.columns))
    return pd.DataFrame([[row.get(column) for column in columns] for row in rows], columns=columns).convert_dtypes()


def customers(**changes: Any) -> ObjectSpec:
    """The customers sync of the tests."""
    settings: dict[str, Any] = {
        "name": "customers",
        "object": "customers",
        "mode": "upsert",
        "match_on": ("externalId", "email"),
        "fields": CUSTOMER_FIELDS,
        "max_changes": ANY_CHANGES,
    }
    return ObjectSpec(**{**settings, **changes})


def companies(**changes: Any) -> ObjectSpec:
    """The companies sync of the tests."""
    settings: dict[str, Any] = {
        "name": "companies",
        "object": "companies",
        "mode": "upsert",
        "match_on": ("externalId", "name"),
        "fields": COMPANY_FIELDS,
        "max_changes": ANY_CHANGES,
    }
    return ObjectSpec(**{**settings, **changes})


def audience(**changes: Any) -> AudienceSpec:
    """The audience of the tests: the tag vip, mirrored."""
    settings: dict[str, Any] = {
        "name": "vip",
        "tag": "vip",
        "mode": "mirror",
        "match_on": ("email",),
        "fields": (FieldMapping("email", ("email",)),),
    }
    return AudienceSpec(**{**settings, **changes})


def people(count: int, start: int = 0, plan: str = "free") -> list[dict[str, Any]]:
    """Warehouse rows of customers."""
    return [
        {"id": f"C-{n}", "email": f"p{n}@example.com", "name": f"Person {n}", "plan": plan}
        for n in range(start, start + count)
    ]


def members(count: int, start: int = 0) -> list[dict[str, Any]]:
    """Warehouse rows of an audience of those people."""
    return [{"email": f"p{n}@example.com"} for n in range(start, start + count)]
