"""When to look at a bulk job: when it is likely done, as learnt from the jobs before it.

    submitted → next_look() → (wait, look) → looking(), looked() → next_look() → … → complete

Each look costs a unit of the org's budget, and how long jobs take is not documented (docs/kustomer.md section 7.4). Two
things are learnt: how long a job takes by itself, and how long after the one before it, where Kustomer works on one job
after the other. A job is expected at the later of the two moments. What is expected creeps down a little with each job
that was done when it was looked at, and jumps up with one that was not, so about one look in ten is too early.

- The oldest job is looked at first: those behind it are hardly done before it. While a look at it is under way, only
  those follow that are as old as one that was done.
- One that is long overdue (stuck) no longer keeps the others waiting.
- The pause between two looks at a job grows with the number of looks, not with the age of the job.

A pure state machine: times come in as seconds of the clock's `monotonic`, and nobody sleeps here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SHORTEST_PAUSE = 0.5
LONGEST_PAUSE = 15.0
_FIRST_GUESS = 1.0
_GROWTH = 1.5  # of the pause, with each look
_PATIENCE = 0.6  # of the usual duration: a job that is overdue for longer lets the next one go first
_STUCK = 5.0  # times the patience: then it no longer keeps anybody waiting
_UNPROVEN_PATIENCE = 20.0  # seconds, while no job has told how long they take
_LONG_AGO = 60.0
_CREEP, _FASTEST_CREEP = 0.003, 0.05  # of the duration, with each job that was done by then; more with many in a row
_NO_GAP = 0.1  # seconds
_AT_ONCE = 0.05  # seconds
_BEHIND = 1.0  # seconds until asking again whether the job in front is done, if nobody says so before
_FIRST_JOBS, _MORE_JOBS, _FEWEST_JOBS = 64, 3, 2
_BUSY_SECONDS = 10.0
_NEVER, _FOREVER = float("-inf"), float("inf")


@dataclass(frozen=True)
class Look:
    """When to look at a job; `behind` an older one it is only when to ask again, unless something changes before."""

    at: float
    behind: bool = False


@dataclass
class _Job:
    """A job that is not known to be complete."""

    submitted_at: float
    looks: int = 0
    under_way: bool = False
    last_look: float = _NEVER
    expected: float = 0.0  # as of its first look
    by_queue: bool = False  # `expected` counts from the job before it
    first_since: float | None = None  # since when it is the first in the line
    stuck: bool = False  # it no longer keeps others waiting


class JobPace:
    """The pace of all jobs of a client."""

    def __init__(self) -> None:
        self._jobs: dict[str, _Job] = {}
        self._duration = _FIRST_GUESS
        self._proven = False
        self._sure_age = _FOREVER  # jobs of that age are done, as far as the last look told
        self._gap = 0.0  # between two jobs of a queue; 0: they do not wait for each other
        self._gap_proven = False
        self._alone = _FOREVER  # what the last job took that had nobody before it
        self._usual = _FOREVER  # what a job took that did not wait for another, at most
        self._in_a_row = 0  # jobs that were done when first looked at
        self._last_done = _NEVER  # when the job before is thought to have been done
        self._worth_having = _FIRST_JOBS

    def submitted(self, job_id: str, at: float, now: float) -> None:
        """From now on the job counts. Jobs are told of in the order in which they were handed in.

        One that was handed in long ago, by an earlier run, says nothing about when the others are done.
        """
        self._jobs.setdefault(job_id, _Job(at, stuck=now - at > _LONG_AGO))

    @property
    def worth_having(self) -> int:
        """How many jobs are worth having under way: not many before it is known how they run, and where one waits for
        the other as many as keep Kustomer busy for a while; more of them would only be in the way after a kill."""
        if self._gap > 0:
            return _FEWEST_JOBS + math.ceil(_BUSY_SECONDS / self._gap)
        return self._worth_having

    def forget(self, job_id: str) -> None:
        """Nobody asks for the job any more."""
        self._jobs.pop(job_id, None)

    def next_look(self, job_id: str, now: float) -> Look:
        """When to look at the job next; `now` or earlier: now."""
        job = self._jobs[job_id]
        own = self._due(job)
        in_front = self._in_front_of(job, now)
        if in_front is None:
            job.first_since = now if job.first_since is None else job.first_since
            return Look(own)
        due = self._due(in_front)
        return Look(max(own, due if due > now else now + _BEHIND), behind=True)

    def looking(self, job_id: str) -> None:
        """A look at the job is under way."""
        job = self._jobs[job_id]
        job.under_way = True
        if job.looks == 0:
            job.expected, job.by_queue = self._expected(job)

    def looked(self, job_id: str, at: float, *, complete: bool) -> None:
        """What a look has shown. `at` is when it was sent."""
        job = self._jobs[job_id]
        job.under_way = False
        if not complete:
            self._in_a_row = 0
            job.looks += 1
            job.last_look = at
            job.stuck = job.stuck or self._overdue(job, at) > _STUCK * self._patience
            self._sure_age = _FOREVER
            return
        del self._jobs[job_id]
        if job.looks == 0:
            self._was_done(job, at)
        else:
            # A look that came late, behind a stuck job or for want of budget, does not tell that the job took so long.
            self._was_later(job, min(at, self._due(job) + SHORTEST_PAUSE))

    # --- when

    def _due(self, job: _Job) -> float:
        if job.looks == 0:
            return self._expected(job)[0]
        base = max(SHORTEST_PAUSE, 0.1 * max(self._duration, self._gap))
        pause: float = base * _GROWTH ** min(job.looks - 1, 20)
        due = job.last_look + min(pause, max(LONGEST_PAUSE, base))
        expected, by_queue = self._expected(job)
        # The job before it was done since: now this one's turn has come, and takes its time.
        return max(due, expected) if by_queue and self._last_done > job.last_look else due

    def _expected(self, job: _Job) -> tuple[float, bool]:
        """When the job is likely done, and whether that is because of the job before it."""
        by_itself = job.submitted_at + self._duration
        # A gap that was seen once is put to the test: in a queue the next job is not done after half of it.
        behind = self._last_done + (self._gap if self._gap_proven else self._gap / 2)
        waits = self._gap > 0 and self._last_done > job.submitted_at
        return (behind, True) if waits and behind > by_itself else (by_itself, False)

    def _in_front_of(self, job: _Job, now: float) -> _Job | None:
        """The oldest job before this one that still keeps others waiting.

        Looks under way keep nobody waiting who is old enough; one more with each job that was done when looked at, so
        that a queue is not taken for jobs on their own. Jobs that are overdue are passed over, one more the longer it
        takes: they may be stuck, or Kustomer may have taken up those behind them first.
        """
        beside = self._in_a_row if job.looks == 0 and now - job.submitted_at >= self._sure_age else 0
        passed = 0
        for other in self._jobs.values():
            if other is job:
                return None
            if other.stuck:
                continue
            if other.looks == 0 and other.under_way and beside > 0:
                beside -= 1
                continue
            passed += 1
            if other.looks == 0 or self._overdue(other, now) <= passed * self._patience:
                return other
        return None

    @property
    def _patience(self) -> float:
        """Seconds that a job may be overdue before the next one is looked at."""
        return _PATIENCE * max(self._duration, self._gap, 1.0) if self._proven else _UNPROVEN_PATIENCE

    def _overdue(self, job: _Job, now: float) -> float:
        """For how long the job has been expected to be done."""
        its_turn = self._last_done + self._gap if self._gap else _NEVER
        return now - max(job.expected, its_turn, now if job.first_since is None else job.first_since)

    # --- what is learnt

    def _was_done(self, job: _Job, at: float) -> None:
        """Done at the first look: perhaps long ago, so the expectation and not the look says when."""
        age = at - job.submitted_at
        self._last_done = max(self._last_done, min(at, job.expected))
        self._in_a_row += 1
        if job.by_queue:
            self._gap *= 1 - min(0.5, 0.005 * 1.6**self._in_a_row)
            if self._gap < _NO_GAP or not self._gap_proven:  # they do not wait for each other: they just take longer
                self._gap, self._duration = 0.0, min(age, 3 * self._usual)
                self._usual = min(age, _GROWTH * self._usual)
            return
        self._worth_having += _MORE_JOBS
        if at <= job.expected + SHORTEST_PAUSE:
            creep = 1 - min(_FASTEST_CREEP, _CREEP * 1.1**self._in_a_row)
            self._proven = True
            self._duration = min(self._duration * (creep if at <= job.expected + _AT_ONCE else 1.0), age)
            self._sure_age = _FOREVER if self._gap else min(self._sure_age, age * creep)
            self._usual = min(self._usual, age)

    def _was_later(self, job: _Job, at: float) -> None:
        """Done between the last two looks."""
        self._in_a_row = 0
        done, age = (job.last_look + at) / 2, at - job.submitted_at
        waited = self._last_done > job.submitted_at
        if job.by_queue or (waited and self._proven and age > _GROWTH * self._usual):
            if not job.stuck:
                gap = done - self._last_done
                self._gap = max(self._gap, min(gap, _GROWTH * self._gap)) if self._gap_proven else gap
                self._gap_proven = job.by_queue
                if self._gap_proven:  # what they took longer than one alone was waiting
                    self._duration, self._usual = min(self._duration, self._alone), min(self._usual, self._alone)
        elif not self._proven or not job.stuck:
            seen = min(done - job.submitted_at, _GROWTH * self._duration)
            self._duration = max(self._duration, seen) * 1.02 if self._proven else age
            self._proven = True
            self._sure_age = _FOREVER if self._gap else age
            self._usual = min(self._usual, self._duration)
        if not waited and not job.stuck:
            self._usual = self._alone = age
        self._last_done = max(self._last_done, done)
