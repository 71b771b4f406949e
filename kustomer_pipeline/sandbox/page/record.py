"""What the page of a customer and that of a company have in common: one record whole."""

from __future__ import annotations

import json
from typing import Any

from ..present import Look, record_json
from ..records import Record
from ..times import iso
from .html import Child, Html, code, joined, link, pretty, quiet
from .links import user_name
from .parts import Row, section, table, written
from .visit import Visit


def changes(visit: Visit, record: Record) -> list[tuple[str, Child]]:
    """How often and when a record was changed, by whom, and what was asked about it."""
    return [
        ("rev", record.rev),
        ("Changed", f"{written(iso(record.at))} by {user_name(visit.state, record.modified_by)}"),
        ("Requests", link("those with its id in the path", f"/requests?path={record.id}")),
    ]


def whole(visit: Visit, record: Record) -> Html:
    """All attributes that are set, and the record as the API answers."""
    shown = record_json(visit.state, record, Look())
    rows = (Row(code(name), _value(value)) for name, value in shown["attributes"].items() if value not in ([], {}))
    return joined(
        section("Attributes", table(["Attribute", "Value"], rows), quiet("Lists that are empty are left out.")),
        section("As the API shows it", quiet("Without the faults that are switched on."), pretty(shown)),
    )


def _value(value: Any) -> Child:
    if isinstance(value, str):
        return value
    return pretty(value) if isinstance(value, list | dict) else code(json.dumps(value))
