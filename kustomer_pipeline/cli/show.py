"""The command `show`: one row → everything that is known of it → text or JSON. Sends nothing, keeps nothing.

the warehouse → the row, as a run would see it        the state → as it is remembered, its log, what was overwritten
Kustomer      → the record beside the row             the request log, if there is one → requests about it
a plan of this row alone → what a run would do
"""

from __future__ import annotations

import argparse

from kustomer_pipeline.components.one_row import (
    Beside,
    Decision,
    FoundRows,
    beside,
    decide_alone,
    find_rows,
    holds_tag,
)
from kustomer_pipeline.components.resources_of import Resources
from kustomer_pipeline.components.sync_config import SyncConfig
from kustomer_pipeline.kustomer import KustomerClient
from kustomer_pipeline.resources import request_log_folder, showing_values
from kustomer_pipeline.sync import StateStore
from kustomer_pipeline.telemetry import RequestLine, requests_of

from .errors import CommandError
from .known_row import KnownOfRow, LiveRecord
from .project import made_by_dagster, opened, told
from .show_json import row_as_json
from .show_text import row_as_text
from .terminal import Terminal
from .words import new_run_id

_MOST = 20  # lines of the log, of what was overwritten


def run(options: argparse.Namespace) -> int:
    """Show. Raises CommandError where nothing is known of such a row."""
    terminal = Terminal()
    with terminal.hearing_logs(), showing_values(options.show_values), opened(options) as project:
        sync = project.one(options.sync)
        uses = project.uses(sync)
        with told(uses.kustomer.variables), terminal.working("looking"):
            found = find_rows(sync, uses, options.key) if made_by_dagster(sync) is None else None
            with uses.kustomer.client() as client, uses.state.store() as store:
                known = _known(sync, uses, found, options.key.strip(), client, store)
        if known is None:
            raise CommandError(_not_there(sync, found))
        if options.json:
            terminal.say_json(row_as_json(known))
        else:
            for line in row_as_text(known, options):
                terminal.say(*line)
    return 0


def _known(
    sync: SyncConfig,
    uses: Resources,
    found: FoundRows | None,
    wanted: str,
    client: KustomerClient,
    store: StateStore,
) -> KnownOfRow | None:
    """None where nothing is known at all."""
    key = (found.key if found is not None else None) or wanted
    org_id = client.run(client.token()).org_id
    overview = store.overview(org_id)
    remembered, log = overview.rows(sync.name, key), overview.log_of_row(sync.name, key, _MOST)
    if not (found is not None and found.positions) and not remembered and not log:
        return None
    position = found.positions[0] if found is not None and found.positions else None
    decision = None
    if found is not None and position is not None:
        decision = decide_alone(sync, uses, found, position, new_run_id(), client=client, store=store)
    return KnownOfRow(
        sync=sync,
        key=key,
        found=found,
        now=store.now(),
        org_id=org_id,
        remembered=tuple(remembered),
        log=tuple(log),
        overwritten=tuple(overview.changes_of_row(sync.name, key, _MOST)),
        requests=tuple(_requests(sync, key)),
        decision=decision,
        live=_live(
            sync,
            found,
            position,
            _record_id(remembered[0].row.kustomer_id if remembered else None, decision),
            client,
            store,
            org_id,
        ),
    )


def _record_id(remembered: str | None, decision: Decision | None) -> str | None:
    """What the plan found, which is newer; else what is remembered."""
    return (decision.kustomer_id if decision is not None else None) or remembered


def _live(
    sync: SyncConfig,
    found: FoundRows | None,
    position: int | None,
    kustomer_id: str | None,
    client: KustomerClient,
    store: StateStore,
    org_id: str,
) -> LiveRecord | None:
    """The record as Kustomer has it now; None where nobody knows which it is."""
    if kustomer_id is None:
        return None
    record = client.run(client.get_many_with_deleted(sync.spec.object, [kustomer_id])).get(kustomer_id)
    if record is None:
        return LiveRecord(kustomer_id, there=False)
    fields: list[Beside] = beside(found, position, record) if found is not None and position is not None else []
    return LiveRecord(
        kustomer_id, deleted=record.deleted, fields=tuple(fields), has_tag=holds_tag(sync.spec, record, store, org_id)
    )


def _requests(sync: SyncConfig, key: str) -> list[RequestLine]:
    folder = request_log_folder()
    return requests_of(folder, sync.name, key) if folder is not None else []


def _not_there(sync: SyncConfig, found: FoundRows | None) -> str:
    rows = f"{len(found.frame):,} rows" if found is not None else "rows, which only Dagster makes,"
    fields = ", ".join(sync.spec.match_on)
    return (
        f"There is no row with this key among the {rows} of {sync.name}, nor is one remembered. A row is found by its "
        f"key, as plans and reports show it, or by one of its identifiers ({fields}), in full"
    )
