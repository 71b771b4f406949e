"""The job that takes a run back: `undo_run`, with the id of the run in its run config.

A job of one op and not an asset: it makes nothing that is kept, it belongs to no sync, and nothing depends on it.
"""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from kustomer_pipeline.resources import KustomerResource, StateResource
from kustomer_pipeline.sync import undo_run

from .failures import error_text, failure, readable_failures
from .metadata import undo_metadata
from .progress import in_log


class UndoRunConfig(dg.Config):
    """Which run to take back."""

    run_id: str = Field(
        description="The id of the Dagster run, in full, as the run's page shows it. A run of sync_all is taken back "
        "with all its syncs."
    )


_DESCRIPTION = """\
**Writes to Kustomer.** Takes back what a run changed: in every record that it updated, the fields that still are as the
run left them get the values from before it, and tags, e-mails and phones that it added or removed go or come back.

Whose a tag is follows: a member who is untagged by the undo is no longer this pipeline's, one who is tagged again is.

It leaves alone what somebody changed since, and says so. Records that the run created are **not deleted**: they are
listed. What a run overwrote is kept for `KUSTOMER_UNDO_DAYS` days (30 unless set).

The warehouse still says what it says: the next sync sends a row again only when it changes there, or with
`full_resync`. So correct it at the source as well."""


def undo_job(org: str | None = None) -> dg.JobDefinition:
    """`undo_run`; with several orgs one for each, `undo_run_eu`."""
    suffix = f"_{org}" if org else ""

    @dg.op(
        name=f"undo{suffix}",
        description=_DESCRIPTION,
        out=dg.Out(dg.Nothing),
        tags={"dagster/compute_kind": "kustomer"},
        required_resource_keys={f"kustomer{suffix}", "state"},
    )
    def undo(context: dg.OpExecutionContext, config: UndoRunConfig) -> Iterator[dg.Output[None]]:
        kustomer: KustomerResource = getattr(context.resources, f"kustomer{suffix}")
        state: StateResource = context.resources.state
        with readable_failures(kustomer.variables), kustomer.client() as client, state.store() as store:
            report = undo_run(
                config.run_id.strip(),
                client=client,
                state=store,
                as_run=context.run_id,
                undo_days=state.days_to_undo(),
                on_progress=in_log(context),
            )
            metadata = undo_metadata(report)
        for note in report.notes:
            context.log.info(note)
        counts = {key: value for key, value in metadata.items() if key.startswith(("records_", "fields_")) and value}
        context.log.info(", ".join(f"{key.replace('_', ' ')}: {count:,}" for key, count in counts.items()))
        yield dg.Output(None, metadata=metadata)
        if report.interrupted is not None:
            raise failure(
                f"Stopped half-way: {error_text(report.interrupted)}\n\nWhat was taken back is taken back; launch the "
                "job again with the same run id for the rest."
            )

    @dg.job(name=f"undo_run{suffix}", description=_DESCRIPTION)
    def job() -> None:
        undo()

    return job
