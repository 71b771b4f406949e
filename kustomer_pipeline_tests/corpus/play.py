"""Plays a sync of the corpus: every case between two good rows, in one run of the real engine against the sandbox.

cases → lines (cells as they come from SQL) → plan → run → run again → full resync, with the org looked at between
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kustomer_pipeline.sandbox import Sandbox
from kustomer_pipeline.sandbox.records import blank
from kustomer_pipeline.sync import AudienceSpec, Plan, SyncReport

from ..world import World
from .case import Case, CorpusSync

Org = dict[str, dict[str, Any]]

_COMPUTED = {"displayName", "updatedAt", "modifiedAt", "rev", "verified", "deleted"}
_MAIN = {
    "emails": "email", "sharedEmails": "email", "phones": "phone", "sharedPhones": "phone", "whatsapps": "phone",
    "externalIds": "externalId", "sharedExternalIds": "externalId", "urls": "url", "domains": "domain",
}  # fmt: skip
_HOME, _MOBILE = {"type": "home", "verified": False}, {"type": "mobile", "verified": False}
# What Kustomer adds to an item that was sent without it.
_ADDED: dict[str, dict[str, Any]] = {
    "emails": _HOME, "sharedEmails": _HOME, "phones": _HOME, "sharedPhones": _HOME, "whatsapps": _MOBILE,
    "externalIds": {"verified": True}, "sharedExternalIds": {"verified": True}, "urls": {}, "domains": {},
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One row of the run. `expected` is what Kustomer shows afterwards when the row lands."""

    case: Case
    cells: dict[str, Any]
    expected: dict[str, Any]
    seed_id: str | None


@dataclass(frozen=True)
class Played:
    """What a run of a corpus sync did, line by line and to the whole org."""

    sync: CorpusSync
    lines: list[Line]
    plan: Plan
    report: SyncReport
    rows: list[dict[str, str | None]]
    rows_again: list[dict[str, str | None]]
    rows_resynced: list[dict[str, str | None]]
    before: Org
    after: Org
    later: Org
    shows: dict[str, dict[str, Any]]
    paths: list[str]
    tags_before: set[str]
    tags_meant: set[str]
    tags_after: set[str]
    writes_of_plan: int

    def at(self, case: Case) -> tuple[Line, dict[str, str | None]]:
        """The line of a case, and its row of the report."""
        position = next(index for index, line in enumerate(self.lines) if line.case is case)
        return self.lines[position], self.rows[position]


def rows_of(report: SyncReport) -> list[dict[str, str | None]]:
    """The rows of a report as plain values."""
    columns = {
        str(name): [None if cell is pd.NA else str(cell) for cell in report.rows[name]] for name in report.rows.columns
    }
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def play(sync: CorpusSync, state_url: str) -> Played:
    """Everything that a test of the corpus looks at."""
    with World(state_url, job_seconds=2.0) as world:
        sync.prepare(world)
        lines = _lines(sync, world)
        for name, value in sync.faults.items():
            world.sandbox.faults.set(name, value)
        frame = frame_of(sync.columns, [line.cells for line in lines])
        before, tags_before = org(world.sandbox), tags(world.sandbox)
        plan = world.plan(sync.spec, frame)
        writes_of_plan = sum(
            request.method != "GET" and "search" not in request.path for request in world.sandbox.requests
        )
        report = world.run(sync.spec, frame)
        paths = [request.path for request in world.sandbox.requests]
        after = org(world.sandbox)
        shows = {id_: shown(world.sandbox, id_) for id_ in after}
        again = world.run(sync.spec, frame)
        resync = world.run(sync.spec, frame, full_resync=True)
        later, tags_after = org(world.sandbox), tags(world.sandbox)
    tags_meant = {sync.spec.tag} if isinstance(sync.spec, AudienceSpec) else set()
    return Played(
        sync, lines, plan, report, rows_of(report), rows_of(again), rows_of(resync), before, after, later, shows, paths,
        tags_before, tags_meant, tags_after, writes_of_plan,
    )  # fmt: skip


def _lines(sync: CorpusSync, world: World) -> list[Line]:
    cases = [sync.control]
    for case in sync.cases:
        cases += [case, sync.control]
    return [_line(sync, case, number, world) for number, case in enumerate(cases, start=1)]


def _line(sync: CorpusSync, case: Case, number: int, world: World) -> Line:
    """A case as a row. Where it does not say, a row has an id and an address (a company: a name) of its own."""
    kind = sync.spec.object
    good = {"externalId": f"row-{number}", "email": f"row-{number}@corpus.example"}
    if kind == "companies":
        good = {"externalId": f"row-{number}", "name": f"Company {number}"}
    there = case.there
    if case is sync.control and there is not None:
        there = {"externalId": good["externalId"], "emails": [{"email": good["email"]}], **there}
    seed_id, expected = None, {}
    if there is not None:
        seed_id = world.sandbox.seed_customer(**there) if kind == "customers" else world.sandbox.seed_company(**there)
        expected = shown(world.sandbox, seed_id)
    elif case.outcome == "created":
        expected = {"emails" if name == "email" else name: [good[name]] if name == "email" else good[name]
                    for name in good if name in sync.columns and name not in case.cells}  # fmt: skip
    cells = {column: case.cells.get(column, good.get(column)) for column in sync.columns}
    expected = {name: value for name, value in {**expected, **case.shows}.items() if value is not None}
    return Line(case, cells, expected, seed_id)


def frame_of(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A frame of objects: each cell is exactly what the case says."""
    data = {}
    for column in columns:
        cells = np.empty(len(rows), dtype=object)
        for position, row in enumerate(rows):
            cells[position] = row[column]  # one by one: numpy would unpack lists
        data[column] = pd.Series(cells, dtype=object)
    return pd.DataFrame(data)


def org(sandbox: Sandbox) -> Org:
    """Every record of the org, deleted companies too."""
    return {**dict(sandbox.customers), **dict(sandbox.companies)}


def tags(sandbox: Sandbox) -> set[str]:
    """The names of the org's tags, deleted ones too."""
    return {tag["name"] for tag in sandbox.tags.values()}


def shown(sandbox: Sandbox, record_id: str) -> dict[str, Any]:
    """A record in short: what is not empty and not Kustomer's own; tags and companies by name, list items by value."""
    kind = "customer" if record_id in sandbox.customers else "company"
    record = dict(sandbox.customers.get(record_id) or sandbox.companies[record_id])
    empty = {**blank(kind), "company": None}
    found = {
        name: value
        for name, value in record.items()
        if name not in _COMPUTED and name != "createdAt" and empty.get(name) != value
    }
    for name, main in _MAIN.items():
        if name in found:
            found[name] = [_short(item, main, _ADDED[name]) for item in found[name]]
    if found.get("externalIds") == [found.get("externalId")]:
        del found["externalIds"]
    if "tags" in found:
        found["tags"] = sandbox.tag_names(record_id)
    if "company" in found:
        found["company"] = sandbox.companies[found["company"]]["name"]
    custom = found.pop("custom", {})
    return {**found, **custom}


def _short(item: dict[str, Any], main: str, added: dict[str, Any]) -> Any:
    """An item as its value where it holds nothing but what Kustomer adds."""
    rest = {name: value for name, value in item.items() if name != main and (name, value) not in added.items()}
    return {main: item[main], **rest} if rest else item[main]
