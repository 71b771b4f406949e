"""A plan is a plan: the stream of a sync, rendered from live Kustomer, written nowhere."""

from __future__ import annotations

import json

import pandas as pd

from kustomer_pipeline.kustomer import KustomerClient, KustomerError

from .expected import NOTHING, Marks
from .masked_values import shown_fields
from .memory import accepted_in
from .needed import require_roles
from .observed import observed, work_of
from .opening import WIRE_FACT, Opening
from .plan import Plan, PlanBuilder
from .reconcile import Stream, reconcile
from .remarks import adopted_by, remarks, would_go_without_company
from .report import HeldChanges, Removals
from .rest import Rest
from .spec import RunOptions, SyncSpec
from .state import StateStore
from .suppression import leave_out


def plan_sync(
    spec: SyncSpec,
    mapped: pd.DataFrame,
    *,
    client: KustomerClient,
    state: StateStore,
    options: RunOptions | None = None,
    rest: Rest | None = None,
    expected: Marks = NOTHING,
) -> Plan:
    """What `run_sync` would do with this frame now. Reads Kustomer and the state. Raises KustomerError, StateError.

    expected: marks of what earlier plans of the same making would create (`Plan.creates`): it counts as there.
    """
    options = options or RunOptions("plan")
    planning = _plan(spec, mapped, client, state, options, rest, expected)
    return observed(client, work_of(spec, options.run_id, "plan"), planning, lambda plan: (plan.counts, None))


async def _plan(
    spec: SyncSpec,
    mapped: pd.DataFrame,
    client: KustomerClient,
    store: StateStore,
    options: RunOptions,
    rest: Rest | None,
    expected: Marks,
) -> Plan:
    before = client.usage.requests
    token = await client.token()
    opening = Opening(spec, mapped, client, store, token.org_id, options, planning=True, rest=rest)
    opening.expected = expected
    require_roles(spec, token.roles, writes=False)
    opening.mapped, opening.left_out = leave_out(spec, mapped, store.suppressed(token.org_id), options)
    client.wire.recall(json.loads(opening.org.fact(WIRE_FACT) or "{}"))
    opened = await opening.open()
    stream = opened.stream
    builder = PlanBuilder(stream.ledger, stream.strategy.actions, spec, expected)
    await reconcile(stream, builder)
    elsewhere = await _holders_elsewhere(client, stream)
    counts, changes = builder.told(stream)
    counts["skip"] += len(opening.left_out)
    requests = client.usage.requests - before
    return Plan(
        sync=spec.name,
        org_id=token.org_id,
        counts=counts,
        changes=changes,
        requests=requests,
        removals=_removals(stream),
        held_changes=_held_changes(stream, changes),
        estimate=builder.estimate(client, spec.object, requests),
        notes=(
            *opened.notes,
            *adopted_by(stream),
            *remarks(stream, elsewhere),
            *would_go_without_company(builder.without_company),
        ),
        id=builder.id_of(token.org_id, spec.name, spec.signature, store.plans(token.org_id).applied(spec.name)),
        signature=spec.signature,
        seals=frozenset(builder.seals),
        options=options.of_plan,
        creates=frozenset(builder.marks),
        shown=shown_fields(spec.fields, spec.object),
        accepted_before=accepted_in(opened.memory),
        skipped=_skipped(stream) if counts["skip"] else {},
    )


def _skipped(stream: Stream) -> dict[str, int]:
    rows = stream.ledger.rows()
    reasons = rows.loc[rows["outcome"] == "skipped", "reason"].value_counts()
    return {str(reason): int(count) for reason, count in reasons.items()}


async def _holders_elsewhere(client: KustomerClient, stream: Stream) -> int:
    """Of a mirror that has met tags of others, or knows of none of its own: how many hold the tag, are not this sync's,
    and are not in the query."""
    leaving = stream.leaving
    if leaving is None or leaving.strategy.tag_id is None or not client.abilities.search:
        return 0
    if leaving.spec.mirror_scope == "tag":
        return 0  # every holder is a candidate already
    if not stream.of_others and len(leaving.strategy.owned_ids):
        return 0  # nothing tells that there may be some
    try:
        holders = await client.tag_holders(stream.strategy.object_name, leaving.strategy.tag_id)
    except KustomerError:
        return 0  # it is told beside the plan; the plan is whole without it
    ours = sum(record.id in leaving.strategy.owned_ids for record in holders)
    return max(len(holders) - ours - stream.of_others, 0)


def _removals(stream: Stream) -> Removals:
    verdict = stream.removals
    return Removals(stream.members, 0, verdict.held, verdict.plan_id, stream.waiting)


def _held_changes(stream: Stream, changes: pd.DataFrame) -> HeldChanges:
    verdict, accepted = stream.selected.changes, stream.desired.compared.accepted
    if not verdict.held:
        return HeldChanges(0, accepted, verdict.plan_id, changes.iloc[:0])
    spec, examples = stream.desired.spec, changes[changes["action"] == "update"].head(20)
    return HeldChanges(verdict.held, accepted, verdict.plan_id, examples, shown_fields(spec.fields, spec.object))
