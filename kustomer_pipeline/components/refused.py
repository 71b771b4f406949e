"""The rows that were not written, by reason: a Markdown table in which every reason is whole."""

from collections.abc import Iterable

import pandas as pd

from kustomer_pipeline.mapping import INVALID, KEY
from kustomer_pipeline.sync import Plan
from kustomer_pipeline.sync.wording import ROWS, quantity

from . import markdown
from .reason_groups import MOST, by_reason
from .tables import masked_keys

_COUNTED = 10


def refused_table(rows: pd.DataFrame, outcomes: Iterable[str]) -> str:
    """How many rows (key, outcome, reason) have which reason, and which rows for example; keys masked as everywhere."""
    groups = by_reason(rows, outcomes)
    lines = [
        [
            f"{group.rows:,}",
            group.outcome,
            markdown.text(group.reason) + (", and alike" if group.varies else ""),
            ", ".join(map(markdown.text, masked_keys(group.examples))),
        ]
        for group in groups[:MOST]
    ]
    shown = markdown.table(["rows:", "outcome", "reason", "for example"], lines)
    left = groups[MOST:]
    more = (
        f"\n\n… and {quantity(sum(group.rows for group in left), *ROWS)} with "
        f"{quantity(len(left), 'other reason', 'other reasons')}."
        if left
        else ""
    )
    return shown + more


def reasons_counted(rows: pd.DataFrame) -> str:
    """How many of the refused rows have which reason, without examples; empty where there is none."""
    groups = by_reason(rows, ["rejected", "invalid"])
    lines = [
        [markdown.text(group.reason) + (", and alike" if group.varies else ""), f"{group.rows:,}"]
        for group in groups[:_COUNTED]
    ]
    if left := sum(group.rows for group in groups[_COUNTED:]):
        lines.append(["for another reason", f"{left:,}"])
    return markdown.table(["refused, because", "rows:"], lines) if lines else ""


def would_be_refused(plan: Plan, mapped: pd.DataFrame) -> pd.DataFrame:
    """The rows (key, outcome, reason) that a run would not write: by Kustomer's word, or by that of the mapping."""
    rejected = plan.changes.loc[plan.changes["action"] == "reject", ["key", "reason"]].assign(outcome="rejected")
    invalid = mapped.loc[mapped[INVALID].notna(), [KEY, INVALID]].set_axis(["key", "reason"], axis=1)
    rows = pd.concat([rejected, invalid.assign(outcome="invalid")], ignore_index=True)
    return rows[["key", "outcome", "reason"]].astype("string")
