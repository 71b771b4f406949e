"""How bad a share of bad rows is."""

import dagster as dg


def severity(share: float, allowed: float) -> dg.AssetCheckSeverity:
    """A warning up to what the sync allows, an error above it."""
    return dg.AssetCheckSeverity.WARN if share <= allowed else dg.AssetCheckSeverity.ERROR
