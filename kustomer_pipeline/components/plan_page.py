"""A plan as a page that is read from top to bottom: what would change, how much of it, record by record, one line each.

    headline ─ cost ─ counts per field, per reason ─ a chapter for each kind of change ─ what is held, how to approve it
             ─ what would be refused ─ where all of it is

Masked unless KUSTOMER_SHOW_VALUES=1 or the sync shows a field: the page is in Dagster's event log. The values are in
the asset's own value only, which is kept and removed with the other frames.
"""

from collections.abc import Iterator

import pandas as pd

from kustomer_pipeline.sync import Plan
from kustomer_pipeline.sync.wording import REQUESTS, quantity

from . import markdown
from .approvals import approval_advice, changes_advice, removals_advice
from .changed_records import ARROW, RecordLine, fields_changed, records_of
from .no_rows import no_rows_of
from .refused import reasons_counted, refused_table
from .sync_config import AudienceSyncConfig, ResourceKeys, SyncConfig

RECORDS = 50  # of each kind of change; new records are much like one another
NEW_RECORDS = 10
FIELDS = 20  # that are counted one by one
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
        _waiting(sync, plan),
        f"**{empty}.**" if (empty := no_rows_of(sync, plan)) is not None else "",
    ]
    return "\n\n".join(filter(None, lines))


def _waiting(sync: SyncConfig, plan: Plan) -> str:
    count = plan.removals.waiting
    seem = quantity(count, "member who seems", "members who seem")
    return f"**{seem} to have left would keep the tag**, because of rows that are refused." if count else ""


def plan_page(sync: SyncConfig, plan: Plan, refused: pd.DataFrame | None = None) -> str:
    """The whole page. refused: the rows (key, outcome, reason) that a run would not write; None: those of the plan."""
    if refused is None:
        refused = plan.changes[plan.changes["action"] == "reject"].assign(outcome="rejected")
    return markdown.page(_parts(sync, plan, refused))


def _parts(sync: SyncConfig, plan: Plan, refused: pd.DataFrame) -> Iterator[str]:
    yield plan_headline(sync, plan)
    yield (
        f"Nothing has been sent. To send it, run the job `sync_{sync.name}`: {plan.estimate}. "
        f"This plan took {quantity(plan.requests, *REQUESTS)}."
    )
    if plan.notes:
        yield "\n".join(f"- {note}" for note in plan.notes)
    if fields := _fields(plan):
        yield f"### By field\n\n{fields}"
    if len(refused):
        yield f"### Refused, by reason\n\n{reasons_counted(refused)}"
    for action in sorted(kinds_of(plan), key=lambda action: action == "create"):  # first what is there already
        rows = plan.changes[plan.changes["action"] == action]
        if len(rows):
            yield from chapter(sync, plan, action, rows)
    approving = [
        removals_advice(sync, plan.removals),
        changes_advice(sync, plan.held_changes),
        approval_advice(sync, plan),
    ]
    if any(approving):
        yield "\n\n".join(["### To approve it", *filter(None, approving)])
    if len(refused):
        yield f"### Would be refused: {len(refused):,}"
        yield refused_table(refused, ["rejected", "invalid"])
    if plan.skipped:
        lines = [[markdown.text(reason), f"{count:,}"] for reason, count in plan.skipped.items()]
        yield f"### Would be skipped\n\n{markdown.table(['because', 'rows:'], lines)}"
    if len(plan.changes):
        yield f"### All of it\n\n**All {len(plan.changes):,} lines, with their values**, {_where(sync)}"


def _where(sync: SyncConfig) -> str:
    """Where all of it is: a project's own IO manager writes what it writes."""
    if sync.resource_keys.frames != ResourceKeys().frames:
        return f"are the value of this asset, where `{sync.resource_keys.frames}` keeps it."
    return (
        "are in a file beside the other frames: `csv` in the table of metadata says where for a spreadsheet, `file` "
        "where as Parquet. Only its owner may read it, and it goes when it is not among the newest any more "
        "(`KUSTOMER_KEEP_FRAMES`)."
    )


def _fields(plan: Plan) -> str:
    """In how many records which field would change."""
    actions = [action for action in ("update", "create") if plan.counts.get(action)]
    fields = fields_changed(plan)
    lines = [
        [markdown.code(field), *(f"{counts[action]:,}" if action in counts else "" for action in actions)]
        for field, counts in fields[:FIELDS]
    ]
    if len(fields) > FIELDS:
        lines.append([quantity(len(fields) - FIELDS, "other field", "other fields"), *("" for _ in actions)])
    return markdown.table(["field", *(f"{action}:" for action in actions)], lines) if lines else ""


def kinds_of(plan: Plan) -> list[str]:
    """The actions of the plan that change something, in their order."""
    return [action for action in PLANNED if action in plan.counts]


def _held(plan: Plan) -> bool:
    return bool(plan.removals_held or plan.changes_held)


def chapter(sync: SyncConfig, plan: Plan, action: str, rows: pd.DataFrame, most: int | None = None) -> Iterator[str]:
    """What would be done of one kind: how often, in which fields, the first records. rows: those lines of the plan."""
    records = int(rows["key"].nunique())
    tag = f" {markdown.code(sync.tag)}" if isinstance(sync, AudienceSyncConfig) else ""
    held = ", held" if (action == "untag" and plan.removals_held) or (action == "update" and plan.changes_held) else ""
    yield f"### {action.capitalize()}{tag}: {max(records, plan.counts[action]):,}{held}"
    shown = records_of(plan, rows, most or (NEW_RECORDS if action == "create" else RECORDS))
    if action == "update":
        yield markdown.table(["row", "record", f"field: before {ARROW} after"], [_changed(one) for one in shown])
    elif action == "create":
        yield markdown.table(["row", "new record"], [[markdown.text(one.key), _values(one)] for one in shown])
    else:
        lines = [[markdown.text(one.key), _record(one.kustomer_id)] for one in shown]
        yield markdown.table(["row", "record in Kustomer"], lines)
    if records > len(shown):
        yield f"… and {records - len(shown):,} more."


def _record(kustomer_id: object) -> str:
    """None: an earlier sync is going to create it."""
    return markdown.code(kustomer_id) if isinstance(kustomer_id, str) else "*to be created by an earlier sync*"


def _changed(line: RecordLine) -> list[str]:
    """A line of the table of updates."""
    return [markdown.text(line.key), markdown.code(line.kustomer_id), _values(line)]


def _values(line: RecordLine) -> str:
    parts = []
    for one in line.fields:
        before = "" if line.action == "create" else f"{markdown.value(one.before)} {ARROW} "
        parts.append(f"{markdown.code(one.field)}: {before}{markdown.value(one.after)}")
    return "; ".join([*parts, *([f"… and {line.more:,} more"] if line.more else [])])
