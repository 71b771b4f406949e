"""The rows that were not written, by reason: a Markdown table in which every reason is whole."""

from collections.abc import Iterable

import pandas as pd

from kustomer_pipeline.sync.wording import ROWS, quantity

from . import markdown
from .reason_groups import MOST, by_reason
from .tables import masked_keys


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
