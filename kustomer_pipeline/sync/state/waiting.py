"""What all locks share: how their turn is waited for, and what is said when one is lost."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.5
LOST = (
    "The lock of the org was lost: its connection to the state database is gone, and another run may be writing by "
    "now. This run has stopped; what it had sent is in the journal, and the next run goes on from there."
)


def wait_until(taken: Callable[[], bool], who: str) -> None:
    """Costs nothing while it waits, and a signal ends it."""
    if taken():
        return
    _log.info("%s; waiting for it to finish", who)
    while not taken():
        threading.Event().wait(_POLL_SECONDS)
