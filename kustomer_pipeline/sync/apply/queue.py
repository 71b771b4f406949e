"""Kustomer's queue, as seen from here: how long a job is waited for.

While jobs that were handed in before it get done, a job that is not done only waits for its turn. When nothing gets
done any more, it is left to the next run; and when that is so of very many jobs in a row, nothing more is sent.
"""

from __future__ import annotations

from collections import deque

from kustomer_pipeline.kustomer import BulkAnswer, KustomerClient, ServerError

PATIENCE_SECONDS = 300.0  # without any job being done
STUCK_JOBS = 100  # so many in a row that none was done beside: the run ends


class JobQueue:
    """Waits for the jobs of one run."""

    def __init__(self, client: KustomerClient) -> None:
        self._client = client
        self._done: deque[tuple[float, float]] = deque(maxlen=1000)  # when handed in, when seen to be done
        self._stuck = 0

    async def answer(self, bulk_id: str, items: int) -> BulkAnswer:
        """A job's answer, incomplete where it is not worth waiting any longer. Raises KustomerError."""
        clock = self._client.clock
        submitted_at = clock.monotonic()
        deadline = submitted_at + PATIENCE_SECONDS
        while True:
            answer = await self._client.bulk_results(bulk_id, items, submitted_at, deadline)
            if answer.complete:
                self._done.append((submitted_at, clock.monotonic()))
                self._stuck = 0
                return answer
            its_turn = max((done for since, done in self._done if since <= submitted_at), default=submitted_at)
            if its_turn + PATIENCE_SECONDS <= deadline:
                self._count_stuck()
                return answer
            deadline = its_turn + PATIENCE_SECONDS

    def _count_stuck(self) -> None:
        self._stuck += 1
        if self._stuck >= STUCK_JOBS:
            raise ServerError(
                f"Kustomer has not finished a bulk job for {PATIENCE_SECONDS / 60:.0f} minutes, and {self._stuck} wait "
                "in its queue: nothing more is sent. The next run collects what they bring"
            )
