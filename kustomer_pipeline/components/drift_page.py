"""Drift as a page that is read from top to bottom: how much there is, of what, since when, what is done about it.

    headline ─ what it cost ─ the last looks, drawn ─ the fields ─ what is gone ─ examples ─ what happens next

Masked unless KUSTOMER_SHOW_VALUES=1: the page is in Dagster's event log. The values are in the asset's own value only,
which is kept and removed with the other frames.
"""

from collections.abc import Iterator, Mapping, Sequence

import dagster as dg
import pandas as pd

from kustomer_pipeline.resources import show_values
from kustomer_pipeline.sync import DriftReport, What
from kustomer_pipeline.sync.wording import ARE, RECORDS, REQUESTS, part, quantity

from . import markdown
from .keys import drift_key
from .outcomes_plot import RUNS, RunOutcomes, plot
from .sync_config import SyncConfig
from .tables import MAX_ROWS, Metadata, table

EXAMPLES = 20
COLORS: Mapping[str, str] = {
    str(What.CHANGED): "#d99a2b",
    str(What.UNRECOGNISED): "#8a63d2",
    str(What.DELETED): "#d9534f",
    str(What.MERGED): "#3f7fd9",
    str(What.GONE): "#808590",
}
_SAYS = {
    What.CHANGED: "a mapped field differs",
    What.UNRECOGNISED: "no identifier of the row is left in it, or it has another externalId",
    What.DELETED: "Kustomer has it as deleted",
    What.MERGED: "it is gone, and another record has its identifiers: merged, or made anew by hand",
    What.GONE: "it is not there any more, and Kustomer does not say why",
}


def drift_headline(sync: SyncConfig, report: DriftReport) -> str:
    """How much there is, in a sentence or two."""
    if not report.looked_at:
        return "**No record was looked at:** no row is in Kustomer as the warehouse has it now."
    of = f"{sync.kind} looked at"
    what = f"{part(report.drifted, report.looked_at, of, of, ARE)} not as they were accepted."
    lines = [f"**{what}**" if report.drifted else f"**All {report.looked_at:,} {of} are as they were accepted.**"]
    lines += [f"- {report.records[kind]:,} {kind}: {says}" for kind, says in _SAYS.items() if report.records.get(kind)]
    return "\n".join([lines[0], "", *lines[1:]]).strip()


def drift_page(sync: SyncConfig, report: DriftReport, looks: Sequence[RunOutcomes]) -> str:
    """The whole page. `looks`: the last ones, this one included."""
    return markdown.page(_parts(sync, report, looks))


def drift_metadata(sync: SyncConfig, report: DriftReport, earlier: Sequence[RunOutcomes], now: float) -> Metadata:
    """A page to read; the counts, what it cost, the fields that differ, the first lines (masked)."""
    counts: Metadata = {name: int(count) for name, count in report.counts.items()}
    looks = [*earlier, drift_of(counts, now)]
    shown = report.table(MAX_ROWS, show_values=show_values())
    metadata: Metadata = {
        "summary": dg.MetadataValue.md(drift_headline(sync, report)),
        "drift": dg.MetadataValue.md(drift_page(sync, report, looks)),
        "dagster/row_count": len(report.rows),
        "drifted": int(report.drifted),
        **counts,
        "api_requests": report.requests,
        "api_searches": report.searches,
        "seconds": round(float(report.seconds), 1),
        "org": report.org_id,
    }
    if report.notes:
        metadata["notes"] = dg.MetadataValue.md("\n".join(f"- {note}" for note in report.notes))
    return metadata | table("fields", _fields(report)) | table("first_lines", shown)


def drift_of(metadata: Mapping[str, object], at: float) -> RunOutcomes:
    """From the numbers of a look's metadata, what a bar shows of it."""

    def number(name: str) -> int:
        given = metadata.get(name)
        given = getattr(given, "value", given)
        return given if isinstance(given, int) else 0

    return RunOutcomes(at, {name: number(name) for name in COLORS})


