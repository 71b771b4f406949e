"""The fields of one record: what it holds, whether two values are the same to Kustomer, and a patch of them. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from kustomer_pipeline.kustomer import Record

from .reasons import Reason


@dataclass(frozen=True)
class Change:
    """One field, before → after, named as in the YAML file where it is a scalar, as in Kustomer where it is a list."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Patch:
    """What to send, and the same told field by field. Nothing to send: `body` is empty.

    `notes`: what could not be written, while the rest can.
    """

    body: dict[str, Any]
    changes: tuple[Change, ...]
    notes: tuple[Reason, ...] = ()


@dataclass
class Draft:
    """A patch while it is put together."""

    body: dict[str, Any] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    notes: list[Reason] = field(default_factory=list)

    def put(self, path: str, before: Any, after: Any) -> None:
        """One field more."""
        self.changes.append(Change(path, before, after))
        if path.startswith("custom."):
            self.body.setdefault("custom", {})[path.removeprefix("custom.")] = after
        else:
            self.body[path] = after

    def patch(self) -> Patch:
        """What has been put together."""
        return Patch(self.body, tuple(self.changes), tuple(self.notes))


def is_nullable(path: str, nullable: Collection[str]) -> bool:
    """Whether Kustomer takes null for a scalar (docs/kustomer.md sections 4.2, 5 and 9)."""
    return path.startswith("custom.") or path in nullable


def present_value(live: Record, path: str) -> Any:
    """What a live record holds in a scalar, None where it is empty."""
    if path == "company":
        value: Any = live.company_id
    elif path.startswith("custom."):
        value = (live.attributes.get("custom") or {}).get(path.removeprefix("custom."))
    else:
        value = live.attributes.get(path)
    return None if value == "" else value


def same_value(one: Any, other: Any, value_type: str = "text") -> bool:
    """Whether two scalars are the same to Kustomer: times as instants, to the millisecond."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if value_type == "datetime" and isinstance(one, str) and isinstance(other, str):
        first, second = _instant(one), _instant(other)
        if first is not None and second is not None:
            return first == second
    return bool(one == other)


def _instant(text: str) -> datetime | None:
    """An ISO-8601 text as an instant, to the millisecond (what Kustomer keeps), None if it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
