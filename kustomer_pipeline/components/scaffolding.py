"""`dg scaffold defs kustomer_pipeline.ObjectSync customers`: a `defs.yaml` that loads once two lines are filled in.

    object, mode, table ─→ the table's columns, where the warehouse can be asked ─→ proposed fields ─→ defs.yaml

What is proposed is written with the column's name beside it; what could not be guessed is a comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import dagster as dg
from pydantic import BaseModel, Field

from kustomer_pipeline.mapping import MATCH_ON, required_fields
from kustomer_pipeline.resources import WarehouseResource
from kustomer_pipeline.warehouse import WarehouseError

# Kustomer's field ← names of columns that usually hold it, the likeliest first.
_USUAL = {
    "customers": {
        "externalId": ("customer_id", "external_id", "user_id", "account_id", "id"),
        "email": ("email", "email_address", "mail"),
        "name": ("full_name", "name", "display_name"),
        "phone": ("phone", "mobile", "phone_number", "mobile_number"),
        "username": ("username", "user_name", "login"),
        "locale": ("locale", "language"),
        "timeZone": ("time_zone", "timezone"),
        "birthdayAt": ("birthday", "date_of_birth", "birth_date"),
        "signedUpAt": ("signed_up_at", "signup_at", "registered_at"),
    },
    "companies": {
        "externalId": ("company_id", "account_id", "external_id", "id"),
        "name": ("name", "company_name", "account_name"),
        "domains": ("domain", "domains", "website_domain"),
        "employeeCount": ("employees", "employee_count", "headcount"),
    },
}
_WATCHED = ("updated_at", "modified_at", "last_modified", "_updated_at", "changed_at")
_FIRST = {"customers": "email", "companies": "name"}  # without which nothing can be created
_SUFFIXES = {"int": "Num", "float": "Num", "Decimal": "Num", "bool": "Bool", "datetime": "At", "date": "At"}


class ObjectParams(BaseModel):
    """What `dg scaffold` asks for a sync of records."""

    object: Literal["customers", "companies"] = Field("customers", description="What a row is.")
    mode: Literal["upsert", "insert", "update"] = Field("upsert", description="What to do with a row.")
    table: str = Field("", description="The table to read, e.g. crm.customers; its columns are proposed as fields.")


class AudienceParams(BaseModel):
    """What `dg scaffold` asks for an audience."""

    object: Literal["customers", "companies"] = Field("customers", description="Who the members are.")
    mode: Literal["add", "remove", "mirror"] = Field("mirror", description="What to do with the tag.")
    tag: str = Field("", description="The tag's name.")
    table: str = Field("", description="The table of the members, e.g. marts.vip_customers.")


class ObjectScaffolder(dg.Scaffolder[ObjectParams]):
    """Writes the `defs.yaml` of an ObjectSync."""

    @classmethod
    def get_scaffold_params(cls) -> type[ObjectParams]:
        """The options of the command."""
        return ObjectParams

    def scaffold(self, request: dg.ScaffoldRequest[ObjectParams]) -> None:
        """Write the file."""
        params = request.params
        columns = _columns(params.table)
        known = dict(_known_fields(params.object, columns))
        fields = known or {_FIRST[params.object]: "TODO # the column that holds it"}
        match_on = [field for field in MATCH_ON[params.object] if field in fields] or list(fields)
        missing = [field for field in required_fields(params.object) if field not in fields]
        lines = [
            f"type: {request.type_name}",
            "attributes:",
            f"  object: {params.object}",
            f"  mode: {params.mode} # upsert | insert | update",
            "",
            *_query_lines(params.table),
            "",
            f"  # How a row finds its record in Kustomer, tried in this order: {', '.join(MATCH_ON[params.object])}.",
            f"  match_on: [{', '.join(match_on)}]",
            "",
            "  # Kustomer's field: the warehouse's column. What is not listed here is never touched.",
            "  fields:",
            *(f"    {field}: {column}" for field, column in fields.items()),
            *(f"    {field}: TODO # {params.object} cannot be created without it" for field in missing),
            *_custom_lines(columns, set(known.values())),
            *_watch_lines(params.table, columns),
        ]
        _write(request, lines)


class AudienceScaffolder(dg.Scaffolder[AudienceParams]):
    """Writes the `defs.yaml` of an AudienceSync."""

    @classmethod
    def get_scaffold_params(cls) -> type[AudienceParams]:
        """The options of the command."""
        return AudienceParams

    def scaffold(self, request: dg.ScaffoldRequest[AudienceParams]) -> None:
        """Write the file."""
        params = request.params
        columns = _columns(params.table)
        found = {
            field: column for field, column in _known_fields(params.object, columns) if field in MATCH_ON[params.object]
        }
        first = "email" if params.object == "customers" else "externalId"
        fields = found or {first: f"{first if first == 'email' else 'account_id'}"}
        lines = [
            f"type: {request.type_name}",
            "attributes:",
            f"  tag: {params.tag or 'TODO # the name of the tag that the members get'}",
            *([f"  object: {params.object}"] if params.object != "customers" else []),
            f"  mode: {params.mode} # add | remove | mirror",
            "",
            *_query_lines(params.table),
            "",
            "  # How a row finds its member: the columns that hold the identifiers.",
            f"  match_on: [{', '.join(fields)}]",
            f"  fields: {{{', '.join(f'{field}: {column}' for field, column in fields.items())}}}",
            *_watch_lines(params.table, columns),
        ]
        _write(request, lines)


def _columns(table: str) -> Mapping[str, str]:
    """Column → kind of value, as far as the warehouse can be asked."""
    if not table:
        return {}
    try:
        return WarehouseResource().columns(table)
    except WarehouseError as error:
        print(f"The columns of {table} could not be looked up, so none are proposed: {error}")
        return {}


def _known_fields(object_name: str, columns: Iterable[str]) -> Iterator[tuple[str, str]]:
    by_name = {column.lower(): column for column in columns}
    taken: set[str] = set()
    for field, names in _USUAL[object_name].items():
        for name in names:
            if name in by_name and name not in taken:
                taken.add(name)
                yield field, by_name[name]
                break


def _query_lines(table: str) -> list[str]:
    comment = "  # One row per record. Long SQL can live in a file beside this one: `query_file: rows.sql`."
    query = f"  query: select * from {table}" if table else "  query: TODO # such as select * from crm.customers"
    return [comment, query]


def _custom_lines(columns: Mapping[str, str], taken: set[str]) -> Iterator[str]:
    """The other columns as custom attributes, commented out: they have to be made in Kustomer first."""
    others = [column for column in columns if column not in taken and column.lower() not in _WATCHED]
    if others:
        yield "    # Custom attributes, by their name in Kustomer there: take the # away where there is one."
    for column in others:
        yield f"    # custom.{_camel(column)}{_SUFFIXES.get(columns[column], 'Str')}: {column}"


def _camel(column: str) -> str:
    first, *others = [part for part in re.split(r"[^A-Za-z0-9]+", column) if part] or ["value"]
    return first[:1].lower() + first[1:] + "".join(part[:1].upper() + part[1:] for part in others)


def _watch_lines(table: str, columns: Iterable[str]) -> list[str]:
    updated_at = next((column for column in columns if column.lower() in _WATCHED), None)
    if updated_at is None:
        return []
    comment = "  # Look every minute whether the table has changed (a sensor, off until you switch it on)."
    return ["", comment, f"  watch: {{table: {table}, updated_at: {updated_at}}}"]


def _write(request: dg.ScaffoldRequest[Any], lines: Iterable[str]) -> None:
    if request.scaffold_format != "yaml":
        raise dg.DagsterInvalidInvocationError(
            "A sync is written in YAML here; in Python use kustomer_pipeline.build_definitions"
        )
    text = "\n".join(lines) + "\n"
    if request.append:
        with request.target_path.open("a", encoding="utf-8") as file:
            file.write(f"---\n{text}")
        return
    (request.target_path / "defs.yaml").write_text(text, encoding="utf-8")
