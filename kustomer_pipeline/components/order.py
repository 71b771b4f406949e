"""Which sync comes before which.

    companies → customers → audiences     (a customer links to a company, an audience tags customers or companies)

The order is a real dependency between the sync assets: in a run that has both, the later one runs only when
the earlier one has succeeded. It has to be known when an asset is defined: Dagster does not order steps by
dependencies that are added to their specs afterwards. Syncs of two orgs do not wait for one another.
"""

from collections.abc import Sequence

import dagster as dg

from .keys import kustomer_key
from .sync_config import SyncConfig


def after(sync: SyncConfig, syncs: Sequence[SyncConfig]) -> list[dg.AssetKey]:
    """The sync assets that have to succeed first: those of the stage before in the same org, if there are any."""
    earlier = [other for other in syncs if _org(other) == _org(sync) and other.stage < sync.stage]
    last = max((other.stage for other in earlier), default=None)
    return [kustomer_key(other) for other in earlier if other.stage == last]


def _org(sync: SyncConfig) -> str:
    """Which org is written to, by the name of its resource."""
    return sync.resource_keys.kustomer
