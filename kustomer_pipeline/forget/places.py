"""Where rows are kept besides the state: frames and the request log on disk, and our own tables in the warehouse."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from upath import UPath

from kustomer_pipeline.components.keys import asset_key, mapped_key, rows_key
from kustomer_pipeline.components.sync_config import SyncConfig, sync_asset_names
from kustomer_pipeline.io_manager import Traces, keys_in, path_of, remove_frames_with
from kustomer_pipeline.mapping import hash_of
from kustomer_pipeline.sync import Person
from kustomer_pipeline.telemetry import forget_in
from kustomer_pipeline.warehouse import remove_from_log
from kustomer_pipeline.warehouse.comparison import Comparison


class RequestLogError(Exception):
    """A person could not be taken out of the request log; the message says what to do."""


@dataclass(frozen=True)
class Frames:
    """The frames of some syncs. `outcomes`: what became of the rows, and plans, which name rows by their keys only;
    else the rows themselves, which are removed last, because they tell the keys."""

    base: UPath
    syncs: Sequence[SyncConfig]
    outcomes: bool

    def keys_of(self, person: Person) -> Collection[tuple[str, str]]:
        """Rows of mapped frames that have one of the person's identifiers."""
        identifiers: dict[str, set[str]] = {}
        for field, value in person.identifiers:
            identifiers.setdefault(field, set()).add(value)
        found: set[tuple[str, str]] = set()
        for sync in self.syncs if identifiers and not self.outcomes else ():
            if sync.kind == person.object_name:
                keys = keys_in(path_of(self.base, mapped_key(sync).path), identifiers)
                found |= {(sync.name, key) for key in keys if not key.startswith("row:")}
        return found

    def remove(self, person: Person) -> Mapping[str, int]:
        """Whole files: the next run makes them anew."""
        texts = {value for field, value in person.identifiers if field == "email"} | person.ids
        numbers = {value for field, value in person.identifiers if field == "phone"}
        traces = Traces(frozenset(texts), frozenset(numbers), person.row_keys | _values(person))
        removed = sum(remove_frames_with(place, traces) for place in self._places())
        return {"frames.outcomes" if self.outcomes else "frames.rows": removed}

    def _places(self) -> Iterator[UPath]:
        """The folders of outcomes, plans and the like; or all that there are, those of syncs that are gone, too."""
        for sync in self.syncs if self.outcomes else ():
            tell_keys = (rows_key(sync), mapped_key(sync))
            keys = (asset_key(f"{sync.key_prefix}/{name}") for name in sync_asset_names(sync))
            yield from (path_of(self.base, key.path) for key in keys if key not in tell_keys)
        if not self.outcomes:
            yield from dict.fromkeys(path_of(self.base, sync.key_prefix.split("/")) for sync in self.syncs)


@dataclass(frozen=True)
class LogTables:
    """The log of the runs in the warehouse (`log_to`), in each of the schemas."""

    engine: sa.Engine
    schemas: Collection[str]
    org_id: str

    def keys_of(self, person: Person) -> Collection[tuple[str, str]]:
        """They tell no key by an identifier."""
        return ()

    def remove(self, person: Person) -> Mapping[str, int]:
        """Lines of the person's rows and records."""
        removed: dict[str, int] = {}
        for schema in sorted(self.schemas):
            texts = person.texts | person.row_keys
            found = remove_from_log(
                self.engine,
                schema,
                self.org_id,
                person.ids,
                person.row_keys | {f"id={id_}" for id_ in person.ids},
                lambda sync, key: person.has_row(sync, key) or key.removeprefix("id=") in person.ids,
                texts,
                person.without_name,
            )
            removed |= {f"warehouse.{schema}.{table}": count for table, count in found.items()}
        return removed


@dataclass(frozen=True)
class Lines:
    """The rows as last accepted of a sync that the warehouse compares."""

    comparison: Comparison
    sync: SyncConfig

    def keys_of(self, person: Person) -> Collection[tuple[str, str]]:
        """The keys of lines that have one of the person's identifiers."""
        if self.sync.kind != person.object_name:
            return ()
        return {(self.sync.name, key) for key in self.comparison.keys_with(_hashes(person))}

    def remove(self, person: Person) -> Mapping[str, int]:
        """Lines, and what was read last."""
        keys = {key for key in person.row_keys if person.has_row(self.sync.name, key)}
        hashes = _hashes(person) if self.sync.kind == person.object_name else set()
        return {f"warehouse.{self.sync.state_schema}.{self.sync.name}": self.comparison.forget(keys, hashes)}


@dataclass(frozen=True)
class RequestLines:
    """The request log of this machine."""

    folder: Path

    def keys_of(self, person: Person) -> Collection[tuple[str, str]]:
        """It tells no key by an identifier."""
        return ()

    def remove(self, person: Person) -> Mapping[str, int]:
        """Lines about nobody else go, the others are without them. Raises RequestLogError."""
        try:
            return {"request_log": forget_in(self.folder, person.has_row, person.row_keys, person.ids)}
        except OSError as error:
            raise RequestLogError(
                f"The request log in {self.folder} cannot be read or written ({type(error).__name__}: "
                f"{error.strerror}): give this user the right to, or delete the folder"
            ) from None


def _hashes(person: Person) -> set[str]:
    return {hash_of(field, value) for field, value in person.identifiers}


def _values(person: Person) -> frozenset[str]:
    """An externalId is a cell of its own; an address or a number may be part of one."""
    return frozenset(value for field, value in person.identifiers if field not in ("email", "phone"))
