"""How far a run is, told now and then."""

from __future__ import annotations

from kustomer_pipeline.kustomer import KustomerClient

from .ledger import Ledger
from .report import OnProgress, Progress

_EVERY_SECONDS = 5.0


class Teller:
    """Tells `on_progress` every few seconds, and at the end."""

    def __init__(self, on_progress: OnProgress | None, client: KustomerClient) -> None:
        self._on_progress = on_progress
        self._client = client
        self._started = self._told = client.clock.monotonic()
        self._ledger: Ledger | None = None
        self._total = 0

    def expect(self, ledger: Ledger, rows: int) -> None:
        """So many rows of the ledger will get an outcome."""
        self._ledger, self._total = ledger, rows

    def tell(self, *, last: bool = False) -> None:
        """Say how far it is, if it is time."""
        now = self._client.clock.monotonic()
        if self._on_progress is None or self._ledger is None or not self._total:
            return
        if now - self._told < _EVERY_SECONDS and not last:
            return
        self._told = now
        left = len(self._ledger.pending())
        done = max(0, self._total - left)
        rate = done / max(now - self._started, 1e-6)
        seconds_left = left / rate if rate and left else None
        self._on_progress(Progress(done, self._total, rate, seconds_left, self._client.usage.remaining))
