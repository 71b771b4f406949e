"""What is known of a row, as programs read it: the shape of docs/command-line.md. Masked like everything else."""

from __future__ import annotations

from typing import Any

import pandas as pd

from kustomer_pipeline.components.one_row import Decision

from .known_row import KnownOfRow, LiveRecord
from .masks import Masks
from .words import shown_key

VERSION = 1


def row_as_json(known: KnownOfRow) -> dict[str, Any]:
    """Moments are UTC."""
    found = known.found
    return {
        "version": VERSION,
        "sync": known.sync.name,
        "key": shown_key(known.key),
        "org": known.org_id,
        "rows": [
            {
                "row": position + 1,
                "values": {
                    column: known.masks.of_column(column, value) for column, value in found.values(position).items()
                },
                "invalid": found.invalid(position),
            }
            for position in (found.positions if found is not None else ())
            if found is not None
        ],
        "record": _record(known.live, known.masks),
        "remembered": [
            {
                "status": one.row.status,
                "tag_id": one.scope or None,
                "kustomer_id": one.row.kustomer_id,
                "reason": one.row.reason,
                "owned": one.row.owned,
                "left_to_kustomer": sorted(one.row.theirs),
                "run_id": one.run_id,
                "at": one.updated_at.isoformat(),
            }
            for one in known.remembered
        ],
        "log": [
            {
                "outcome": one.outcome,
                "reason": one.reason,
                "kustomer_id": one.kustomer_id,
                "run_id": one.run_id,
                "at": one.at.isoformat(),
            }
            for one in known.log
        ],
        "overwritten": [
            {
                "run_id": one.run_id,
                "at": one.at.isoformat(),
                "kustomer_id": one.line.kustomer_id,
                "fields": [_change(field, before, after, known.masks) for field, before, after in one.line.changes],
            }
            for one in known.overwritten
        ],
        "requests": [
            {
                "at": one.at,
                "run_id": one.run,
                "kind": one.kind,
                "method": one.method,
                "path": one.path,
                "status": one.status,
                "error": one.error,
            }
            for one in known.requests
        ],
        "decision": _decision(known.decision, known.masks),
    }


def _record(live: LiveRecord | None, masks: Masks) -> dict[str, Any] | None:
    if live is None:
        return None
    return {
        "kustomer_id": live.kustomer_id,
        "there": live.there,
        "deleted": live.deleted,
        "has_tag": live.has_tag,
        "fields": [
            {"field": one.field, "warehouse": ours, "kustomer": theirs, "same": one.same}
            for one in live.fields
            for ours, theirs in [masks.pair(one.field, one.ours, one.theirs)]
        ],
    }


def _decision(decision: Decision | None, masks: Masks) -> dict[str, Any] | None:
    if decision is None:
        return None
    lines = decision.changes if decision.changes is not None else pd.DataFrame(columns=["field", "before", "after"])
    named = lines.loc[lines["field"].notna(), ["field", "before", "after"]]
    return {
        "action": decision.action,
        "reason": decision.reason,
        "fields": [_change(field, before, after, masks) for field, before, after in named.to_numpy().tolist()],
        "notes": list(decision.notes),
    }


def _change(field: str, before: Any, after: Any, masks: Masks) -> dict[str, Any]:
    first, second = masks.pair(field, before, after)
    return {"field": field, "before": first, "after": second}
