"""Times, lengths and shares as a message says them."""

from datetime import UTC, datetime


def when(at: float) -> str:
    """`2026-01-31 06:12 UTC`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def hours(seconds: float) -> str:
    """`26 h`, `45 min`, `20 s`."""
    if seconds >= 2 * 3600:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"


def share(value: float) -> str:
    """`1.5%`."""
    return f"{value:.1%}"
