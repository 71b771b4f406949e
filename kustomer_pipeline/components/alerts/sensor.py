"""The sensor `kustomer_alerts`, off until it is switched on: a tick a minute, and its cursor is what was told."""

import time
from collections.abc import Sequence

import dagster as dg

from kustomer_pipeline.resources import dagster_url

from .delivery import deliver
from .ticking import tick
from .watched import Watched, channels

SENSOR = "kustomer_alerts"
EVERY_SECONDS = 60


def alerts_sensor(syncs: Sequence[Watched]) -> dg.SensorDefinition:
    """Tells the channels of `syncs` what is news of them."""

    @dg.sensor(
        name=SENSOR,
        minimum_interval_seconds=EVERY_SECONDS,
        description=f"Looks every {EVERY_SECONDS} seconds at how the syncs went and tells {', '.join(channels(syncs))} "
        "when something begins to be the matter, and when it is over: one message each. Off until you switch it on; "
        "try the channels with the job test_alerts. Resetting the cursor tells once more what is the matter.",
    )
    def alerts(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        found = tick(
            context.instance,
            syncs,
            context.cursor,
            now=time.time(),
            deliver=deliver,
            dagster_url=dagster_url(),
        )
        if found.failed and found.cursor == context.cursor:
            # There is nothing to remember, so the tick may fail, and is seen. Otherwise what was told would be lost.
            raise dg.Failure("\n".join(found.failed.values()), allow_retries=False)
        return dg.SensorResult(skip_reason=str(found), cursor=found.cursor)

    return alerts
