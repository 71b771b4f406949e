"""What both kinds of sync have in common, and the checks of a sync as a whole.

    attributes (each right on its own) → name, query, what is wrong between them → a sync, or every mistake at once

A sync is the same object whether it was written in YAML or in Python; only YAML adds the file and the line to an error.
"""

import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, model_validator

from kustomer_pipeline.mapping import MATCH_ON, FieldConfigError, FieldMapping, check_fields, field_type
from kustomer_pipeline.sync import AudienceSpec, ObjectSpec

from .alerts import Alerts
from .approving import Approving
from .comparing import Comparing
from .drifting import Drifting, drift_problems
from .in_dagster import InDagster, SourceTable
from .parts import Attributes, Count, FieldSource, LogTo, Region, Schedule, Share, field_mappings
from .problems import Problem, SyncConfigError, Where, did_you_mean, problems_in
from .suppressing import Suppress, suppress_problems
from .watch import Watch, watch_problems

# sync_all and plan_all are jobs over all syncs; an undo keeps its own notes in the state under its name.
RESERVED_NAMES = {"all": "sync_all is the job that runs every sync", "undo_run": "undo_run is the job that undoes one"}


class WhatIsSent(Attributes):
    """The rows, their fields, and what may become of them."""

    query: str | None = Field(
        None,
        description="The SQL that returns one row per record. Write query, query_file or source.",
        examples=["select * from crm.customers"],
    )
    query_file: Path | None = Field(
        None,
        description="A file with the SQL, beside the defs.yaml. Write query, query_file or source.",
        examples=["customers.sql"],
    )
    fields: dict[str, FieldSource] = Field(
        min_length=1,
        description="Kustomer field: warehouse column. Also a list of columns (several e-mails, phones), "
        "or {column: …, write: overwrite | if_empty, show: true}; company: {column: …, match: externalId | name | id, "
        "missing: reject | send_without}. "
        "A custom attribute is written custom.<its name>, e.g. custom.planStr.",
        examples=[{"externalId": "customer_id", "email": "email", "custom.planStr": "plan"}],
    )
    watch: Watch | None = Field(
        None,
        description="What to watch: the sensor runs the sync when it has changed. {table, updated_at}, "
        "{table, by: metadata} or {query}.",
        examples=[{"query": "select max(loaded_at) from etl.loads"}],
    )
    schedule: Schedule | None = Field(None, description="A schedule of its own, besides the daily one.")
    max_failure_share: Share = Field(
        0.05,
        description="Share of rows, 0 to 1, that may be refused: a check warns; above it the run fails.",
    )
    max_deferred_share: Share = Field(
        0.0,
        description="Share of rows, 0 to 1, that may be left for the next run although nobody asked for that (limit, "
        "only, a guard): above it a check warns.",
    )
    default_region: Region = Field(
        None,
        description="Region of phone numbers without +, two letters such as GB. Unset, they are refused.",
    )
    renamed_from: str | None = Field(
        None,
        min_length=1,
        description="The name that this sync had before (its folder's): what is remembered under it is carried over "
        "in the next run. Without it a renamed sync starts anew, and a mirror forgets whom it tagged.",
        examples=["crm_customers"],
    )
    log_to: LogTo | None = Field(
        None,
        description="Write what became of the rows to tables of the warehouse: sync_log (a line per attempted "
        "record), sync_runs (a line per run), rejects (rows that are refused at the moment). The warehouse user "
        "needs to be allowed to.",
        examples=[{"schema": "kustomer_sync"}],
    )
    suppress: Suppress | None = Field(
        None,
        description="People whose rows are skipped, as a query of the warehouse: {query, match_on}. So are, in every "
        "sync, those of people who were forgotten.",
        examples=[{"query": "select email from privacy.erasures", "match_on": "email"}],
    )
    read_back: Count = Field(
        50,
        ge=0,
        description="So many of the written records are read again after a run; the check landed_as_sent warns when "
        "one is not as it was sent. 0: none.",
    )


class SyncAttributes(InDagster, Comparing, Approving, Drifting, WhatIsSent):
    """What both kinds of sync have in common."""

    alerts: Alerts | None = Field(
        None,
        description="Who is told when this sync needs somebody, instead of the project's alerts: [{to, when, …}]. An "
        "empty list: nobody.",
        examples=[[{"to": "ALERTS_SLACK", "when": ["run_failed", "no_success"], "no_success": "26h"}]],
    )


