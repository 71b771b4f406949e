"""Moments as they come out of the state."""

from datetime import UTC, datetime
from typing import overload


@overload
def with_zone(moment: datetime) -> datetime: ...
@overload
def with_zone(moment: None) -> None: ...
@overload
def with_zone(moment: datetime | None) -> datetime | None: ...
def with_zone(moment: datetime | None) -> datetime | None:
    """SQLite gives times back without their zone."""
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)
