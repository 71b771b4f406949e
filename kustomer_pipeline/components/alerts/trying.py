"""The job `test_alerts`: one message to every channel, to see whether it arrives."""

from collections.abc import Iterator, Sequence

import dagster as dg

from ..failures import failure
from .delivery import DeliveryError, deliver
from .messages import trial
from .watched import Watched, channels

TRY_JOB = "test_alerts"

_DESCRIPTION = (
    "Sends one message to every channel of `alerts`, which says that it is a trial, and fails with the variables of "
    "those that did not take it. Reads neither Kustomer nor the warehouse."
)


def try_job(syncs: Sequence[Watched]) -> dg.JobDefinition:
    """The job over all channels of `syncs`."""
    every = channels(syncs)

    @dg.op(name="try_channels", description=_DESCRIPTION, out=dg.Out(dg.Nothing))
    def try_channels(context: dg.OpExecutionContext) -> Iterator[dg.Output[None]]:
        outcomes = {channel: _outcome(channel) for channel in every}
        failed = [why for why in outcomes.values() if why is not None]
        for channel, why in outcomes.items():
            context.log.info(f"{channel}: {why or 'delivered'}")
        yield dg.Output(None, metadata={channel: why or "delivered" for channel, why in outcomes.items()})
        if failed:
            raise failure(f"{len(failed)} of {len(every)} channels did not take the message.\n\n" + "\n".join(failed))

    @dg.job(name=TRY_JOB, description=_DESCRIPTION)
    def job() -> None:
        try_channels()

    return job


def _outcome(channel: str) -> str | None:
    """Why a channel did not take the message; None when it did."""
    try:
        deliver(trial(channel))
    except DeliveryError as error:
        return str(error)
    return None
