"""What a sensor does with a look at a table: run the sync, or say why not. Pure: no warehouse, no Dagster, no clock.

The table as it is seen is a watermark (its rows were read) or a signal (a query of the user's own, or the warehouse's
metadata, was asked).

    the table now, the last look (cursor), what became of the run it asked for, the time → Decision

A sync is run when the table differs from the last look; again when the run for that look failed (a few times, ever
later); and after `at_least_every` seconds whatever the table looks like. While the run that was asked for is under
way nothing is asked for and the look is not moved on, so that what changes meanwhile is seen afterwards.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Literal

from kustomer_pipeline.warehouse import Watermark
from kustomer_pipeline.warehouse.signals import Signal

Seen = Watermark | Signal

MAX_ATTEMPTS = 4
FIRST_PAUSE_SECONDS = 60.0
PAUSE_GROWS_BY = 4  # 1, 4 and 16 minutes after a failure
PATIENCE_SECONDS = 3600.0  # for a run that is said to be under way and may be dead


@dataclass(frozen=True)
class Look:
    """What the cursor remembers: how the table was, and which run was asked for, when, and for which time."""

    watermark: Seen
    run_key: str
    asked_at: float
    attempt: int = 1

    def as_json(self) -> str:
        """As a sensor's cursor keeps it."""
        return json.dumps(
            {
                "watermark": self.watermark.as_json(),
                "run_key": self.run_key,
                "asked_at": self.asked_at,
                "attempt": self.attempt,
            }
        )

    @classmethod
    def from_json(cls, cursor: str | None) -> "Look | None":
        """The opposite; None at the first look, or when somebody has written something else."""
        try:
            values = json.loads(cursor or "")
            watermark = _seen(values["watermark"])
            return cls(watermark, str(values["run_key"]), float(values["asked_at"]), int(values["attempt"]))
        except (ValueError, TypeError, KeyError):
            return None


@dataclass(frozen=True)
class AskedRun:
    """What became of the run that was asked for. `ended_at` is None while it is under way."""

    status: Literal["under way", "failed", "done"]
    ended_at: float | None = None


@dataclass(frozen=True)
class Decision:
    """Run the sync, as attempt number `attempt` at this state of the table; or not (None). `why` is for a person."""

    attempt: int | None
    why: str


def decide(
    now: Seen, before: Look | None, asked: AskedRun | None, at: float, *, table: str, at_least_every: float
) -> Decision:
    """Compare with the last look. Not by order: rows can disappear and clocks can be set back."""
    if before is None:
        return Decision(1, f"first look at {table}")
    waited = at - before.asked_at
    if asked is not None and asked.status == "under way" and waited < PATIENCE_SECONDS:
        return Decision(None, f"the run that was asked for is under way; {table} is looked at again afterwards")
    if now != before.watermark:
        return Decision(1, f"{table} has changed")
    if asked is not None and asked.status == "failed" and before.attempt < MAX_ATTEMPTS:
        pause = FIRST_PAUSE_SECONDS * PAUSE_GROWS_BY ** (before.attempt - 1)
        left = pause - (at - (asked.ended_at or before.asked_at))
        if left > 0:
            return Decision(None, f"the last run failed; it is tried again in {left:.0f} s")
        return Decision(before.attempt + 1, "the last run failed")
    if at_least_every and waited >= at_least_every:
        return Decision(1, f"nothing was run for {waited / 3600:.0f} hours")
    failed = f"; the last run failed, {before.attempt} times" if asked and asked.status == "failed" else ""
    return Decision(None, f"{unchanged(table, now)}{failed}")


def run_key(table: str, now: Seen, attempt: int, last_tick: float | None) -> str:
    """Dagster starts only one run per key, ever.

    The end of the tick before this one belongs to it: another tick gives another key, also after the cursor was reset
    or the table has returned to an earlier state, while a tick that died before its cursor was saved gives the same.
    """
    digest = hashlib.blake2b(now.as_json().encode(), digest_size=8).hexdigest()
    return f"{table}:{digest}:{attempt}:{last_tick or 0:.3f}"


def unchanged(table: str, now: Seen) -> str:
    """What a person reads when there is nothing to do."""
    if isinstance(now, Watermark):
        newest = f", the newest from {now.max_updated_at}" if now.max_updated_at else ""
        return f"{table} has not changed: {now.count:,} rows{newest}"
    who = "the query of watch gives the same answer" if now.kind == "query" else "says the warehouse's metadata"
    return f"{table} has not changed: {who}"


def _seen(text: str) -> Seen:
    try:
        return Watermark.from_json(text)
    except ValueError:
        return Signal.from_json(text)
