"""The org's records as a test looks at them: like the API's answers, with nothing left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .records import Json, full_attributes
from .state import SandboxState


def _copied(value: Any) -> Any:
    """A copy of what JSON can hold; many times faster than deepcopy."""
    if isinstance(value, dict):
        return {name: _copied(inner) for name, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value


class Records(Mapping[str, Json]):
    """Record id → its attributes as the API returns them, but for those that only say again what others say (a
    customer's firstName, lastName, companyName), and `company` (an id or None). A live view; each value a copy.
    """

    def __init__(self, state: SandboxState, kind: str) -> None:
        self._state = state
        self._kind = kind

    def __getitem__(self, record_id: str) -> Json:
        with self._state.lock:
            self._state.now()
            record = self._state.store.records[self._kind][record_id]
            if record.deleted and self._kind == "customer":
                raise KeyError(record_id)
            return {**_copied(full_attributes(record)), "company": record.company}

    def __iter__(self) -> Iterator[str]:
        with self._state.lock:
            self._state.now()
            store = self._state.store
            return iter(list(store.live["customer"] if self._kind == "customer" else store.records["company"]))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"<{len(self)} {self._kind} records>"
