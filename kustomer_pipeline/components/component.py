"""The Dagster classes: a sync as a component. `defs.yaml` or Python arguments in, definitions out.

defs.yaml ─ rendered, named after its folder ─┐
Python arguments ─────────────────────────────┴→ SyncConfig, checked as a whole → build_defs → definitions
                                               ↘ BrokenComponent, from YAML only  ↗
"""

import inspect
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, cast

import dagster as dg
from pydantic import BaseModel, PrivateAttr

from kustomer_pipeline.resources import refuses_broken_syncs

from .lineage import table_assets
from .order import after
from .scaffolding import AudienceScaffolder, ObjectScaffolder
from .stand_in import stand_in
from .sync_config import (
    AudienceSyncConfig,
    BrokenSync,
    ObjectSyncConfig,
    Problem,
    SyncConfig,
    SyncConfigError,
    broken_sync,
    conflicts,
    merged,
)
from .sync_definitions import sync_definitions
from .written import as_written, load_written, spec_of
from .yaml_files import conflict_lines


class SyncComponent(dg.Component, dg.Resolvable, SyncConfig):
    """Base of ObjectSync and AudienceSync: how Dagster loads a sync from YAML, and what it gets from it."""

    _folder: Path | None = PrivateAttr(None)  # where its file is, if it is from YAML

    @property
    def folder(self) -> Path | None:
        """Where its file is; None: it is written in Python."""
        return self._folder

    @classmethod
    def model(cls) -> type[BaseModel]:
        """Dagster's hook for the schema. Lets every value pass: `load` judges, with all mistakes at once."""
        return as_written(cls.attributes_of)

    @classmethod
    def get_spec(cls) -> dg.ComponentTypeSpec:
        """What Dagster's tools and its UI show of the component."""
        return spec_of(cls)

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Self:
        """Build the sync that a `defs.yaml` describes; its folder's name is the sync's name.

        One with mistakes does not keep Dagster from loading the rest of the project: a BrokenComponent stands for it,
        unless KUSTOMER_STRICT is set. Then it raises SyncConfigError.
        """

        def build(values: dict[str, Any]) -> SyncComponent:
            if "name" in values:
                raise SyncConfigError("", [Problem(("name",), "remove it: the folder's name is the sync's")])
            if isinstance(values.get("query_file"), str):
                values["query_file"] = context.path / values["query_file"]
            sync = cls(name=context.path.name, **values)
            sync._folder = context.path
            return sync

        try:
            return cast(Self, load_written(context, attributes, cls.attributes_of, build))
        except SyncConfigError as error:
            if refuses_broken_syncs():
                raise
            return cast(Self, BrokenComponent(broken_sync(context.path, error)))

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The definitions of this sync; those over all syncs (sync_all, undo_run…) come with the project."""
        beside = syncs_beside(context)
        if (broken := beside.instead_of(self)) is not None:
            return broken
        earlier = [sync for sync in beside.working if sync.name < self.name]
        return sync_definitions(self, after(self, beside.working), table_assets([self], earlier))


@dg.scaffold_with(ObjectScaffolder)
class ObjectSync(SyncComponent, ObjectSyncConfig):
    """Sends the rows of a warehouse query to Kustomer as customers or companies.

    The query's rows are mapped to Kustomer fields and compared with what is there; only differences are sent.
    Gives the assets `kustomer/<name>_rows` → `kustomer/<name>_mapped` → `kustomer/<name>`, and `kustomer/<name>_plan`,
    which shows what would be sent; checks, the job `sync_<name>`, and a sensor when `watch` is given.
    """


@dg.scaffold_with(AudienceScaffolder)
class AudienceSync(SyncComponent, AudienceSyncConfig):
    """Keeps a tag on the customers or companies that a warehouse query returns.

    Gives the assets `kustomer/<name>_rows` → `kustomer/<name>_mapped` → `kustomer/<name>`, and `kustomer/<name>_plan`,
    which shows who would be tagged and untagged; checks, the job `sync_<name>`, and a sensor when `watch` is given.
    """


class BrokenComponent(dg.Component):
    """Stands for a component whose file has mistakes."""

    def __init__(self, sync: BrokenSync) -> None:
        self.sync = sync

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """What Dagster shows of the sync."""
        return syncs_beside(context).instead_of(self) or stand_in(self.sync)


@dataclass(frozen=True)
class Syncs:
    """The syncs of a project in YAML: those that work, and those that do not load or do not go with the others."""

    working: Sequence[SyncComponent] = ()
    broken: Sequence[BrokenSync] = ()
    _broken_at: Mapping[int, BrokenSync | None] = field(default_factory=dict)  # by id of the component

    def instead_of(self, component: dg.Component) -> dg.Definitions | None:
        """What stands for a component; None for one that works. One of several of the same name stands for all."""
        if id(component) not in self._broken_at:
            return None
        broken = self._broken_at[id(component)]
        if broken is None:
            return dg.Definitions()
        return stand_in(broken, [one for one in self.broken if one is not broken])


def syncs_beside(context: dg.ComponentLoadContext) -> Syncs:
    """The syncs of the defs folder that a component is loaded from; none when it is built on its own."""
    return Syncs() if context.path == context.defs_module_path else syncs_of(context.component_tree)


def syncs_of(tree: dg.ComponentTree) -> Syncs:
    """The syncs of a tree. Raises SyncConfigError where one is broken and KUSTOMER_STRICT is set."""
    decls = tree.find_root_decl().iterate_loc_component_decl_pairs()
    found = [tree.load_component(loc) for loc, decl in decls if _may_be_a_sync(decl.component_type)]
    by_id: dict[int, BrokenSync] = {id(one): one.sync for one in found if isinstance(one, BrokenComponent)}
    loaded = [one for one in found if isinstance(one, SyncComponent)]
    while True:  # one that does not go with the others is no longer one of them
        working = [sync for sync in loaded if id(sync) not in by_id]
        lines = _lines_by_name(working, list(by_id.values()))
        if not lines:
            broken, broken_at = _one_of_each_name(by_id)
            if broken and refuses_broken_syncs():
                raise SyncConfigError(merged(broken).title, [], merged(broken).lines)
            return Syncs(working, broken, broken_at)
        by_id |= {id(sync): _refused(sync, lines[sync.name]) for sync in working if sync.name in lines}


def _may_be_a_sync(kind: Any) -> bool:
    """By the type that a file or a Python function says it gives; the latter need not say."""
    unknown = kind in (inspect.Signature.empty, dg.Component)
    return unknown or (isinstance(kind, type) and issubclass(kind, (SyncComponent, BrokenComponent)))


def _lines_by_name(working: Sequence[SyncComponent], broken: Sequence[BrokenSync]) -> Mapping[str, list[str]]:
    """What is wrong between syncs, for each of them all that is said of the mistakes that it is part of."""
    lines = defaultdict[str, list[str]](list)
    for conflict in conflicts(working, broken):
        folders = [sync.folder for sync in working if sync.name in conflict.names]
        said = list(conflict_lines(conflict, folders))
        for name in conflict.names:
            lines[name] += said
    return lines


def _refused(sync: SyncComponent, lines: Sequence[str]) -> BrokenSync:
    error = SyncConfigError(f"The sync {sync.name!r} cannot be loaded:", [], lines)
    if sync.folder is not None:
        return broken_sync(sync.folder, error)
    return BrokenSync(sync.name, error.title, error.lines, sync.key_prefix)


def _one_of_each_name(by_id: Mapping[int, BrokenSync]) -> tuple[list[BrokenSync], Mapping[int, BrokenSync | None]]:
    """The broken by name, and by component: the first of a name stands for all of that name."""
    of_name = defaultdict[str, list[int]](list)
    for number, broken in by_id.items():
        of_name[broken.name].append(number)
    all_of = {numbers[0]: merged([by_id[number] for number in numbers]) for numbers in of_name.values()}
    return list(all_of.values()), {number: all_of.get(number) for number in by_id}