def earlier_looks(instance: dg.DagsterInstance, sync: SyncConfig, partition: str | None) -> list[RunOutcomes]:
    """The last looks before this one, oldest first, as the event log has them; none where Dagster cannot say."""
    of_this = dg.AssetRecordsFilter(drift_key(sync), asset_partitions=[partition] if partition else None)
    try:
        found = instance.fetch_materializations(of_this, limit=RUNS - 1).records
    except Exception:  # whatever it is: what was found must be recorded, with or without a drawing
        return []
    return [
        drift_of(record.asset_materialization.metadata, record.timestamp)
        for record in reversed(found)
        if record.asset_materialization is not None
    ]


def _parts(sync: SyncConfig, report: DriftReport, looks: Sequence[RunOutcomes]) -> Iterator[str]:
    yield drift_headline(sync, report)
    yield (
        f"{quantity(report.accepted, 'row is', 'rows are')} in Kustomer as the warehouse has "
        f"{'it' if report.accepted == 1 else 'them'}, as far as is remembered; of {report.looked_at:,} the record was "
        f"read, which took {report.seconds:,.0f} s and {quantity(report.requests, *REQUESTS)} of the org's budget."
    )
    if report.left_to_them:
        fields = quantity(report.left_to_them, "field of them was", "fields of them were")
        yield f"{fields} left to Kustomer before (`on_drift: accept`), and not compared."
    yield plot(looks, COLORS, "Drift")
    if report.fields:
        yield "### Fields"
        lines = [[markdown.code(name), f"{count:,}"] for name, count in report.fields.items()]
        yield markdown.table(["field", "records:"], lines)
    if len(report.rows):
        yield f"### The first {min(EXAMPLES, len(report.rows))}"
        yield _examples(report)
    if report.notes:
        yield "### To note"
        yield "\n".join(f"- {note}" for note in report.notes)
    yield "### What happens next"
    yield "\n".join(f"- {line}" for line in _next(sync, report))


def _examples(report: DriftReport) -> str:
    shown = report.table(EXAMPLES, show_values=show_values())
    lines = [
        [
            markdown.text(row["key"]),
            _cell(row["what"]),
            markdown.code(row["field"]) if isinstance(row["field"], str) else "",
            markdown.value(row["theirs"]) if isinstance(row["field"], str) else _cell(row["became"]),
            markdown.value(row["ours"]) if isinstance(row["field"], str) else "",
            _cell(row["since"]),
            _cell(row["by"]),
            _cell(row["done"]),
        ]
        for row in shown.astype(object).where(shown.notna(), None).to_dict("records")
    ]
    return markdown.table(["row", "what", "field", "in Kustomer", "ours", "since", "by", "done"], lines)


def _cell(value: object) -> str:
    return markdown.text(value) if isinstance(value, str) else ""


def _next(sync: SyncConfig, report: DriftReport) -> Iterator[str]:
    done = report.done
    if done.restored:
        yield f"{quantity(len(done.restored), *RECORDS)}: ours goes again with the next run of `sync_{sync.name}`."
    if done.accepted:
        yield f"{quantity(len(done.accepted), *RECORDS)}: theirs stays, field by field, until the warehouse changes."
    if done.recreated:
        yield f"{quantity(len(done.recreated), *RECORDS)}: looked for by the next run, and made where nobody is them."
    if done.forgotten:
        yield f"{quantity(len(done.forgotten), *RECORDS)}: the row is left out until it changes in the warehouse."
    if report.records.get(What.UNRECOGNISED):
        yield (
            "Unrecognised records are left as they are: a run would take their rows for somebody else's, and create "
            "them. Put the identifier back in Kustomer, or correct it in the warehouse."
        )
    if report.drifted and sync.on_drift == "report" and sync.on_deleted == "report":
        yield (
            "Nothing is done about it. A run with `full_resync` sends ours again; `on_drift` and `on_deleted` say what "
            "is to be done by itself."
        )
    if not report.drifted:
        yield "Nothing."


def _fields(report: DriftReport) -> pd.DataFrame:
    return pd.DataFrame([{"field": name, "records": int(count)} for name, count in report.fields.items()])
