"""Parts of a sync as a `defs.yaml` writes them, each with the description that the docs page shows."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import dagster as dg
from phonenumbers import SUPPORTED_REGIONS
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    field_validator,
)

from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.mapping.catalogue import TAG_PATTERN


class Attributes(BaseModel):
    """Base of everything written in YAML: unknown keys are mistakes, values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldColumns(Attributes):
    """A field in its long form: `{column: ltv, write: if_empty}`."""

    column: str | None = Field(None, min_length=1, description="The warehouse column.")
    columns: list[str] | None = Field(None, min_length=1, description="Several columns, for a list field.")
    write: Literal["overwrite", "if_empty"] = Field(
        "overwrite",
        description="overwrite: the warehouse's value wins. if_empty: only fill what is empty in Kustomer.",
    )
    match: Literal["externalId", "name", "id"] | None = Field(
        None,
        description="For company only: what the column holds. externalId (default), the company's name, "
        "or Kustomer's own id.",
    )
    missing: Literal["reject", "send_without"] | None = Field(
        None,
        description="For company only: what becomes of a row whose company Kustomer does not have. reject (default): "
        "it is refused, and tried again. send_without: it is sent without the link, which comes with the first run "
        "that finds the company.",
    )
    show: bool = Field(
        False,
        description="Show its values in plans, reports and on the command line, where values are masked otherwise. "
        "They are in Dagster's event log then.",
    )

    @field_validator("columns", mode="after")
    @classmethod
    def _one_of_both(cls, columns: list[str] | None, info: Any) -> list[str] | None:
        if columns is not None and info.data.get("column") is not None:
            raise ValueError("write either column or columns, not both")
        return columns


def _form_of_field(value: Any) -> str | None:
    if isinstance(value, str):
        return "<column>"
    if isinstance(value, Mapping | FieldColumns):
        return "<mapping>"
    return "<columns>" if isinstance(value, Sequence) else None


Column = Annotated[str, Field(min_length=1)]
FieldSource = Annotated[
    Annotated[Column, Tag("<column>")]
    | Annotated[Annotated[Sequence[Column], Field(min_length=1)], Tag("<columns>")]
    | Annotated[FieldColumns, Tag("<mapping>")],
    Discriminator(
        _form_of_field,
        custom_error_type="field_source",
        custom_error_message="write a column, a list of columns, or {column: …, write: …}",
    ),
]


def field_mappings(fields: Mapping[str, FieldSource]) -> tuple[FieldMapping, ...]:
    """The engine's form of the `fields:` block."""
    return tuple(_field_mapping(field, source) for field, source in fields.items())


def _field_mapping(field: str, source: FieldSource) -> FieldMapping:
    if isinstance(source, str):
        return FieldMapping(field, (source,))
    if not isinstance(source, FieldColumns):
        return FieldMapping(field, tuple(source))
    columns = source.columns if source.columns is not None else [source.column] if source.column else []
    return FieldMapping(
        field, tuple(columns), write=source.write, match=source.match, missing=source.missing, show=source.show
    )


def _no_boolean(value: Any) -> Any:
    if isinstance(value, bool):  # pydantic takes `yes` for 1
        raise ValueError("has to be a number")
    return value


Share = Annotated[float, BeforeValidator(_no_boolean), Field(ge=0, le=1)]
Count = Annotated[int, BeforeValidator(_no_boolean)]


def _valid_cron(cron: str) -> str:
    try:
        dg.ScheduleDefinition(name="check", job_name="check", cron_schedule=cron)
    except dg.DagsterInvalidDefinitionError:
        raise ValueError(
            f"{cron!r} is not a cron expression: five parts (minute, hour, day, month, weekday), "
            'for instance "0 6 * * *" for six in the morning'
        ) from None
    return cron


def _valid_timezone(timezone: str) -> str:
    try:
        if not timezone.strip():  # which Dagster takes for UTC
            raise ValueError
        dg.ScheduleDefinition(name="check", job_name="check", cron_schedule="0 6 * * *", execution_timezone=timezone)
    except Exception:  # Dagster lets the errors of its time zone library through
        raise ValueError(
            f"{timezone!r} is not a time zone; use a name such as UTC, Europe/Berlin or America/New_York"
        ) from None
    return timezone


Cron = Annotated[str, AfterValidator(_valid_cron)]
Timezone = Annotated[str, AfterValidator(_valid_timezone)]


class Schedule(Attributes):
    """A schedule of the sync's own."""

    cron: Cron = Field(description='When to run, as a cron expression: "0 6 * * *" is six in the morning.')
    timezone: Timezone = Field("UTC", description="The time zone of the cron expression, e.g. Europe/Berlin.")


def _valid_schema(schema: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", schema):
        raise ValueError(
            f"{schema!r} cannot be the name of a schema here: letters, digits and _, not first a digit, at most 63"
        )
    return schema


SchemaName = Annotated[str, AfterValidator(_valid_schema)]


class LogTo(Attributes):
    """Where the sync writes what became of its rows."""

    # The attribute has a name of its own because pydantic's models have a `schema` already.
    schema_: SchemaName = Field(
        alias="schema",
        description="The schema of the warehouse for the tables sync_log, sync_runs and rejects, e.g. kustomer_sync. "
        "Schema and tables are created when they are missing.",
    )


class MaxRemovals(Attributes):
    """The guard of removals of an audience: beyond either limit nothing is untagged."""

    share: Share = Field(0.2, description="Share of the members that one run may untag, 0 to 1.")
    count: Count = Field(1000, ge=0, description="Number of members that one run may untag.")


class MaxChanges(Attributes):
    """The guard of a sync of records: beyond either limit none of the known records is changed."""

    share: Share = Field(0.5, description="Share of the records sent before that one run may change, 0 to 1.")
    count: Annotated[Count, Field(ge=0)] | None = Field(
        None, description="Number of those records that one run may change. Unset: only the share counts."
    )


def _valid_tag(tag: str) -> str:
    if re.fullmatch(r"[0-9a-f]{24}", tag, re.IGNORECASE):
        raise ValueError(f"{tag!r} looks like the id of a tag; give the tag a name")
    if not re.fullmatch(TAG_PATTERN, tag):
        raise ValueError(
            f"{tag!r} cannot be the name of a tag: 1 to 64 letters (À to ÿ too), digits, blanks (not first) "
            "and _ / < > - . are allowed"
        )
    return tag


TagName = Annotated[str, AfterValidator(_valid_tag)]


def _valid_region(region: Any) -> Any:
    if isinstance(region, bool):
        raise ValueError('without quotes YAML reads NO as "false"; write "NO"')
    if isinstance(region, list | dict):
        raise ValueError("has to be text: two capital letters such as US, GB or DE")
    if region is not None and (not isinstance(region, str) or region not in SUPPORTED_REGIONS):
        raise ValueError(f"{region!r} is not a region: two capital letters such as US, GB or DE")
    return region


Region = Annotated[str | None, BeforeValidator(_valid_region)]


def _valid_owner(owner: str) -> str:
    try:
        dg.AssetSpec("check", owners=[owner])
    except dg.DagsterInvalidDefinitionError:
        raise ValueError(f"{owner!r} is not an owner: an e-mail address, or team:<name>") from None
    return owner


Owner = Annotated[str, AfterValidator(_valid_owner)]
