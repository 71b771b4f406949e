"""What several commands say alike: counts, ages, masked values, the command that comes next."""

from __future__ import annotations

import argparse
import re
import shlex
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd

from kustomer_pipeline.components.reason_groups import by_reason
from kustomer_pipeline.components.tables import masked_keys
from kustomer_pipeline.sync import Plan, RunOptions
from kustomer_pipeline.sync.wording import quantity

from .terminal import Part

_MOST_REASONS = 10


def new_run_id() -> str:
    """What a run from the command line is known by."""
    return f"cli-{uuid.uuid4().hex[:12]}"


def made_together(plans: Iterable[Plan]) -> str | None:
    """The id that stands for all of these plans; None where one of them at most has something to do."""
    ids = [plan.made_in for plan in plans if plan.id is not None]
    return ids[0] if len(ids) > 1 else None


def asked_of(options: argparse.Namespace, run_id: str) -> RunOptions:
    """What a plan or a run is told."""
    return RunOptions(
        run_id,
        full_resync=options.full_resync,
        limit=options.limit,
        only=options.only,
        only_keys=frozenset(options.only_keys) if options.only_keys else None,
        clean_up=options.clean_up,
        adopt=options.adopt,
    )


def next_command(options: argparse.Namespace, *words: str) -> str:
    """A command of ours as it can be copied: for the same project and org."""
    more = ["--project", str(options.project)] if options.project != Path() else []
    more += ["--org", options.org] if options.org is not None else []
    return f"{options.program} {shlex.join([*words, *more])}"


def counted(counts: Iterable[tuple[int, str]]) -> str:
    """`12 created, 7 updated`: those that are not zero."""
    return ", ".join(f"{count:,} {name}" for count, name in counts if count)


def shown_key(key: str) -> str:
    """A row's key as it may be shown."""
    return masked_keys([key])[0]


def plain(markdown: str) -> str:
    """Sentences of ours without the signs of Markdown."""
    return re.sub(r"\*\*|`", "", markdown)


def ago(moment: datetime, now: datetime) -> str:
    """`5 minutes ago`."""
    return f"{length(now - moment)} ago"


def length(span: timedelta) -> str:
    """`5 minutes`."""
    seconds = max(span.total_seconds(), 0)
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * size or (unit != "day" and seconds >= size):
            return quantity(int(seconds // size), unit, f"{unit}s")
    return quantity(int(seconds), "second", "seconds")


def reasons(rows: pd.DataFrame, outcomes: Iterable[str]) -> Iterator[tuple[Part, ...]]:
    """Lines: how many rows (key, outcome, reason) have which reason, and which for example; the most frequent first."""
    groups = by_reason(rows, outcomes)
    width = max((len(f"{group.rows:,}") for group in groups), default=0)
    for group in groups[:_MOST_REASONS]:
        examples = ", ".join(masked_keys(group.examples))
        alike = ", and alike" if group.varies else ""
        yield f"  {group.rows:>{width},} {group.outcome}  {group.reason}{alike}", (f"  {examples}", "dim")
    if left := groups[_MOST_REASONS:]:
        rows_left = sum(group.rows for group in left)
        yield (f"  … and {quantity(rows_left, 'row', 'rows')} with {quantity(len(left), 'other reason', 'others')}",)
