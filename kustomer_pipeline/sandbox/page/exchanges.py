"""What is kept of a request for the page, beside what the log of requests has anyway."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from ..state import RequestRecord

_KEPT = 200
_KEPT_BYTES = 10_000_000


@dataclass
class Exchange(RequestRecord):
    """A request in the log, and how it was answered."""

    number: int = 0
    """Counts from 1; from 1 again when the log was cleared."""
    faults: tuple[str, ...] = ()
    """All faults that fired for it, in the order of their names."""
    seconds: float | None = None
    """From its arrival until the answer was sent, or the connection closed."""
    sent: bytes | None = field(default=None, repr=False)
    """Its body while it is one of the last; longer when bodies are kept, see `RequestRecord.body`."""
    answer: bytes | None = field(default=None, repr=False)
    """The body of the answer while it is one of the last."""


class LastBodies:
    """Remembers the bodies of the last 200 exchanges, and at most 10 MB of them: the org may be large."""

    def __init__(self) -> None:
        self._kept: deque[Exchange] = deque()
        self._bytes = 0

    def keep(self, exchange: Exchange, sent: bytes, answer: bytes | None) -> None:
        """Remember these, and forget the oldest beyond the limits."""
        exchange.sent, exchange.answer = sent, answer
        self._kept.append(exchange)
        self._bytes += _size(exchange)
        while len(self._kept) > 1 and (len(self._kept) > _KEPT or self._bytes > _KEPT_BYTES):
            oldest = self._kept.popleft()
            self._bytes -= _size(oldest)
            oldest.sent = oldest.answer = None


def _size(exchange: Exchange) -> int:
    return len(exchange.sent or b"") + len(exchange.answer or b"")
