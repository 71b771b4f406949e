"""How a sync sits in Dagster: names and labels, its place in the graph, what starts it, which resources it uses.

Nothing of this changes what is sent.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal

import dagster as dg
from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator

from .parts import Attributes, Count, Cron, Owner, Timezone
from .problems import Where

OWN_KINDS = 1  # each asset says what it is: sql, pandas, kustomer, plan
_MAX_KINDS = 3  # Dagster's own limit
_DURATION = re.compile(r"(\d+)\s*([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def _joined(key: Any) -> Any:
    """Dagster writes a key as a list too: `[analytics, customers]`."""
    return "/".join(key) if isinstance(key, list) and all(isinstance(part, str) for part in key) else key


def _valid_key(key: str) -> str:
    parts = key.split("/")
    if not all(re.fullmatch(r"[A-Za-z0-9_.-]+", part) for part in parts):
        raise ValueError(
            f"{key!r} is not the key of an asset: its parts with a slash between them: analytics/customers"
        )
    return key


AssetPath = Annotated[str, BeforeValidator(_joined), AfterValidator(_valid_key)]


class SourceTable(Attributes):
    """The table of an upstream asset."""

    asset: AssetPath = Field(description="The key of the upstream asset, e.g. analytics/customers.")
    table: str = Field(min_length=1, description="Its table in the warehouse, e.g. analytics.customers.")


def _form_of_source(value: Any) -> str | None:
    if isinstance(value, str | list):
        return "<asset>"
    return "<table>" if isinstance(value, Mapping | SourceTable) else None


Source = Annotated[
    Annotated[AssetPath, Tag("<asset>")] | Annotated[SourceTable, Tag("<table>")],
    Discriminator(
        _form_of_source,
        custom_error_type="source",
        custom_error_message="write the key of an asset, or {asset: …, table: …}",
    ),
]


class OnCron(Attributes):
    """At each tick of a cron expression, as soon as everything upstream has been updated since."""

    on_cron: Cron = Field(description='A cron expression: "0 6 * * *" is six in the morning.')
    timezone: Timezone = Field("UTC", description="The time zone of the cron expression, e.g. Europe/Berlin.")


def _form_of_automation(value: Any) -> str | None:
    if isinstance(value, str):
        return "<word>"
    return "<cron>" if isinstance(value, Mapping | OnCron) else None


Automation = Annotated[
    Annotated[Literal["eager", "on_missing"], Tag("<word>")] | Annotated[OnCron, Tag("<cron>")],
    Discriminator(
        _form_of_automation,
        custom_error_type="automation",
        custom_error_message='write eager, on_missing, or {on_cron: "0 6 * * *"}',
    ),
]


def _duration(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError("has to be a length of time: a whole number and m, h, d or w, such as 90m, 26h or 2d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


Duration = Annotated[
    timedelta, BeforeValidator(_duration), WithJsonSchema({"type": "string", "pattern": "^[0-9]+ ?[mhdw]$"})
]


class Freshness(Attributes):
    """How old the last success may be."""

    fail_after: Duration = Field(description="Older than this, the asset is shown as stale: 90m, 26h, 2d.")
    warn_after: Duration | None = Field(None, description="Older than this, Dagster warns; has to be shorter.")

    @model_validator(mode="after")
    def _in_order(self) -> "Freshness":
        if self.fail_after < timedelta(minutes=1) or (self.warn_after and self.warn_after < timedelta(minutes=1)):
            raise ValueError("a minute is the least that Dagster can watch")
        if self.warn_after is not None and self.warn_after >= self.fail_after:
            raise ValueError("warn_after has to be shorter than fail_after")
        return self


class ResourceKeys(Attributes):
    """The names under which the project has the resources that a sync uses."""

    warehouse: str = Field("warehouse", min_length=1, description="The WarehouseResource.")
    kustomer: str = Field("kustomer", min_length=1, description="The KustomerResource: which org is written to.")
    state: str = Field("state", min_length=1, description="The StateResource.")
    frames: str = Field(
        "kustomer_frames",
        min_length=1,
        description="The IO manager that keeps the DataFrames between the steps; io_manager for the project's own.",
    )


def _valid_group(group: str) -> str:
    try:
        dg.AssetSpec("check", group_name=group)
    except dg.DagsterInvalidDefinitionError:
        raise ValueError(f"{group!r} cannot be the name of a group: use letters, digits and _ only") from None
    return group


def _valid_tags(tags: Mapping[str, str]) -> Mapping[str, str]:
    try:
        dg.AssetSpec("check", tags=tags)
    except (dg.DagsterInvalidDefinitionError, dg.DagsterInvariantViolationError):
        raise ValueError(
            "a tag of Dagster's is a word or a domain and a word: {team: crm, acme.example/tier: gold}"
        ) from None
    return tags


def _not_kustomers_tags(tags: Any) -> Any:
    if isinstance(tags, str | list):
        raise ValueError(
            "these are Dagster's, keys and values: {team: crm}. The tag that an audience gives is written tag"
        )
    return tags


def _valid_kinds(kinds: Sequence[str]) -> Sequence[str]:
    if len({*kinds}) > _MAX_KINDS - OWN_KINDS:
        raise ValueError(
            f"at most {_MAX_KINDS - OWN_KINDS}: Dagster shows {_MAX_KINDS}, and each asset has one of its own"
        )
    for kind in kinds:
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", kind):
            raise ValueError(f"{kind!r} is not a kind: one word, such as snowflake")
    return kinds


class InDagster(Attributes):
    """The attributes of a sync that are about Dagster."""

    key_prefix: AssetPath = Field(
        "kustomer",
        description="What the keys of the sync's assets begin with, / between the parts: kustomer, or crm/kustomer.",
    )
    group: Annotated[str, AfterValidator(_valid_group)] | None = Field(
        None, description="The group of the sync's assets. Default: the sync's name."
    )
    tags: Annotated[dict[str, str], BeforeValidator(_not_kustomers_tags), AfterValidator(_valid_tags)] = Field(
        {}, description="Dagster's tags of the sync's assets, to find them by. Nothing to do with tags in Kustomer."
    )
    kinds: Annotated[list[str], AfterValidator(_valid_kinds)] = Field(
        [], description="Kinds that the assets show besides their own, e.g. [snowflake]. At most two."
    )
    owners: list[Owner] = Field([], description="Who to ask: e-mail addresses, or teams as team:<name>.")
    description: str | None = Field(None, description="What this sync is for, shown on its assets.")
    deps: list[AssetPath] = Field(
        [],
        description="Keys of assets that have to be made first, such as the dbt model that the query reads: "
        "[analytics/customers]. In a run that has both, the sync waits for them.",
        examples=[["analytics/customers"]],
    )
    source: Source | None = Field(
        None,
        description="An upstream asset instead of a query: its key, when its value is a DataFrame; {asset, table}, "
        "when it is a table of the warehouse.",
        examples=["analytics/customers", {"asset": "analytics/customers", "table": "analytics.customers"}],
    )
    automation: Automation | None = Field(
        None,
        description="Dagster's declarative automation, instead of watch or schedule. eager: as soon as something "
        "upstream is new. on_missing: once. {on_cron: …, timezone: …}: at each tick, when everything upstream is new.",
        examples=["eager", {"on_cron": "0 6 * * *", "timezone": "Europe/Berlin"}],
    )
    freshness: Freshness | None = Field(
        None,
        description="How old the last success may be before Dagster warns: {fail_after: 26h, warn_after: 25h}.",
        examples=[{"fail_after": "26h", "warn_after": "25h"}],
    )
    run_retries: Annotated[Count, Field(ge=0)] = Field(
        3,
        description="How often Dagster tries a run again that failed for a reason that passes: no connection, Kustomer "
        "failing, its budget used up by others. Never for rows that were refused. 0: never.",
    )
    resource_keys: ResourceKeys = Field(
        ResourceKeys(),
        description="The names of the resources that the sync uses: {warehouse, kustomer, state, frames}. For several "
        "orgs in one project.",
        examples=[{"kustomer": "kustomer_eu"}],
    )

    @property
    def source_asset(self) -> str | None:
        """The key of the asset that is the source, in either form."""
        return self.source.asset if isinstance(self.source, SourceTable) else self.source

    def upstream_keys(self) -> Iterator[tuple[Where, str]]:
        """The assets that have to be made first, by their keys, and where each is written."""
        yield from ((("deps", position), key) for position, key in enumerate(self.deps))
        if isinstance(self.source, SourceTable):
            yield ("source", "asset"), self.source.asset
        elif self.source is not None:
            yield ("source",), self.source