class SyncConfig(SyncAttributes):
    """A sync with its name, whole and checked. The Dagster classes ObjectSync and AudienceSync are its heirs."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    # What the schema shows and YAML may say: everything but the name, which is the folder's.
    attributes_of: ClassVar[type[SyncAttributes]]

    name: str

    @property
    @abstractmethod
    def spec(self) -> ObjectSpec | AudienceSpec:
        """What the engine needs to know."""

    @property
    @abstractmethod
    def parts(self) -> int | None:
        """In how many parts its rows are read, compared and sent, each a run of its own; None: in one run."""

    @property
    @abstractmethod
    def tag_name(self) -> str | None:
        """The tag that an audience keeps; None for a sync that writes records."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """What its records are, in Kustomer's words: customers or companies."""

    @property
    @abstractmethod
    def stage(self) -> int:
        """Its place in the order of all syncs: companies 0, customers 1, audiences 2."""

    @abstractmethod
    def find_problems(self) -> Iterator[Problem]:
        """What is wrong although each attribute on its own is right."""

    @property
    def is_audience(self) -> bool:
        """Whether this sync keeps a tag instead of records."""
        return self.tag_name is not None

    @property
    def sql(self) -> str:
        """The query, wherever it is written; empty where the source is a DataFrame."""
        if isinstance(self.source, SourceTable):
            return f"select * from {self.source.table}"
        if self.query is not None:
            return self.query
        return self.query_file.read_text(encoding="utf-8") if self.query_file is not None else ""

    @property
    def group_name(self) -> str:
        """The group of its assets."""
        return self.group or self.name

    @property
    def mappings(self) -> tuple[FieldMapping, ...]:
        """The fields as the engine takes them."""
        return field_mappings(self.fields)

    @model_validator(mode="wrap")
    @classmethod
    def _all_problems_at_once(cls, data: Any, build: ModelWrapValidatorHandler[Self]) -> Self:
        name = data.get("name") if isinstance(data, Mapping) else None
        title = f"{cls.__name__}({name!r}) cannot be built:"
        try:
            sync = build(data)
        except ValidationError as error:
            raise SyncConfigError(title, list(problems_in(error, cls))) from None
        own = [
            *name_problems(sync.name),
            *sync._query_problems(),
            *watch_problems(sync.watch, sync.resource_keys.warehouse),
            *sync._comparison_problems(),
            *sync._automation_problems(),
            *sync._upstream_problems(),
            *sync._renaming_problems(),
            *suppress_problems(sync.suppress, sync.kind, sync.fields),
            *drift_problems(sync, sync.spec.mode),
            *sync.find_problems(),
        ]
        if own:
            raise SyncConfigError(title, own)
        return sync

    def _query_problems(self) -> Iterator[Problem]:
        given = [name for name in ("query", "query_file", "source") if getattr(self, name) is not None]
        if not given:
            yield Problem(
                (),
                "the query is missing: write query (SQL), query_file (a file with SQL) or source (an upstream asset)",
            )
        elif len(given) > 1:
            yield Problem((given[-1],), f"{given[0]} is written too; keep one of both")
        elif self.source is not None:
            return
        elif self.query_file is not None and not self.query_file.is_file():
            yield Problem(("query_file",), f"there is no file {self.query_file}")
        elif not self.sql.strip():
            where = "query" if self.query is not None else "query_file"
            yield Problem((where,), "the query is empty")

    def _comparison_problems(self) -> Iterator[Problem]:
        if self.compare == "in_warehouse" and isinstance(self.source, str):
            what = (
                "the rows are a DataFrame, which the warehouse cannot compare: write source: {asset, table}, or a query"
            )
            yield Problem(("compare",), what)

    def _automation_problems(self) -> Iterator[Problem]:
        """One thing starts a sync: it would run twice for one change otherwise."""
        runs_by_sensor = self.watch is not None and not self.watch.reports_only
        if self.watch is not None and self.watch.reports_only and self.automation is None:
            yield Problem(("watch", "reports_only"), "nothing would run the sync: write automation: eager as well")
        if self.automation is not None and (runs_by_sensor or self.schedule is not None):
            other = "watch" if runs_by_sensor else "schedule"
            advice = "; with watch: {…, reports_only: true} both go together" if runs_by_sensor else ""
            yield Problem(("automation",), f"{other} runs the sync already; keep one of both{advice}")

    def _upstream_problems(self) -> Iterator[Problem]:
        own = {f"{self.key_prefix}/{name}" for name in sync_asset_names(self)}
        for where, key in self.upstream_keys():
            if key in own:
                yield Problem(where, f"{key} is made by this sync itself: write the asset that its rows are made from")

    def _renaming_problems(self) -> Iterator[Problem]:
        if self.renamed_from == self.name:
            yield Problem(("renamed_from",), f"{self.name!r} is the sync's name now; write the one from before")

    def field_problems(self, kind: str, match_on: Sequence[str]) -> Iterator[Problem]:
        """Unknown fields, each of them; when there are none, what else the mapping refuses."""
        unknown = False
        for field in self.fields:
            try:
                field_type(kind, field)
            except FieldConfigError as error:
                unknown = True
                yield Problem(("fields", field), str(error))
        if unknown:
            return
        try:
            check_fields(self.mappings, kind, tuple(match_on), default_region=self.default_region)
        except FieldConfigError as error:
            where = _where(error, kind, match_on, self.fields)
            hint = did_you_mean(error.field, MATCH_ON[kind]) if where[0] == "match_on" else ""
            yield Problem(where, f"{error}{'.' if hint else ''}{hint}")


def sync_asset_names(sync: SyncConfig) -> tuple[str, ...]:
    """The last parts of the keys of its assets: the rows, the mapped rows, the sync itself, its plan; its drift, where
    that is looked for."""
    drift = [f"{sync.name}_drift"] if sync.drift is not None else []
    return f"{sync.name}_rows", f"{sync.name}_mapped", sync.name, f"{sync.name}_plan", *drift


def name_problems(name: str) -> Iterator[Problem]:
    """A sync's name becomes part of the names of assets, jobs and groups."""
    if not re.fullmatch(r"[A-Za-z0-9_]+", name):
        yield Problem((), f"{name!r} cannot be the name of a sync: use letters, digits and _ only")
    elif name in RESERVED_NAMES:
        yield Problem((), f"a sync cannot be named {name!r}: {RESERVED_NAMES[name]}")


def _where(error: FieldConfigError, kind: str, match_on: Sequence[str], fields: Mapping[str, Any]) -> Where:
    """Where in the attributes a mapping error belongs: the mapping itself only knows names of fields."""
    for position, rung in enumerate(match_on):
        if error.field == rung and (rung not in MATCH_ON[kind] or rung not in fields):
            return ("match_on", position)
    return ("fields", error.field) if error.field in fields else (error.field,)
