"""What a run is known by in Dagster: which sync, which org; and whether Dagster may try it again.

    kustomer/sync, kustomer/org ─→ to find the runs of a sync, or those that wrote to an org
    dagster/max_retries         ─→ set when a run fails: some retries for a reason that passes, none for any other

Dagster decides about a retry when the run is over, by its tags; so the step that fails sets them. Its daemon needs
`run_retries: {enabled: true}` in dagster.yaml, which ours has.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import dagster as dg

from kustomer_pipeline.kustomer import ConnectionFailedError, RateLimitedError, ServerError
from kustomer_pipeline.sync import RunOptions
from kustomer_pipeline.warehouse import WarehouseUnavailableError

from .sync_config import SyncConfig

SYNC_TAG = "kustomer/sync"
ORG_TAG = "kustomer/org"
MAX_RETRIES_TAG = "dagster/max_retries"
USER_TAGS = ("dagster/user", "user")
RETRY_FAILURES_TAG = "dagster/retry_on_asset_or_op_failure"

_PASSING = (ConnectionFailedError, RateLimitedError, ServerError, WarehouseUnavailableError)


def approved_by(options: RunOptions, run: dg.DagsterRun) -> RunOptions:
    """Who approved a plan, if nobody is named: the user that Dagster knows the run by (Dagster+ does)."""
    user = next((run.tags[tag] for tag in USER_TAGS if run.tags.get(tag)), None)
    return replace(options, approved_by=options.approved_by or user)


def tag_org(context: dg.AssetExecutionContext, sync: SyncConfig, org_id: str) -> None:
    """Note on the run which org it writes to, and which sync it is of."""
    known = context.run.tags.get(SYNC_TAG)
    context.instance.add_run_tags(context.run.run_id, {ORG_TAG: org_id, SYNC_TAG: known or sync.name})


@contextmanager
def retries_decided(context: dg.AssetExecutionContext, sync: SyncConfig) -> Iterator[None]:
    """Whether Dagster may try the run again, decided by the error that leaves the body."""
    try:
        yield
    except Exception as error:
        decide_retries(context, sync, error)
        raise


def decide_retries(context: dg.AssetExecutionContext, sync: SyncConfig, error: Exception | None) -> None:
    """Set the run's tags. None: rows were refused, and would be again."""
    retries = sync.run_retries if is_passing(error) else 0
    tags = {MAX_RETRIES_TAG: str(retries)} | ({RETRY_FAILURES_TAG: "true"} if retries else {})
    context.instance.add_run_tags(context.run.run_id, tags)


def is_passing(error: Exception | None) -> bool:
    """Whether the same run may well go through in some minutes."""
    return isinstance(error, _PASSING)
