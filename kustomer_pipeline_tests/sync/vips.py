"""An audience as the tests of ownership need it: the tag vip, mirrored, with every removal allowed."""

from __future__ import annotations

from typing import Any

from kustomer_pipeline.sync import AudienceSpec, RemovalLimit
from kustomer_pipeline_tests.world import World, audience

WIDE = RemovalLimit(share=1.0)
SCOPES = ["owned", "tag"]


def vips(**changes: Any) -> AudienceSpec:
    """The audience, with changes."""
    return audience(**{"max_removals": WIDE, **changes})


def holders(world: World) -> set[str]:
    """Ids of the customers that hold the tag."""
    return {id_ for id_ in world.sandbox.customers if "vip" in world.sandbox.tag_names(id_)}


def tag(world: World) -> str:
    """The id of the tag."""
    (id_,) = world.sandbox.tags
    return id_


def keys_of_holders(world: World, tag: str = "vip") -> set[str]:
    """externalIds of the customers that hold the tag."""
    return {one["externalId"] for id_, one in world.sandbox.customers.items() if tag in world.sandbox.tag_names(id_)}


def numbers(*which: int) -> set[str]:
    """externalIds of people."""
    return {f"C-{n}" for n in which}
