"""A plan is kept, approved, looked at before a run applies it; and what is written down of it.

options.approve: a plan's id, or that of the run in which several plans were made
    → the plan as it was kept → this sync's, as it is defined today, young enough, not applied already
                                         → Permit: what is in it goes
approval: required, and no plan approved → Permit: nothing goes
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from .permit import FREE, OfPlan, Permit, Waiting
from .plan import Plan
from .spec import Approval, RunOptions, SyncSpec
from .state import KeptPlan, Plans, StateError, StateStore

UNKNOWN = "somebody who gave no name"


class PlanNotApplicableError(StateError):
    """The plan that was approved cannot be applied; the message says why, and nothing was sent."""


def keep_plan(plan: Plan, store: StateStore, made_by: str) -> None:
    """Keep a plan, so that it can be approved: only its id, its counts and a hash for each record. Raises StateError.

    made_by: the run, or whatever else it was made in.
    """
    if plan.id is not None:
        kept = KeptPlan(plan.id, plan.sync, plan.signature, made_by, store.now(), plan.counts, plan.options)
        store.plans(plan.org_id).keep(kept, plan.seals, plan.creates)


def permitted(spec: SyncSpec, store: StateStore, org_id: str, options: RunOptions) -> tuple[Permit, RunOptions]:
    """What may go in this run, and what it is told: besides its own options those of the plan that it applies.

    Notes that it applies the plan. Raises PlanNotApplicableError.
    """
    if options.approve is None:
        return (Waiting() if spec.approval is not None else FREE), options
    plans = store.plans(org_id)
    plan_id = _plan_of(options.approve, spec, plans)
    if plan_id is None:
        return OfPlan(options.approve, frozenset()), options
    plan = _applicable(plan_id, spec, plans, store)
    plans.begin(plan.plan_id, options.run_id, options.approved_by or UNKNOWN)
    told: dict[str, Any] = {
        name: frozenset(value) if isinstance(value, list) else value for name, value in plan.options.items()
    }
    return OfPlan(plan.plan_id, plans.seals(plan.plan_id)), replace(options, **told)


def note_of(permit: Permit, options: RunOptions) -> tuple[str, ...]:
    """What is told of it."""
    if not isinstance(permit, OfPlan):
        return ()
    return (f"The plan {permit.plan_id} was applied, approved by {options.approved_by or UNKNOWN}",)


def finished(permit: Permit, store: StateStore, org_id: str) -> None:
    """A run came to its end: the plan it applied passes no more."""
    if isinstance(permit, OfPlan):
        store.plans(org_id).finish(permit.plan_id)


def _plan_of(approved: str, spec: SyncSpec, plans: Plans) -> str | None:
    """The plan that is meant, by its id or that of the run that made it; None: that run had nothing to plan here."""
    if plans.get(approved) is not None or not (made_together := plans.made_in(approved)):
        return approved
    return next((plan.plan_id for plan in made_together if plan.sync == spec.name), None)


def _applicable(plan_id: str, spec: SyncSpec, plans: Plans, store: StateStore) -> KeptPlan:
    plan, anew = plans.get(plan_id), "Nothing was sent; make a new plan and approve that"
    if plan is None:
        raise PlanNotApplicableError(
            f"There is no plan {plan_id} of this org: its id, or that of the run that made several, is what the plan "
            f"shows, in full, and old ones go. {anew}"
        )
    if plan.sync != spec.name:
        raise PlanNotApplicableError(f"The plan {plan_id} is one of {plan.sync}, not of {spec.name}. {anew}")
    if plan.finished_at is not None:
        when, who = f"{plan.finished_at:%Y-%m-%d %H:%M} UTC", plan.approved_by
        raise PlanNotApplicableError(
            f"The plan {plan_id} has been applied already: by the run {plan.run_id}, {when}, approved by {who}. {anew}"
        )
    if plan.signature != spec.signature:
        raise PlanNotApplicableError(f"The definition of {spec.name} has changed since the plan {plan_id}. {anew}")
    age, limit = store.now() - plan.made_at, (spec.approval or Approval()).max_age
    if age > limit:
        raise PlanNotApplicableError(f"The plan {plan_id} is {_hours(age)} old, and {_hours(limit)} at most. {anew}")
    return plan


def _hours(span: timedelta) -> str:
    return f"{span.total_seconds() / 3600:.3g} hours"
