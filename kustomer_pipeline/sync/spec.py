"""What a sync is: values that say which rows go where, and how.

A specification is built once (from YAML or Python) and travels unchanged through mapping, planning and applying. Its
`signature` says what the fingerprints of its rows rest on: when the fields, the mode or the identifiers of a sync
change, every row counts as changed. The name, the limits of the guard and the scope of a mirror are left out: they
change what may happen, not what a row means. So is what a field shows to people, and what becomes of a row whose
company is missing: such rows are looked at again anyway.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any, ClassVar, Literal

import pandas as pd

from kustomer_pipeline.kustomer import ObjectName
from kustomer_pipeline.mapping import FieldMapping, map_frame, required_fields

ObjectMode = Literal["upsert", "insert", "update"]
AudienceMode = Literal["add", "remove", "mirror"]
Nulls = Literal["keep", "clear"]
MirrorScope = Literal["owned", "tag"]

_OF_PLAN = ("full_resync", "limit", "only", "only_keys", "adopt")
_NOT_SIGNED = ("name", "max_removals", "max_changes", "mirror_scope", "renamed_from", "shard", "approval")
_NOT_SIGNED_OF_A_FIELD = ("show", "missing")


def _signature(facts: dict[str, Any]) -> str:
    for name in _NOT_SIGNED:
        facts.pop(name, None)
    for field_ in facts["fields"]:
        for name in _NOT_SIGNED_OF_A_FIELD:
            del field_[name]
    text = json.dumps(facts, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class RemovalLimit:
    """The guard of removals: more than `share` of the members, or than `count`, are held."""

    share: float = 0.2
    count: int = 1000

    def allows(self, removals: int, members: int | None) -> bool:
        """Whether `removals` out of `members` may go; with `members` unknown only the count is judged."""
        within_share = members is None or removals <= self.share * members
        return within_share and removals <= self.count


@dataclass(frozen=True)
class ChangeLimit:
    """The guard of mass changes: more than `share` of the records accepted before (or than `count`) are held.

    Fewer than `AT_LEAST` changes are nobody's accident and always go.
    """

    AT_LEAST = 100

    share: float = 0.5
    count: int | None = None

    def allows(self, changes: int, accepted: int) -> bool:
        """Whether `changes` of `accepted` records may go."""
        if changes < self.AT_LEAST:
            return True
        return changes <= self.share * accepted and (self.count is None or changes <= self.count)


@dataclass(frozen=True)
class Approval:
    """Nothing is written but what an approved plan holds, and the plan is not older than `max_age`."""

    max_age: timedelta = timedelta(hours=24)


@dataclass(frozen=True)
class Shard:
    """One of `of` parts of a sync, numbered from 0; a row belongs to one of them by a hash of its key."""

    number: int
    of: int


@dataclass(frozen=True)
class ObjectSpec:
    """Customers or companies, one per row. `match_on` is the identity ladder, tried in its order.

    `renamed_from`: the name this sync had before; what is remembered under it is carried over. `shard`: which part of
    the sync this is (splitting.py makes it, with the part's name).
    """

    name: str
    object: ObjectName
    mode: ObjectMode
    match_on: tuple[str, ...]
    fields: tuple[FieldMapping, ...]
    nulls: Nulls = "keep"
    default_region: str | None = None
    max_changes: ChangeLimit = ChangeLimit()
    renamed_from: str | None = None
    shard: Shard | None = None
    approval: Approval | None = None
    tag: ClassVar[None] = None

    @property
    def signature(self) -> str:
        """16 hexadecimal characters that differ whenever what a row means differs."""
        return _signature(asdict(self))

    @property
    def required(self) -> tuple[str, ...]:
        """Fields without which a row is invalid: Kustomer's required ones, as far as this sync maps them."""
        mapped = {mapping.field for mapping in self.fields}
        return tuple(field for field in required_fields(self.object) if field in mapped)

    def map(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The mapped frame of a warehouse frame: renamed, converted, each row valid or with its reasons."""
        return map_frame(
            frame,
            self.fields,
            object_name=self.object,
            match_on=self.match_on,
            required=self.required,
            default_region=self.default_region,
        )


@dataclass(frozen=True)
class AudienceSpec:
    """A tag on customers or companies, one member per row."""

    name: str
    tag: str
    mode: AudienceMode
    match_on: tuple[str, ...]
    fields: tuple[FieldMapping, ...]
    mirror_scope: MirrorScope = "owned"
    max_removals: RemovalLimit = RemovalLimit()
    default_region: str | None = None
    object: ObjectName = "customers"
    renamed_from: str | None = None
    approval: Approval | None = None
    shard: ClassVar[None] = None

    @property
    def signature(self) -> str:
        """16 hexadecimal characters that differ whenever what a row means differs."""
        facts = asdict(self)
        if self.object == "customers":
            del facts["object"]  # as it was when audiences were of customers only
        return _signature(facts)

    @property
    def required(self) -> tuple[str, ...]:
        """Nothing but an identifier is needed, and `match_on` asks for that already."""
        return ()

    def map(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The mapped frame. An audience is a set: the same member twice is no mistake."""
        return map_frame(
            frame,
            self.fields,
            object_name=self.object,
            match_on=self.match_on,
            default_region=self.default_region,
            duplicates="allow",
        )


SyncSpec = ObjectSpec | AudienceSpec


@dataclass(frozen=True)
class RunOptions:
    """What one run may be told.

    full_resync: look at every row. limit: at most so many rows are attempted, the others are deferred. only: those
    that were refused last time, the others are deferred. only_keys: the rows with these keys, also if they have not
    changed; the others are deferred, and nobody leaves an audience. approve_removals, approve_changes: the plan id of
    the one set of removals or changes that may pass the guard. adopt: members of an audience who hold its tag already
    are the sync's from now on. approve: the id of the plan that is applied, and nothing else; approved_by: who said so.
    clean_up: untag whom this sync tagged with a tag it no longer has. read_back: so many of the written records are
    read again afterwards. undo_days: for so long the values that were overwritten are kept; keep_days: for so long the
    log, the runs and, at most, those values. suppressed: identifier → canonical values of those whose rows are skipped
    in this run.
    """

    run_id: str
    full_resync: bool = False
    limit: int | None = None
    approve_removals: str | None = None
    approve_changes: str | None = None
    adopt: bool = False
    approve: str | None = None
    approved_by: str | None = None
    only: Literal["rejected"] | None = None
    only_keys: frozenset[str] | None = None
    clean_up: bool = False
    read_back: int = 50
    undo_days: int = 30
    keep_days: int = 90
    suppressed: Mapping[str, Collection[str]] = field(default_factory=dict)

    @property
    def of_plan(self) -> dict[str, Any]:
        """What decides what is in a plan, as JSON takes it: a run that applies it is told the same."""
        told = {name: getattr(self, name) for name in _OF_PLAN}
        told["only_keys"] = sorted(self.only_keys or ())
        return {name: value for name, value in told.items() if value}

    @property
    def every_row(self) -> bool:
        """Whether rows are looked at that have not changed, too."""
        return self.full_resync or self.adopt

    @property
    def asked_for(self) -> frozenset[str]:
        """The keys of `only_keys` as rows may have them: addresses in small letters, too. Empty: all rows are."""
        return frozenset(form for key in self.only_keys or () for form in forms_of_key(key))


def forms_of_key(key: str) -> tuple[str, ...]:
    """A key as somebody writes it, and as the row has it if it is an e-mail address."""
    key = key.strip()
    return (key, key.lower()) if "@" in key else (key,)
