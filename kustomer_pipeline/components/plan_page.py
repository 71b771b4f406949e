"""A plan as a page that is read from top to bottom: what would change, how much of it, examples before → after.

    headline ─ cost ─ what is held, and how to approve it ─ a chapter for each kind of change ─ where the rest is

Masked unless KUSTOMER_SHOW_VALUES=1: the page is in Dagster's event log. The values are in the asset's own value only,
which is kept and removed with the other frames.
"""

from collections.abc import Iterator

import pandas as pd

from kustomer_pipeline.resources import show_values
from kustomer_pipeline.sync import Plan
from kustomer_pipeline.sync.report import masked_table
from kustomer_pipeline.sync.wording import REQUESTS, quantity

from . import markdown
from .approvals import approval_advice, changes_advice, removals_advice
from .keys import mapped_key
from .refused import refused_table
from .sync_config import AudienceSyncConfig, SyncConfig

RECORDS = 20  # examples of each kind of change
PLANNED = ("create", "update", "tag", "untag")  # the actions that change something, in their order
_NOT_SENT = {"skip": "skipped", "invalid": "invalid", "reject": "refused", "defer": "left for the run after"}


def plan_headline(sync: SyncConfig, plan: Plan) -> str:
    """What a run would do, in a sentence or two."""
    counts = plan.counts
    changes = [f"{action} {counts[action]:,}" for action in kinds_of(plan) if counts[action]]
    would = f"would {' and '.join(filter(None, [', '.join(changes[:-1]), changes[-1]]))}" if changes else ""
    first = f"A run {would} {sync.kind}." if changes else "A run would change nothing."
    left = markdown.counted([(name, counts.get(action, 0)) for action, name in _NOT_SENT.items()], "")
    lines = [
        f"**{first}**",
        quantity(counts.get("unchanged", 0), "stays as it is", "stay as they are")
        + (f"; of the other rows: {left}." if left else "."),
        "**Some of it is held until somebody approves it.**" if _held(plan) else "",
    ]
    return "\n\n".join(filter(None, lines))


def plan_page(sync: SyncConfig, plan: Plan) -> str:
    """The whole page."""
    return markdown.page(_parts(sync, plan))


def _parts(sync: SyncConfig, plan: Plan) -> Iterator[str]:
    yield plan_headline(sync, plan)
    yield (
        f"Nothing has been sent. To send it, run the job `sync_{sync.name}`: {plan.estimate}. "
        f"This plan took {quantity(plan.requests, *REQUESTS)}."
    )
    yield approval_advice(sync, plan)
    yield from filter(None, [removals_advice(sync, plan.removals), changes_advice(sync, plan.held_changes)])
    for action in kinds_of(plan):
        rows = plan.changes[plan.changes["action"] == action]
        if len(rows):
            yield from chapter(sync, plan, action, rows)
    rejected = plan.changes[plan.changes["action"] == "reject"]
    if len(rejected):
        yield f"### Would be refused: {plan.counts['reject']:,}"
        yield refused_table(rejected.assign(outcome="rejected"), ["rejected"])
    if plan.counts.get("invalid"):
        mapped = mapped_key(sync).to_user_string()
        yield f"The checks of `{mapped}` list the invalid rows ({plan.counts['invalid']:,}) with their reasons."
    if ids := [one for one in (plan.removals.plan_id, plan.held_changes.plan_id) if one]:
        yield f"Plan id: {', '.join(map(markdown.code, ids))}"
    if len(plan.changes):
        yield (
            f"**All {len(plan.changes):,} lines, with their values**, are the value of this asset: a Parquet file, "
            "whose path is under `file` in the table of metadata. To open it as a spreadsheet, put the path for "
            "PATH:\n\n"
            "```sh\n"
            'python -c "import pandas\n'
            "pandas.read_parquet('PATH').to_csv('plan.csv')\"\n"
            "```"
        )


def kinds_of(plan: Plan) -> list[str]:
    """The actions of the plan that change something, in their order."""
    return [action for action in PLANNED if action in plan.counts]


def _held(plan: Plan) -> bool:
    return bool(plan.removals_held or plan.changes_held)


def chapter(sync: SyncConfig, plan: Plan, action: str, rows: pd.DataFrame, most: int = RECORDS) -> Iterator[str]:
    """What would be done of one kind: how often, in which fields, the first records. rows: those lines of the plan."""
    records = int(rows["key"].nunique())
    tag = f" {markdown.code(sync.tag)}" if isinstance(sync, AudienceSyncConfig) else ""
    held = ", held" if (action == "untag" and plan.removals_held) or (action == "update" and plan.changes_held) else ""
    yield f"### {action.capitalize()}{tag}: {max(records, plan.counts[action]):,}{held}"
    frequent = rows["field"].value_counts()
    if action in ("create", "update") and records > 1:
        yield "Fields: " + ", ".join(f"{markdown.code(field)} {count:,}" for field, count in frequent.items()) + "."
    keys = rows["key"].drop_duplicates().head(most)
    shown = rows[rows["key"].isin(keys)].assign(
        _record=lambda some: some["key"].map({key: number for number, key in enumerate(keys)}),
        _rank=lambda some: some["field"].map({field: number for number, field in enumerate(frequent.index)}),
    )
    shown = shown.sort_values(["_record", "_rank"], kind="stable")
    masked = masked_table(shown, len(shown), show_values=show_values(), values=("before", "after"))
    if action == "update":
        yield _before_and_after(masked)
    elif action == "create":
        yield _created(masked)
    else:
        lines = [[markdown.text(key), markdown.code(id_)] for key, id_ in masked[["key", "kustomer_id"]].to_numpy()]
        yield markdown.table(["row", "record in Kustomer"], lines)
    if records > len(keys):
        yield f"… and {records - len(keys):,} more."


def _before_and_after(rows: pd.DataFrame) -> str:
    """A line for each field; the row is named once."""
    lines, last = [], None
    for record, key, field, before, after in rows[["_record", "key", "field", "before", "after"]].to_numpy():
        named = "" if record == last else markdown.text(key)
        lines.append([named, markdown.code(field), f"{markdown.value(before)} → {markdown.value(after)}"])
        last = record
    return markdown.table(["row", "field", "before → after"], lines)


def _created(rows: pd.DataFrame) -> str:
    """A line for each record, with all its fields."""
    lines = []
    for _, record in rows.groupby("_record", sort=False):
        pairs = zip(record["field"], record["after"], strict=True)
        fields = ", ".join(f"{markdown.code(field)}: {markdown.value(after)}" for field, after in pairs)
        lines.append([markdown.text(record["key"].iloc[0]), fields])
    return markdown.table(["row", "new record"], lines)
