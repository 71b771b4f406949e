"""How far a run is, told in Dagster's log while it goes on."""

import dagster as dg

from kustomer_pipeline.sync import Progress
from kustomer_pipeline.sync.report import OnProgress


def in_log(context: dg.OpExecutionContext | dg.AssetExecutionContext) -> OnProgress:
    """What the engine calls from time to time: a line in the log of the run."""

    def tell(progress: Progress) -> None:
        context.log.info(str(progress))

    return tell
