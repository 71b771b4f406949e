"""What a sync is: values that say which rows go where, and how.

A specification is built once (from YAML or Python), travels unchanged through mapping, planning and applying,
and has a `signature`: when the specification changes, every row counts as changed, because what "as it was
last time" means has changed with it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Literal

import pandas as pd

from kustomer_pipeline.mapping import FieldMapping, map_frame, required_fields

Object = Literal["customers", "companies"]
ObjectMode = Literal["upsert", "insert", "update"]
AudienceMode = Literal["add", "remove", "mirror"]
Nulls = Literal["keep", "clear"]
MirrorScope = Literal["owned", "tag"]


def _signature(spec: ObjectSpec | AudienceSpec) -> str:
    """16 hexadecimal characters that differ whenever the specification differs (the name aside)."""
    facts = asdict(spec)
    facts.pop("name")
    facts.pop("max_removals", None)
    facts.pop("mirror_scope", None)
    text = json.dumps(facts, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class ObjectSpec:
    """Customers or companies, one per row. `match_on` is the identity ladder, tried in its order."""

    name: str
    object: Object
    mode: ObjectMode
    match_on: tuple[str, ...]
    fields: tuple[FieldMapping, ...]
    nulls: Nulls = "keep"
    default_region: str | None = None

    @property
    def signature(self) -> str:
        """16 hexadecimal characters that differ whenever the specification differs."""
        return _signature(self)

    @property
    def required(self) -> tuple[str, ...]:
        """Fields without which a row is invalid: Kustomer's required ones, as far as this sync maps them."""
        mapped = {mapping.field for mapping in self.fields}
        return tuple(field for field in required_fields(self.object) if field in mapped)

    def map(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The mapped frame of a warehouse frame: renamed, converted, each row valid or with its reason."""
        return map_frame(
            frame,
            self.fields,
            object=self.object,
            match_on=self.match_on,
            required=self.required,
            default_region=self.default_region,
        )


@dataclass(frozen=True)
class RemovalLimit:
    """The breaker: more removals than `share` of the members, or than `count`, are held back."""

    share: float = 0.2
    count: int = 1000

    def allows(self, removals: int, members: int | None) -> bool:
        """Whether `removals` out of `members` may go; with `members` unknown only the count is judged."""
        within_share = members is None or removals <= self.share * members
        return within_share and removals <= self.count


@dataclass(frozen=True)
class AudienceSpec:
    """A tag on customers, one member per row."""

    name: str
    tag: str
    mode: AudienceMode
    match_on: tuple[str, ...]
    fields: tuple[FieldMapping, ...]
    mirror_scope: MirrorScope = "owned"
    max_removals: RemovalLimit = RemovalLimit()
    default_region: str | None = None

    @property
    def object(self) -> Object:
        """Audiences are made of customers."""
        return "customers"

    @property
    def signature(self) -> str:
        """16 hexadecimal characters that differ whenever the specification differs."""
        return _signature(self)

    @property
    def required(self) -> tuple[str, ...]:
        """Nothing but an identifier is needed, and `match_on` asks for that already."""
        return ()

    def map(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The mapped frame. An audience is a set: the same member twice is no mistake."""
        return map_frame(
            frame,
            self.fields,
            object="customers",
            match_on=self.match_on,
            default_region=self.default_region,
            duplicates="allow",
        )


@dataclass(frozen=True)
class RunOptions:
    """What one run may be told.

    full_resync: look at every row. limit: at most so many rows are attempted, the others are deferred. only: those
    that were refused last time, the others are deferred. approve_removals: the one set of removals that may pass the
    breaker. read_back: so many of the written records are read again afterwards. undo_days: for so long the values
    that were overwritten are kept.
    """

    run_id: str
    full_resync: bool = False
    limit: int | None = None
    approve_removals: str | None = None
    only: Literal["rejected"] | None = None
    read_back: int = 50
    undo_days: int = 30
