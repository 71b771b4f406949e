"""The job that applies an approved plan: `apply_plan`, with the plan's id in its run config; or all plans of one run.

    an id → which syncs it is of → of each, one after the other: its rows, read and mapped → a run that does what is in
                                                                                            its plan

A job of one op: which sync it is about is known when it runs. What it did is recorded on the sync's asset all the same.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from typing import Any, NamedTuple

import dagster as dg
from pydantic import Field

from kustomer_pipeline.resources import KustomerResource, StateResource
from kustomer_pipeline.sync import RunOptions
from kustomer_pipeline.sync.state import KeptPlan, part_of

from .failures import failure, most_often, readable_failures, reason_to_fail
from .keys import kustomer_key
from .lineage import kustomer_lineage
from .metadata import Around, report_metadata
from .progress import in_log
from .resources_of import Resources
from .run_tags import approved_by
from .running import rows_of, run_rows
from .sharding import partition_keys, spec_of_part
from .sync_checks import sync_check_results
from .sync_config import SyncConfig
from .sync_log import reason_not_logged

_DESCRIPTION = """\
**Writes to Kustomer.** Does exactly what a plan says that somebody has read and approved: each record of which the same
comes out today as in the plan. What has changed since, in the warehouse or in Kustomer, is left as it is and told.

A plan is applied once, and not when it is older than the sync's `approval: {max_age}` (a day unless it says so). A run
that was interrupted may be launched again with the same plan.

