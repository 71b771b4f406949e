"""What Dagster shows of a sync that does not load, while the others go on: assets and a job that fail and say why.

a mistake in defs.yaml → BrokenSync → kustomer/<name>, kustomer/<name>_plan, sync_<name>, each failing

So it is seen where the sync is looked for, a run of all syncs is red, and a schedule of somebody's own still finds its
job. The assets' keys are those of the sync: what they have recorded before is there when it is put right.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import dagster as dg

from .jobs import broken_job, broken_key, broken_plan_key
from .markdown import text
from .sync_config import BrokenSync

_HEADING = "**This sync does not load**, and sends nothing until its file is put right:"
_log = logging.getLogger(__name__)


def stand_in(sync: BrokenSync, others: Sequence[BrokenSync] = ()) -> dg.Definitions:
    """The assets and the job of a sync that does not load; said in the log as well.

    others: that do not load either: a plan that is named like one of them is left to it.
    """
    _log.error("%s", sync)
    keys = [broken_key(sync), broken_plan_key(sync)]
    assets = [_failing(sync, key) for key in keys if key not in map(broken_key, others)]
    return dg.Definitions(assets=assets, jobs=[broken_job(sync)])


@contextmanager
def not_logged() -> Iterator[None]:
    """For the body, which syncs do not load is not logged: whoever loads them says it."""
    before, _log.disabled = _log.disabled, True
    try:
        yield
    finally:
        _log.disabled = before


def _failing(sync: BrokenSync, key: dg.AssetKey) -> dg.AssetsDefinition:
    @dg.asset(
        key=key,
        description="\n\n".join([_HEADING, "\n".join(f"- {text(line)}" for line in sync.lines)]),
        kinds={"kustomer"},
        tags={"kustomer/does_not_load": ""},
        group_name=sync.name,
        config_schema=dict,  # a schedule or a person may tell it what the sync takes
    )
    def does_not_load() -> None:
        raise dg.Failure(str(sync), allow_retries=False)

    return does_not_load
