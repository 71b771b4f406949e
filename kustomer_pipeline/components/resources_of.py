"""The resources of a sync, under whatever names the project has them (`resource_keys`)."""

from dataclasses import dataclass
from typing import Any, TypeVar

import dagster as dg

from kustomer_pipeline.resources import KustomerResource, StateResource, WarehouseResource

from .failures import failure
from .sync_config import ResourceKeys, SyncConfig

_Kind = TypeVar("_Kind")


@dataclass(frozen=True)
class Resources:
    """Each is there as far as the asset has asked for it."""

    keys: ResourceKeys
    given: Any  # Dagster's named tuple of resources

    @property
    def warehouse(self) -> WarehouseResource:
        """The warehouse."""
        return _checked(self.given, self.keys.warehouse, WarehouseResource)

    @property
    def kustomer(self) -> KustomerResource:
        """The org."""
        return _checked(self.given, self.keys.kustomer, KustomerResource)

    @property
    def state(self) -> StateResource:
        """What is remembered."""
        return _checked(self.given, self.keys.state, StateResource)


def resources_of(sync: SyncConfig, context: dg.AssetExecutionContext | dg.OpExecutionContext) -> Resources:
    """The resources that the step has."""
    return Resources(sync.resource_keys, context.resources)


def _checked(given: Any, key: str, kind: type[_Kind]) -> _Kind:
    resource = getattr(given, key)
    if not isinstance(resource, kind):
        raise failure(
            f"The resource {key!r} is a {type(resource).__name__}, and the sync needs a {kind.__name__}: give it one "
            "of that name, or another name in resource_keys"
        )
    return resource