The id of a run of `plan_all` stands for all plans that were made in it: companies, then customers, then audiences."""


class ToApply(NamedTuple):
    """A plan that is to be applied. number: of the part of the sync that it is of; None: of the whole."""

    sync: SyncConfig
    number: int | None
    plan_id: str


class ApplyPlanConfig(dg.Config):
    """Which plan, and who says so."""

    plan: str = Field(
        description="The id of the plan, in full, as the plan's page shows it: plan-12-…. Or the id of the run of "
        "plan_all: all that it planned."
    )
    by: str | None = Field(
        default=None, description="Who approves it, for the log; else the user that Dagster names, if it does."
    )


def apply_job(syncs: Sequence[SyncConfig], org: str | None = None) -> dg.JobDefinition:
    """`apply_plan`; with several orgs one for each, `apply_plan_eu`. syncs: those of the org."""
    suffix = f"_{org}" if org else ""
    keys = {key for sync in syncs for key in (sync.resource_keys.warehouse, sync.resource_keys.kustomer)}

    @dg.op(
        name=f"apply{suffix}",
        description=_DESCRIPTION,
        out=dg.Out(dg.Nothing),
        tags={"dagster/compute_kind": "kustomer"},
        required_resource_keys={*keys, f"kustomer{suffix}", "state"},
    )
    def apply(context: dg.OpExecutionContext, config: ApplyPlanConfig) -> Iterator[Any]:
        kustomer: KustomerResource = getattr(context.resources, f"kustomer{suffix}")
        with readable_failures(kustomer.variables):
            found = planned(syncs, config.plan.strip(), kustomer, context.resources.state)
        yield dg.Output(None)
        here = applied_here(found)
        for position, one in enumerate(here):
            left = [later.sync.name for later in found[position + 1 :]]
            yield from _applied(context, one, config.by, kustomer, left)
        if len(here) < len(found):
            raise failure(by_dagster(found[len(here) :]))

    @dg.job(name=f"apply_plan{suffix}", description=_DESCRIPTION)
    def job() -> None:
        apply()

    return job


def planned(
    syncs: Sequence[SyncConfig], plan_id: str, kustomer: KustomerResource, state: StateResource
) -> list[ToApply]:
    """The plan of that id; or those that the run of that id made and that have not been applied yet, in the order of
    their syncs. Raises dagster.Failure, KustomerError, StateError."""
    with kustomer.client() as client, state.store() as store:
        plans = store.plans(client.run(client.token()).org_id)
        plan = plans.get(plan_id)
        together = plans.made_in(plan_id) if plan is None else [plan]
    if not together:
        raise failure(
            f"There is no plan {plan_id} of this org. Its id, or that of the run that made several, is what the plan's "
            "page shows, in full; old plans are removed: make a new one"
        )
    # Of a single plan that has been applied the engine tells when, and by whom.
    waiting = [one for one in together if one.finished_at is None] or together
    found = [_to_apply(one, syncs) for one in waiting]
    return sorted(found, key=lambda one: (one.sync.stage, one.sync.name, one.number or 0))


def _to_apply(plan: KeptPlan, syncs: Sequence[SyncConfig]) -> ToApply:
    name, number = part_of(plan.sync)
    sync = next((one for one in syncs if one.name == name), None)
    if sync is None:
        raise failure(f"The plan {plan.plan_id} is one of a sync {name!r}, which this project does not have (any more)")
    return ToApply(sync, number, plan.plan_id)


def applied_here(found: Sequence[ToApply]) -> list[ToApply]:
    """Those that can be applied one after the other, up to the first whose rows another asset makes."""
    return list(takewhile(lambda one: not isinstance(one.sync.source, str), found))


def by_dagster(left: Sequence[ToApply]) -> str:
    """What is to be done with the rest, of which the rows of the first are made by another asset."""
    (sync, _, plan_id), *after = left
    text = (
        f"The rows of {sync.name} are made by the asset {sync.source}: launch the job sync_{sync.name} with "
        f"`approve: {plan_id}`"
    )
    names = ", ".join(one.sync.name for one in after)
    return f"{text}. Then apply the same again for the plans of {names}" if after else text


def _applied(
    context: dg.OpExecutionContext, one: ToApply, by: str | None, kustomer: KustomerResource, left: Sequence[str]
) -> Iterator[Any]:
    """Apply one plan, and record on the sync's asset what it did. left: syncs whose plans come after it."""
    sync, number, plan_id = one
    with _those_left(left), readable_failures(kustomer.variables):
        uses = Resources(sync.resource_keys, context.resources)
        spec = spec_of_part(sync, number)
        frame, _ = rows_of(sync, uses, number=number)
        options = RunOptions(context.run_id, approve=plan_id, approved_by=by)
        ran = run_rows(sync, spec, uses, spec.map(frame), approved_by(options, context.run), in_log(context))
        for problem in ran.problems:
            context.log.warning(problem)
        partition = partition_keys(sync)[number] if number is not None else None
        around = Around.of(context.instance, sync, partition)
        metadata = report_metadata(sync, ran.report, ran.waited, around) | kustomer_lineage(sync)
    yield dg.AssetMaterialization(kustomer_key(sync), metadata=metadata, partition=partition)
    for check in sync_check_results(sync, ran.report, ran.missing_roles):
        yield dg.AssetCheckEvaluation(
            asset_key=kustomer_key(sync),
            check_name=str(check.check_name),
            passed=bool(check.passed),
            metadata=dict(check.metadata),
            severity=check.severity,
            description=check.description,
        )
    with _those_left(left):
        with readable_failures():
            not_logged = reason_not_logged(sync, ran.report, uses.warehouse, uses.state)
        reasons = [reason_to_fail(ran.report, sync.max_failure_share), not_logged]
        if any(reasons):
            text = "\n\n".join(reason for reason in reasons if reason)
            raise failure(text, ran.report.interrupted, example=most_often(ran.report))


@contextmanager
def _those_left(left: Sequence[str]) -> Iterator[None]:
    """A failure of the body says that the plans after this one were not applied."""
    try:
        yield
    except dg.Failure as error:
        if left:
            error.description = (
                f"{error.description}\n\nThe plans of {', '.join(left)} were not applied. Launch the job with the same "
                "id again: what has been applied is not applied again."
            )
        raise
