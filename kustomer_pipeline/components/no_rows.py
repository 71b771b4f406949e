"""A query that returned nothing, where records were sent before: nothing is removed because of it, and nothing is kept
up to date either, so nobody would see it."""

from kustomer_pipeline.sync import Plan, SyncReport
from kustomer_pipeline.sync.wording import RECORDS, quantity

from .sync_config import SyncConfig


def no_rows_of(sync: SyncConfig, ran: Plan | SyncReport) -> str | None:
    """What is told of a run or a plan whose query returned no row; None where that is as it was, or of an audience,
    whose guard looks at it."""
    if sync.is_audience:
        return None
    if isinstance(ran, Plan):
        read, before = sum(ran.counts.values()), ran.accepted_before
    else:
        read, before = ran.counts.read if ran.interrupted is None else 1, ran.accepted_before
    if read or not before:
        return None
    return (
        f"The query returned no row, where {quantity(before, *RECORDS)} were sent before: look at the query, and at "
        "what fills its table. Nothing was changed in Kustomer"
    )
