"""What `status` looks at: what runs have left in the state, and what is left of the budget.

    Kustomer, one request → org, budget     (no answer: said, and everything else is shown of the orgs in the state)
    the state, read only  → runs, what is held, jobs under way, plans, who writes now

The state is neither made nor migrated nor locked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from kustomer_pipeline.components.resources_of import Resources
from kustomer_pipeline.components.sync_config import SyncConfig
from kustomer_pipeline.doctor.state import StateView
from kustomer_pipeline.kustomer import Clock, SystemClock, Usage
from kustomer_pipeline.sync import Approval
from kustomer_pipeline.sync.state import JobUnderWay, KeptPlan, Lease, RunLine
from kustomer_pipeline.sync.state import parts_of as names_of_parts

from .errors import CommandError
from .project import told

_ATTEMPTS = 2  # whoever asks how things are does not want to wait until they are well
NO_STATE = "There is no state yet: nothing has run"
_OTHER_LAYOUTS = {
    "older": "The state has the layout of an older release: the next run brings it to today's, and then it can be read",
    "newer": "The state has the layout of a newer release: update this one",
}


@dataclass(frozen=True)
class SyncStatus:
    """A sync, or a part of it. runs: the newest first. plan: the newest, if it can be applied still."""

    name: str
    runs: tuple[RunLine, ...]
    jobs: tuple[JobUnderWay, ...]
    plan: KeptPlan | None


@dataclass(frozen=True)
class OrgStatus:
    """An org, at a moment. usage: None where Kustomer did not answer, and then `problem` says why. state_problem: why
    nothing is known of the syncs. writers: who writes to an org of this state now."""

    now: datetime
    org_id: str | None = None
    usage: Usage | None = None
    problem: str | None = None
    syncs: tuple[SyncStatus, ...] = ()
    leases: tuple[Lease, ...] = ()
    writers: tuple[str, ...] = ()
    state_problem: str | None = None


def looked_at(uses: Resources, syncs: Sequence[SyncConfig], runs: int) -> list[OrgStatus]:
    """The org of these syncs; where Kustomer does not answer, every org that the state knows."""
    clock, asked = _asked(uses)
    try:
        with told():
            view = StateView.of(uses.state.address(), clock)
            layout = view.layout
            if layout in _OTHER_LAYOUTS:
                raise CommandError(_OTHER_LAYOUTS[layout])
            if layout == "none":
                raise CommandError(NO_STATE)
            orgs = [asked.org_id] if asked.org_id is not None else view.orgs()
            if not orgs:
                raise CommandError(NO_STATE)
            return [_of_org(asked, org, view, syncs, runs) for org in orgs]
    except CommandError as error:
        return [replace(asked, state_problem=str(error))]


def _asked(uses: Resources) -> tuple[Clock, OrgStatus]:
    """The clock, and what Kustomer says."""
    clock: Clock = SystemClock()
    try:
        with told(uses.kustomer.variables), uses.kustomer.client(max_attempts=_ATTEMPTS) as client:
            clock = client.clock
            org_id = client.run(client.token()).org_id
            return clock, OrgStatus(_now(clock), org_id, client.usage)
    except CommandError as error:
        return clock, OrgStatus(_now(clock), problem=str(error))


def _of_org(org: OrgStatus, org_id: str, view: StateView, syncs: Sequence[SyncConfig], most: int) -> OrgStatus:
    overview, plans = view.overview(org_id), view.plans(org_id)
    runs, jobs = overview.last_runs(most), overview.jobs()
    found = tuple(
        SyncStatus(
            name,
            tuple(run for of, run in runs if of == name),
            tuple(job for job in jobs if job.sync == name),
            _applicable(plans.newest(name), sync, [run for of, run in runs if of == name], org.now),
        )
        for sync, name in _names(syncs)
    )
    return replace(org, org_id=org_id, syncs=found, leases=tuple(overview.leases()), writers=tuple(view.writers()))


def _names(syncs: Sequence[SyncConfig]) -> Iterator[tuple[SyncConfig, str]]:
    """Under which names the state knows a sync: its own, or those of its parts."""
    for sync in syncs:
        for name in [sync.name] if sync.parts is None else names_of_parts(sync.name, sync.parts):
            yield sync, name


def _applicable(plan: KeptPlan | None, sync: SyncConfig, runs: Sequence[RunLine], now: datetime) -> KeptPlan | None:
    """The plan, if it is worth applying: not applied, not too old, and not overtaken by a run that needed no plan."""
    if plan is None or plan.finished_at is not None or plan.signature != sync.spec.signature:
        return None
    if now - plan.made_at > (sync.spec.approval or Approval()).max_age:
        return None
    overtaken = sync.spec.approval is None and any(run.started_at >= plan.made_at for run in runs[:1])
    return None if overtaken else plan


def _now(clock: Clock) -> datetime:
    return datetime.fromtimestamp(clock.time(), UTC)
