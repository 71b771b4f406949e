"""Whether somebody has to approve what a sync writes."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from kustomer_pipeline.sync import Approval

from .in_dagster import Duration
from .parts import Attributes


class MaxAge(Attributes):
    """For how long a plan may be applied."""

    max_age: Duration = Field(description="A plan that is older is not applied: 24h, 3d.")

    @model_validator(mode="after")
    def _some_time(self) -> "MaxAge":
        if self.max_age < timedelta(minutes=1):
            raise ValueError("a plan has to live for a minute at least, or nobody can read it")
        return self


def _form(value: Any) -> str | None:
    if isinstance(value, str):
        return "<word>"
    return "<max_age>" if isinstance(value, Mapping | MaxAge) else None


RequiredApproval = Annotated[
    Annotated[Literal["required"], Tag("<word>")] | Annotated[MaxAge, Tag("<max_age>")],
    Discriminator(
        _form,
        custom_error_type="approval",
        custom_error_message="write required, or {max_age: 24h}, which means it too",
    ),
]


class Approving(Attributes):
    """Approved plans."""

    approval: RequiredApproval | None = Field(
        None,
        description="required: a run writes only what an approved plan holds; until one is approved it writes nothing. "
        "{max_age: 24h}: the same, and for how long a plan may be applied (24h unless written).",
        examples=["required", {"max_age": "8h"}],
    )

    @property
    def approval_rule(self) -> Approval | None:
        """As the engine takes it."""
        if self.approval is None:
            return None
        return Approval(self.approval.max_age) if isinstance(self.approval, MaxAge) else Approval()
