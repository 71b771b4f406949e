"""Whether somebody looks, later, at what was sent: how often, at how much of it, and what is done about drift."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from .in_dagster import Duration
from .parts import Attributes
from .problems import Problem

_LEAST = timedelta(minutes=15)


def _sample(value: Any) -> Any:
    if value == "all" or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return value
    raise ValueError(f"{value!r} is not allowed; use a whole number of records, 1 at least, or all")


class Drift(Attributes):
    """A look at records that were accepted before."""

    every: Duration = Field(
        timedelta(days=1),
        validate_default=True,
        description="How often: 6h, 1d, 1w. By a schedule of its own, off until it is switched on.",
    )
    sample: Annotated[int | Literal["all"], BeforeValidator(_sample)] = Field(
        500,
        description="How many records are read, drawn by chance in each look; all: every one of them, 100 a request.",
    )

    @field_validator("every", mode="after")
    @classmethod
    def _not_all_the_time(cls, every: timedelta) -> timedelta:
        if every < _LEAST:
            raise ValueError("a look costs requests of the org's budget: 15m at least")
        return every


class Drifting(Attributes):
    """Drift."""

    drift: Drift | None = Field(
        None,
        description="Look again, later, at records that were accepted: which mapped fields differ from what was sent, "
        "since when and by whom, and which records were deleted or merged. {every: 1d, sample: 500}.",
        examples=[{"every": "1d", "sample": 500}, {"every": "1w", "sample": "all"}],
    )
    on_drift: Literal["report", "restore", "accept"] = Field(
        "report",
        description="report: only say so. restore: the next run sends ours again. accept: leave the field to Kustomer "
        "until the warehouse's value changes.",
    )
    on_deleted: Literal["report", "recreate", "forget"] = Field(
        "report",
        description="report: only say so. recreate: the next run looks for the record and creates it where nobody has "
        "it. forget: leave the row out until it changes in the warehouse.",
    )


def drift_problems(attributes: Drifting, mode: str) -> Iterator[Problem]:
    """What would never happen. `mode`: of the sync."""
    for name, value in (("on_drift", attributes.on_drift), ("on_deleted", attributes.on_deleted)):
        if attributes.drift is None and value != "report":
            yield Problem((name,), "nothing looks for drift: write drift as well, e.g. drift: {every: 1d}")
    if attributes.on_drift == "restore" and mode == "insert":
        yield Problem(("on_drift",), "mode: insert changes no record, so nothing would be restored; use report")
    if attributes.on_deleted == "recreate" and mode == "update":
        yield Problem(("on_deleted",), "mode: update creates no record; use report or forget")
