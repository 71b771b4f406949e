"""The Dagster classes: a sync as a component. `defs.yaml` or Python arguments in, definitions out.

defs.yaml ─ rendered, named after its folder ─┐
Python arguments ─────────────────────────────┴→ SyncConfig, checked as a whole → build_defs → definitions
"""

from typing import Any, Self

import dagster as dg
from pydantic import BaseModel, ConfigDict

from .order import after
from .sync_config import (
    AudienceSyncConfig,
    ObjectSyncConfig,
    Problem,
    SyncConfig,
    SyncConfigError,
    raise_located,
)
from .sync_definitions import sync_definitions
from .templates import rendered


class SyncComponent(dg.Component, dg.Resolvable, SyncConfig):
    """Base of ObjectSync and AudienceSync: how Dagster loads a sync from YAML, and what it gets from it."""

    @classmethod
    def model(cls) -> type[BaseModel]:
        """Dagster's hook for the schema. Lets every value pass: `load` judges, with all mistakes at once."""
        return _as_written(cls.attributes_of)

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Self:
        """Build the sync that a `defs.yaml` describes; its folder's name is the sync's name."""
        positions = context.resolution_context.source_position_tree
        try:
            written = (attributes.model_extra if attributes is not None else None) or {}
            values = rendered(written, context.resolution_context)
            if "name" in values:
                raise SyncConfigError("", [Problem(("name",), "remove it: the folder's name is the sync's")])
            if isinstance(values.get("query_file"), str):
                values["query_file"] = context.path / values["query_file"]
            return cls(name=context.path.name, **values)
        except SyncConfigError as error:
            if positions is None:
                raise
            raise_located(error, positions)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The definitions of this sync; those over all syncs (sync_all, undo_run…) come with the project."""
        return sync_definitions(self, after(self, _siblings(context)))


class ObjectSync(SyncComponent, ObjectSyncConfig):
    """Sends the rows of a warehouse query to Kustomer as customers or companies.

    The query's rows are mapped to Kustomer fields and compared with what is there; only differences are sent.
    Gives the assets `warehouse/<name>` → `mapped/<name>` → `kustomer/<name>` and `plan/<name>`, which shows
    what would be sent; checks, the job `sync_<name>`, and a sensor when `watch` is given.
    """


class AudienceSync(SyncComponent, AudienceSyncConfig):
    """Keeps a tag on the customers or companies that a warehouse query returns.

    Gives the assets `warehouse/<name>` → `mapped/<name>` → `kustomer/<name>` and `plan/<name>`, which shows
    who would be tagged and untagged; checks, the job `sync_<name>`, and a sensor when `watch` is given.
    """


def _siblings(context: dg.ComponentLoadContext) -> list[SyncComponent]:
    """The syncs of the folder that a component is loaded from; none when it is built on its own."""
    if context.path == context.defs_module_path:
        return []
    # The type hint asks for a class that can be built; an abstract one serves to find its heirs.
    return context.component_tree.get_all_components(of_type=SyncComponent)  # type: ignore[type-abstract]


def _as_written(schema: type[BaseModel]) -> type[BaseModel]:
    class AsWritten(BaseModel):
        model_config = ConfigDict(extra="allow")

        @classmethod
        def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
            return schema.model_json_schema(*args, **kwargs)

    AsWritten.__name__ = schema.__name__
    return AsWritten
