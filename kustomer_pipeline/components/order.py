"""Which sync comes before which.

    companies → customers → audiences     (a customer links to a company, an audience tags customers or companies)

The order is a real dependency between the sync assets: in a run that has both, the later one runs only when
the earlier one has succeeded. It has to be known when an asset is defined: Dagster does not order steps by
dependencies that are added to their specs afterwards.
"""

from collections.abc import Sequence

import dagster as dg

from .keys import kustomer_key
from .sync_config import SyncConfig


def after(sync: SyncConfig, syncs: Sequence[SyncConfig]) -> list[dg.AssetKey]:
    """The sync assets that have to succeed first: those of the stage before, so far as there are any."""
    before = [other.stage for other in syncs if other.stage < sync.stage]
    return [kustomer_key(other) for other in syncs if before and other.stage == max(before)]
