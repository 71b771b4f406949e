"""The syncs that the cases go through: each is one run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sync import AudienceSpec, ObjectSpec

from ...world import World
from ..case import Case, CorpusSync, created, nothing, updated
from . import companies, emails, links, lists, members, paths, phones, records, texts, values

IF_EMPTY: Mapping[str, Any] = MappingProxyType({"write": "if_empty"})
GOOD = created("a good row", {})
ALL_FIELDS = {
    "externalId": "externalId", "email": "email", "emails": "emails", "name": "name", "phone": "phone",
    "phones": "phones", "username": "username", "locale": "locale", "gender": "gender", "birthdayAt": "birthday",
    "avatarUrl": "avatarUrl", "urls": "urls", "locations": "locations", "socials": "socials", "sentiment": "sentiment",
    "tags": "tags", "custom.planStr": "plan", "custom.noteTxt": "note", "custom.pathTree": "tree",
    "custom.scoreNum": "score", "custom.activeBool": "active", "custom.joinedAt": "joined", "custom.homeUrl": "home",
}  # fmt: skip
FEW_FIELDS = {
    "externalId": "externalId", "email": "email", "name": "name", "phone": "phone", "custom.planStr": "plan",
    "custom.scoreNum": "score", "custom.activeBool": "active",
}  # fmt: skip


Options = Mapping[str, Mapping[str, Any]]
NO_OPTIONS: Options = {}


def mapped(fields: Mapping[str, str], options: Options = NO_OPTIONS) -> tuple[FieldMapping, ...]:
    """Field → column; `options` (write, match) are by field."""
    return tuple(FieldMapping(field, (column,), **options.get(field, {})) for field, column in fields.items())


def customers(
    name: str,
    cases: Sequence[Case],
    fields: Mapping[str, str] = FEW_FIELDS,
    *,
    options: Options = NO_OPTIONS,
    control: Case = GOOD,
    prepare: Callable[[World], None] = nothing,
    faults: Mapping[str, Any] = NO_OPTIONS,
    **settings: Any,
) -> CorpusSync:
    """A sync of customers."""
    defaults: dict[str, Any] = {"object": "customers", "mode": "upsert", "match_on": ("externalId", "email")}
    spec = ObjectSpec(name=name, fields=mapped(fields, options), **{**defaults, **settings})
    return CorpusSync(spec, cases, control, prepare, faults)


def _tags(world: World) -> None:
    for name in ("vip", "gold", "big spender", "agent", "Àé_/<>-.", "partner", *(f"t{n}" for n in range(20))):
        world.sandbox.seed_tag(name)
    world.sandbox.delete_tag(world.sandbox.seed_tag("retired"))


def _retired_later(world: World) -> None:
    """A tag that people have and that is deleted by now."""
    world.sandbox.hooks.before.append(lambda _: _delete_retired(world))


def _delete_retired(world: World) -> None:
    for tag_id, tag in world.sandbox.tags.items():
        if tag["name"] == "retired" and not tag["deleted"]:
            world.sandbox.delete_tag(tag_id)


def _choices(world: World) -> None:
    world.sandbox.declare_custom(
        "customer", levelStr={"type": "string", "enumeration": ["silver", "gold"]}, otherId={"type": "string"}
    )


def _employers(world: World) -> None:
    for external_id, name in (
        ("ACME", "Acme"), ("7", "Seven"), ("a/b & c=%20?#+ü", "Odd"), ("T1", "Twins"), ("T2", "Twins"),
        ("LONG", "Acme Holding"), ("SIGNS", "A & B, c+d=100% #1 <é>?"), ("OTHER", "Taken"),
    ):  # fmt: skip
        world.sandbox.seed_company(externalId=external_id, name=name)
    world.sandbox.agent_delete(world.sandbox.seed_company(externalId="GONE", name="Gone"))


def _company_world(world: World) -> None:
    _tags(world)
    _employers(world)


LINKED = {"externalId": "externalId", "email": "email", "company": "company"}
REFUSED_FIELDS = {
    "externalId": "externalId", "email": "email", "custom.levelStr": "level", "custom.otherId": "other",
    "custom.nobodyId": "nobody", **{f"custom.huge{n}Str": f"huge{n}" for n in range(30)},
}  # fmt: skip
KNOWN = updated("a good row", {"name": "Jane"}, {"name": "John"}, name="Jane")
PATH_FIELDS = {"externalId": "externalId", "email": "email", "phone": "phone", "name": "name"}
PATHS: dict[str, Any] = {
    "fields": PATH_FIELDS, "match_on": ("externalId", "email", "phone"), "faults": {"search_forbidden": True},
}  # fmt: skip

SYNCS: tuple[CorpusSync, ...] = (
    customers("addresses", [*emails.ADDRESSES, *emails.LISTS], ALL_FIELDS),
    customers("names_and_ids", [*texts.NAMES, *texts.OTHER_TEXTS, *texts.IDS], ALL_FIELDS),
    customers("typed_values", [*values.NUMBERS, *values.BOOLEANS, *values.DATES, *values.WEB_ADDRESSES], ALL_FIELDS),
    customers("lists", [*lists.TAGS, *lists.LOCATIONS, *lists.SOCIALS, *lists.SENTIMENTS], ALL_FIELDS, prepare=_tags),
    customers("phones_abroad", phones.ABROAD, ALL_FIELDS),
    customers("british_phones", phones.BRITISH, ALL_FIELDS, default_region="GB"),
    customers("matches", records.MATCHES, ALL_FIELDS, prepare=_tags),
    customers("refused_by_kustomer", records.REFUSED_BY_KUSTOMER, REFUSED_FIELDS, prepare=_choices),
    customers("emptied", records.EMPTIED, nulls="clear"),
    customers(
        "filled",
        records.FILLED,
        options=dict.fromkeys(("name", "phone", "custom.scoreNum", "custom.activeBool"), IF_EMPTY),
    ),
    customers("only_new", records.ONLY_NEW, mode="insert", control=replace(GOOD, in_a_full_run="skipped")),
    customers(
        "only_known",
        records.ONLY_KNOWN,
        {"externalId": "externalId", "name": "name"},
        mode="update",
        match_on=("externalId",),
        control=KNOWN,
    ),
    customers("masked", records.MASKED, faults={"masked": "phones"}),
    customers("links_by_id", links.COMPANY_LINKS, LINKED, prepare=_employers),
    customers("links_by_name", links.COMPANY_NAMES, LINKED, prepare=_employers, options={"company": {"match": "name"}}),
    customers(
        "links_by_kustomer_id", links.COMPANY_IDS, LINKED, prepare=_employers, options={"company": {"match": "id"}}
    ),
    # In parts: for fifty rows and more a walk through so small an org would be cheaper than look-ups by path.
    *(customers(f"found_by_path_{n}", paths.FOUND_BY_PATH[n::3], **PATHS) for n in range(3)),
    *(
        customers(f"found_by_path_to_update_{n}", paths.FOUND_BY_PATH[n::3], **PATHS, mode="update", control=KNOWN)
        for n in range(3)
    ),
    CorpusSync(
        ObjectSpec(
            "companies",
            "companies",
            "upsert",
            ("externalId", "name"),
            mapped({"externalId": "externalId", "name": "name"}),
        ),
        companies.NAMED,
        control=GOOD,
        prepare=_employers,
    ),
    CorpusSync(
        ObjectSpec(
            "detailed_companies",
            "companies",
            "upsert",
            ("externalId",),
            mapped(
                {
                    "externalId": "externalId",
                    "name": "name",
                    "employeeCount": "employees",
                    "domains": "domains",
                    "emails": "email",
                    "tags": "tags",
                }
            ),
        ),
        companies.DETAILED,
        control=GOOD,
        prepare=_company_world,
    ),
    CorpusSync(
        AudienceSpec(
            "vip",
            "vip",
            "add",
            ("externalId", "email", "phone"),
            mapped({"externalId": "externalId", "email": "email", "phone": "phone"}),
            default_region="GB",
        ),
        members.MEMBERS,
        control=updated("a good row", {}, {}, tags=["vip"]),
        prepare=_retired_later,
    ),
)
