"""A run as a page that is read from top to bottom: what happened, what was refused and why, what comes next.

    headline ─ what it spent ─ the last runs, drawn ─ what was refused, by reason ─ what is left ─ what happens next

Masked unless KUSTOMER_SHOW_VALUES=1: the page is in Dagster's event log.
"""

from collections.abc import Iterator, Sequence

from kustomer_pipeline.sync import SyncReport
from kustomer_pipeline.sync.wording import REQUESTS, quantity

from . import markdown
from .failures import error_text
from .outcomes_plot import RunOutcomes, plot
from .refused import refused_table
from .sync_config import AudienceSyncConfig, SyncConfig
from .what_next import what_next


def report_headline(sync: SyncConfig, report: SyncReport) -> str:
    """What happened, in a sentence or two."""
    counts = report.counts
    done = markdown.counted(
        [("created", counts.created), (_updated(sync), counts.updated), ("untagged as they left", report.removed)],
        "nothing to change",
    )
    left = markdown.counted(
        [
            ("unchanged", counts.unchanged),
            ("skipped", counts.skipped),
            ("invalid", counts.invalid),
            ("rejected", counts.rejected),
            ("left for the next run", counts.deferred),
        ],
        "",
    )
    held = report.removals_held + report.changes_held
    lines = [
        "**Stopped half-way.**" if report.interrupted is not None else "",
        f"**{quantity(counts.read, 'row was', 'rows were')} read: {done}.**",
        f"The others: {left}." if left else "",
        f"**{quantity(held, f'of the {sync.kind} is', f'of the {sync.kind} are')} held until somebody approves.**"
        if held
        else "",
    ]
    return "\n\n".join(filter(None, lines))


def run_report(
    sync: SyncConfig,
    report: SyncReport,
    waited: float = 0.0,
    runs: Sequence[RunOutcomes] = (),
    switched_on: frozenset[str] = frozenset(),
) -> str:
    """The whole page. `runs`: the last runs, this one included; `switched_on`: what starts runs by itself."""
    return markdown.page(_parts(sync, report, waited, runs, switched_on))


def _parts(
    sync: SyncConfig, report: SyncReport, waited: float, runs: Sequence[RunOutcomes], switched_on: frozenset[str]
) -> Iterator[str]:
    yield report_headline(sync, report)
    yield _spent(report, waited)
    if report.interrupted is not None:
        yield f"What stopped it: {error_text(report.interrupted)}"
    yield plot(runs)
    counts = report.counts
    if refused := counts.invalid + counts.rejected:
        yield f"### Refused: {refused:,}"
        yield refused_table(report.rows, ["invalid", "rejected"])
    if left := counts.skipped + counts.deferred:
        yield f"### Left out: {left:,}"
        yield refused_table(report.rows, ["skipped", "deferred"])
    if report.notes:
        yield "### To note"
        yield "\n".join(f"- {note}" for note in report.notes)
    yield "### What happens next"
    yield what_next(sync, report, switched_on)


def _updated(sync: SyncConfig) -> str:
    """What became of a row that counts as updated."""
    if isinstance(sync, AudienceSyncConfig):
        return "untagged" if sync.mode == "remove" else "tagged"
    return "updated"


def _spent(report: SyncReport, waited: float) -> str:
    read = report.counts.read
    each = f", {report.requests / read:.4f} for each row" if read else ""
    text = f"It took {report.seconds:,.0f} s and {quantity(report.requests, *REQUESTS)} of the org's budget{each}."
    if waited >= 1:
        text += f" {waited:,.0f} s of it were waiting for the budget, or before something was tried again."
    if report.budget_left is not None:
        text += f" {quantity(report.budget_left, 'request is', 'requests are')} left of this minute."
    return text
