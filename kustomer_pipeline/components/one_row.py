"""One row alone: what the warehouse says of it, what its record holds, what a run would do. Sends and keeps nothing.

    the query → all its rows, mapped (so a row that is there twice is refused as in a run) → where the row is
                                   → all other rows set aside → plan                       → what would become of it

The plan has the whole frame, in which all other rows count as invalid: nobody else is looked up in Kustomer, a record
that another row has stays that row's, and no member of an audience is taken for one who left. What a guard makes of all
rows together, it cannot say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from kustomer_pipeline.kustomer import KustomerClient, Record, canonical
from kustomer_pipeline.mapping import (
    INVALID,
    KEY,
    ListAttribute,
    field_type,
    identity_columns,
    list_attributes,
    wire_rows,
)
from kustomer_pipeline.sync import RunOptions, StateStore, plan_sync, shard_number
from kustomer_pipeline.sync.audience_tag import known_tag
from kustomer_pipeline.sync.patch_lists import identity, plain_items
from kustomer_pipeline.sync.patch_values import present_value, same_value
from kustomer_pipeline.sync.suppression import FORGOTTEN, LISTED, leave_out

from .left_out import listed, without_forgotten
from .resources_of import Resources
from .running import Spec
from .sharding import key_columns, spec_of_part
from .sync_config import SyncConfig

_ASIDE = "not looked at"


@dataclass(frozen=True)
class FoundRows:
    """The rows of a query that have a key, or an identifier. `frame`: as the warehouse has them, `mapped` all rows.

    positions: of the rows, in both. by: which identifier they were found by; None: their key. spec: of the part of the
    sync that they belong to.
    """

    spec: Spec
    frame: pd.DataFrame
    mapped: pd.DataFrame
    positions: tuple[int, ...]
    by: str | None

    @property
    def key(self) -> str | None:
        """The key of the first of them."""
        return str(self.mapped[KEY].iloc[self.positions[0]]) if self.positions else None

    def values(self, position: int) -> dict[str, Any]:
        """Column → value of a row, as the warehouse has it: of the columns that are mapped."""
        columns = dict.fromkeys(column for mapping in self.spec.fields for column in mapping.columns)
        named = {str(name).casefold(): name for name in self.frame.columns}
        row = self.frame.iloc[position]
        return {column: row[named[column.casefold()]] for column in columns if column.casefold() in named}

    def invalid(self, position: int) -> str | None:
        """Why a row is not sent whatever Kustomer has; None where it may be."""
        reason = self.mapped[INVALID].iloc[position]
        return None if pd.isna(reason) else str(reason)


@dataclass(frozen=True)
class Decision:
    """What a run would do with a row: create, update, tag, untag, unchanged, skip, invalid, reject or defer.

    changes: the lines of the plan, as Plan has them. notes: what a person should know besides.
    """

    action: str
    reason: str | None = None
    changes: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()

    @property
    def kustomer_id(self) -> str | None:
        """The record, where there is one."""
        ids = self.changes["kustomer_id"].dropna() if self.changes is not None else ()
        return str(next(iter(ids))) if len(ids) else None


@dataclass(frozen=True)
class Beside:
    """A field: what the row says, what the record holds; whether both are the same (None: nobody can tell here)."""

    field: str
    ours: Any
    theirs: Any
    same: bool | None


def find_rows(sync: SyncConfig, uses: Resources, wanted: str) -> FoundRows:
    """The rows with this key; else those with this identifier. Raises WarehouseError, MappingError, KustomerError.

    All rows of the query are read, of a sync in shards those of the part that the key belongs to.
    """
    if sync.parts is None:
        spec: Spec = sync.spec
        frame = uses.warehouse.read(sync.sql)
    else:
        number = shard_number(wanted, sync.spec.match_on, sync.parts)
        spec = spec_of_part(sync, number)
        frame = uses.warehouse.read_part(sync.sql, key_columns(sync), number, sync.parts)
    frame = without_forgotten(sync, uses, frame)
    mapped = spec.map(frame)
    positions, by = _positions(spec, mapped, wanted)
    return FoundRows(spec, frame, mapped, positions, by)


def _positions(spec: Spec, mapped: pd.DataFrame, wanted: str) -> tuple[tuple[int, ...], str | None]:
    wanted = wanted.strip()
    keys = {wanted, wanted.lower()} if "@" in wanted else {wanted}
    with_key = np.flatnonzero(mapped[KEY].isin(keys).to_numpy(dtype=bool))
    if len(with_key):
        return tuple(with_key.tolist()), None
    columns = identity_columns(mapped, spec.fields, object_name=spec.object, match_on=spec.match_on)
    for space, rows, values in columns:
        value = canonical(space, wanted) if space else ""
        if value:
            found = rows[pc.equal(values, value).fill_null(False).to_numpy(zero_copy_only=False)]
            if len(found):
                return tuple(found.tolist()), space
    return (), None


def decide_alone(
    sync: SyncConfig,
    uses: Resources,
    found: FoundRows,
    position: int,
    run_id: str,
    *,
    client: KustomerClient,
    store: StateStore,
) -> Decision:
    """What a run would do with the row at a position. Raises KustomerError, StateError, WarehouseError."""
    if reason := found.invalid(position):
        return Decision("invalid", reason)
    options = RunOptions(run_id, suppressed=listed(sync, uses).values)
    org_id = client.run(client.token()).org_id
    kept, left_out = leave_out(found.spec, found.mapped, store.suppressed(org_id), options)
    before = int(np.searchsorted(left_out.positions, position))
    if before < len(left_out) and left_out.positions[before] == position:
        return Decision("skip", (LISTED if left_out.listed[before] else FORGOTTEN).text)
    alone = kept.copy(deep=False)
    others = np.arange(len(kept)) != position - before
    alone[INVALID] = kept[INVALID].mask(others, _ASIDE)
    plan = plan_sync(found.spec, alone, client=client, state=store, options=options)
    changes = plan.changes[plan.changes["key"] == found.mapped[KEY].iloc[position]].reset_index(drop=True)
    if len(changes):
        reasons = changes["reason"].dropna()
        return Decision(
            str(changes["action"].iloc[0]), str(reasons.iloc[0]) if len(reasons) else None, changes, plan.notes
        )
    action = next((one for one in ("unchanged", "skip", "defer", "reject") if plan.counts.get(one)), "unchanged")
    return Decision(action, notes=plan.notes)


def beside(found: FoundRows, position: int, live: Record) -> list[Beside]:
    """The mapped fields of a row beside those of its record. A null of the warehouse leaves the record as it is."""
    [body] = wire_rows(found.mapped.iloc[[position]], found.spec.fields, object_name=found.spec.object)
    lists, lines = list_attributes(found.spec.object), []
    for name, ours in body.items():
        if name == "custom":
            for key, value in (ours or {}).items():
                lines.append(_scalar(found.spec, live, f"custom.{key}", value))
        elif name in lists:
            lines.append(_list(live, name, ours, lists[name]))
        else:
            lines.append(_scalar(found.spec, live, name, ours))
    return lines


def holds_tag(spec: Spec, live: Record, store: StateStore, org_id: str) -> bool | None:
    """Whether a record holds the tag of an audience; None where the tag's id is not known."""
    tag = known_tag(spec.tag, store.org(org_id)) if spec.tag is not None else None
    return None if tag is None or tag.id is None else tag.id in (live.attributes.get("tags") or ())


