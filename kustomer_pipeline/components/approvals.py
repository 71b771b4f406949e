"""What a guard holds back, and how somebody lets exactly that through."""

import dagster as dg

from kustomer_pipeline.resources import show_values
from kustomer_pipeline.sync import Approval, HeldChanges, Plan, Removals
from kustomer_pipeline.sync.wording import quantity

from .keys import kustomer_key, op_name
from .sync_config import SyncConfig
from .tables import Metadata, table

EXAMPLES = 20
_EXAMPLE_COLUMNS = ["key", "field", "before", "after"]


def held_removals(sync: SyncConfig, removals: Removals) -> Metadata:
    """Why members keep the tag, and the run config that untags them; nothing when nothing is held, and nobody waits."""
    return _metadata(removals_advice(sync, removals), "removal_plan_id", removals.plan_id)


def held_changes(sync: SyncConfig, held: HeldChanges) -> Metadata:
    """Why records stay as they are, examples, and the run config that changes them; nothing when nothing is held."""
    advice = changes_advice(sync, held)
    if not advice:
        return {}
    examples = held.table(EXAMPLES, show_values=show_values())
    return _metadata(advice, "change_plan_id", held.plan_id) | table("held_examples", examples[_EXAMPLE_COLUMNS])


def removals_advice(sync: SyncConfig, removals: Removals) -> str:
    """The same as Markdown; empty when nothing is held."""
    return _advice(sync, why_removals_are_held(sync, removals), "removals", removals.plan_id)


def why_removals_are_held(sync: SyncConfig, removals: Removals) -> str:
    """Why they are held, or wait, without what to do about it."""
    if removals.waiting:
        leave = quantity(
            removals.waiting, f"of {removals.members:,} {sync.kind} seems", f"of {removals.members:,} {sync.kind} seem"
        )
        return (
            f"**{leave} to have left, and nobody loses the tag: rows of the audience are invalid, refused or deferred, "
            "and one of them may be the member who is missing.** Put those rows right; the next run looks again."
        )
    if not removals.held:
        return ""
    return (
        f"**{removals.held:,} of {removals.members:,} {sync.kind} would lose the tag. That is more than "
        "`max_removals` allows, so nobody loses it.** An empty or half-built query result looks like this: look at "
        "the query first."
    )


def changes_advice(sync: SyncConfig, held: HeldChanges) -> str:
    """The same as Markdown; empty when nothing is held."""
    return _advice(sync, why_changes_are_held(sync, held), "changes", held.plan_id)


def why_changes_are_held(sync: SyncConfig, held: HeldChanges) -> str:
    """Why, without what to do about it."""
    if not held.held:
        return ""
    return (
        f"**{held.held:,} of the {held.accepted:,} {sync.kind} sent before would change at once. That is more than "
        "`max_changes` allows, so none of them is changed; new records go.** A column that was emptied or filled "
        "anew in the warehouse looks like this: look at the examples first."
    )


def approval_advice(sync: SyncConfig, plan: Plan) -> str:
    """How exactly this plan is applied; empty where it would write nothing."""
    if plan.id is None:
        return ""
    hours = sync.spec.approval or Approval()
    key = sync.resource_keys.kustomer
    org = key.removeprefix("kustomer") if key.startswith("kustomer_") else ""
    need = "A run writes nothing before a plan is approved. " if sync.approval is not None else ""
    together = (
        f"\n\nInstead of this plan's id, that of this run, `{plan.made_in}`, has everything done that was planned in "
        "it, for every sync."
        if plan.made_in is not None
        else ""
    )
    return (
        f"{need}To have exactly this done, and nothing else, launch the job `apply_plan{org}` with this run config "
        f"within {hours.max_age.total_seconds() / 3600:.3g} hours. What has changed since by then is left as it is."
        f"\n\n```yaml\nops:\n  apply{org}:\n    config:\n      plan: {plan.id}\n      by: your name\n```{together}"
    )


def _advice(sync: SyncConfig, text: str, what: str, plan_id: str | None) -> str:
    if not text or plan_id is None:
        return text
    return (
        f"{text}\n\nIf the {what} are right, launch the job `sync_{sync.name}` with this run config. It lets exactly "
        f"these {what} through, once, and no others:\n\n```yaml\n{_run_config(sync, f'approve_{what}', plan_id)}\n```"
    )


def _metadata(advice: str, name: str, plan_id: str | None) -> Metadata:
    if not advice:
        return {}
    return {"what_to_do": dg.MetadataValue.md(advice)} | ({name: plan_id} if plan_id is not None else {})


def _run_config(sync: SyncConfig, option: str, value: str) -> str:
    """Run config for the launchpad."""
    return f"ops:\n  {op_name(kustomer_key(sync))}:\n    config:\n      {option}: {value}"
