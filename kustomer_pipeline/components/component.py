"""The Dagster classes: a sync as a component. `defs.yaml` or Python arguments in, definitions out.

defs.yaml ─ rendered, named after its folder ─┐
Python arguments ─────────────────────────────┴→ SyncConfig, checked as a whole → build_defs → definitions
"""

from typing import Any, Self, cast

import dagster as dg
from pydantic import BaseModel

from .lineage import table_assets
from .order import after
from .scaffolding import AudienceScaffolder, ObjectScaffolder
from .sync_config import (
    AudienceSyncConfig,
    ObjectSyncConfig,
    Problem,
    SyncConfig,
    SyncConfigError,
)
from .sync_definitions import sync_definitions
from .written import as_written, load_written, spec_of


class SyncComponent(dg.Component, dg.Resolvable, SyncConfig):
    """Base of ObjectSync and AudienceSync: how Dagster loads a sync from YAML, and what it gets from it."""

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
        """Build the sync that a `defs.yaml` describes; its folder's name is the sync's name."""

        def build(values: dict[str, Any]) -> SyncComponent:
            if "name" in values:
                raise SyncConfigError("", [Problem(("name",), "remove it: the folder's name is the sync's")])
            if isinstance(values.get("query_file"), str):
                values["query_file"] = context.path / values["query_file"]
            return cls(name=context.path.name, **values)

        return cast(Self, load_written(context, attributes, cls.attributes_of, build))

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The definitions of this sync; those over all syncs (sync_all, undo_run…) come with the project."""
        syncs = syncs_beside(context)
        earlier = [sync for sync in syncs if sync.name < self.name]
        return sync_definitions(self, after(self, syncs), table_assets([self], earlier))


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


def syncs_beside(context: dg.ComponentLoadContext) -> list[SyncComponent]:
    """The syncs of the defs folder that a component is loaded from; none when it is built on its own."""
    return [] if context.path == context.defs_module_path else syncs_of(context.component_tree)


def syncs_of(tree: dg.ComponentTree) -> list[SyncComponent]:
    """The syncs of a tree."""
    # The type hint asks for a class that can be built; an abstract one serves to find its heirs.
    return tree.get_all_components(of_type=SyncComponent)  # type: ignore[type-abstract]