def _scalar(spec: Spec, live: Record, name: str, ours: Any) -> Beside:
    theirs = present_value(live, name)
    if name == "company":  # the warehouse names a company in its own words
        return Beside(name, ours, theirs, None if ours is not None else True)
    same = ours is None or same_value(ours, theirs, field_type(spec.object, name).value)
    return Beside(name, ours, theirs, same)


def _list(live: Record, name: str, ours: Sequence[Any] | None, attribute: ListAttribute) -> Beside:
    theirs = plain_items(live.attributes.get(name), attribute)
    if name == "tags":  # names here, ids there
        return Beside(name, ours, theirs, None if ours else True)
    there = {identity(attribute, item): item for item in theirs}
    same = all(_is_in(there, identity(attribute, item), item) for item in ours or ())
    return Beside(name, _short(ours, attribute), _short(theirs, attribute), same)


def _short(items: Sequence[Any] | None, attribute: ListAttribute) -> Sequence[Any] | None:
    """The items by what makes them what they are, where that is one key: addresses, numbers."""
    if items is None or len(attribute.identity) != 1:
        return items
    return [item.get(attribute.identity[0], item) if isinstance(item, Mapping) else item for item in items]


def _is_in(there: Mapping[Any, Any], which: Any, item: Any) -> bool:
    """Whether a list has an item, with everything that the warehouse says of it."""
    if which not in there:
        return False
    live = there[which]
    if not isinstance(item, Mapping) or not isinstance(live, Mapping):
        return True
    return all(live.get(key) == value for key, value in item.items() if key not in ("email", "phone", "externalId"))
