"""Which sync comes before which.

    companies → customers → audiences     (a customer links to a company, an audience tags customers)

The order is a real dependency between the sync assets: in a run that has both, the later one runs only when
the earlier one has succeeded. It has to be known when an asset is defined: Dagster does not order steps by
dependencies that are added to their specs afterwards.
"""

from collections.abc import Sequence

import dagster as dg

from .audience_sync import AudienceSync
from .keys import kustomer_key
from .object_sync import ObjectSync
from .sync_component import Sync


def siblings(context: dg.ComponentLoadContext) -> list[Sync]:
    """The syncs of the folder that a component is loaded from; none when it is built on its own."""
    if context.path == context.defs_module_path:
        return []
    return context.component_tree.get_all_components(of_type=Sync)  # type: ignore[type-abstract]  # finds its heirs


def after(sync: Sync, syncs: Sequence[Sync]) -> list[dg.AssetKey]:
    """The sync assets that have to succeed first: those of the stage before, so far as there are any."""
    before = [_stage(other) for other in syncs if _stage(other) < _stage(sync)]
    return [kustomer_key(other) for other in syncs if before and _stage(other) == max(before)]


def _stage(sync: Sync) -> int:
    if isinstance(sync, AudienceSync):
        return 2
    return 1 if isinstance(sync, ObjectSync) and sync.object == "customers" else 0
