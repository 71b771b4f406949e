"""The company link of customers: the warehouse's company identifier → Kustomer's company id.

Looked up once a run. Where a companies sync of the same state has seen a company is a hint, checked live.
"""

from __future__ import annotations

from collections.abc import Iterable

from kustomer_pipeline.kustomer import KustomerClient

from .identity import Finder
from .rows import Row
from .sync_state import SyncState


class CompanyLinks:
    """Resolves company identifiers. `match`: externalId, name, or id (taken as it is)."""

    def __init__(self, client: KustomerClient, state: SyncState, match: str) -> None:
        self.client = client
        self.state = state
        self.match = match
        self.learned: list[tuple[str, str, str, str]] = []
        self._ids: dict[str, str] = {}
        self._problems: dict[str, str] = {}

    def resolve(self, values: Iterable[str]) -> None:
        """Find the companies named, so that `id_of` and `problem_of` can answer. Raises KustomerError."""
        unknown = sorted({value for value in values if value not in self._ids and value not in self._problems})
        if not unknown:
            return
        if self.match == "id":
            self._ids.update({value: value for value in unknown})
            return
        self._find(unknown)

    def _find(self, values: list[str]) -> None:
        rows = [Row(position=-1, key=value, fingerprint=0, source={self.match: value}, doubt=True) for value in values]
        finder = Finder(self.client, self.state, "companies", (self.match,))
        for value, match in zip(values, finder.find(rows), strict=True):
            if match.record is not None:
                self._ids[value] = match.record.id
            elif match.problem is not None:
                self._problems[value] = f"company link: {match.problem}"
            else:
                self._problems[value] = (
                    f"company link: Kustomer has no company with this {self.match}; "
                    "sync the companies first, then this row goes with the next run"
                )
        if self.match == "externalId":
            self.learned += finder.learned

    def id_of(self, value: str) -> str | None:
        """The Kustomer id of a resolved company."""
        return self._ids.get(value)

    def problem_of(self, value: str) -> str | None:
        """Why a company could not be resolved."""
        return self._problems.get(value)
