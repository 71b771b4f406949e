"""What is known of a sync, as values: how its last run ended, what it counted, which checks failed. No Dagster."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class RunEnd:
    """How a run ended for one sync. `at`: seconds since 1970.

    `error`: the kind of error that stopped it, as Dagster recorded it. `said`: what the failure says, where that is
    known to hold no value of a row. `others`: how many other syncs the run did not reach because of it.
    """

    run_id: str
    at: float
    ok: bool = True
    error: str = ""
    said: str = ""
    others: int = 0


@dataclass(frozen=True)
class Counted:
    """What the sync asset recorded of its last run. `held_advice`: what the guard says to do. `waiting`: removals that
    wait because rows are refused."""

    run_id: str
    at: float
    read: int = 0
    invalid: int = 0
    rejected: int = 0
    deferred: int = 0
    held: int = 0
    held_advice: str = ""
    waited: float = 0.0
    out_of_budget: bool = False
    waiting: int = 0

    @property
    def refused_share(self) -> float:
        """Share of the rows that were refused, here or by Kustomer."""
        return (self.invalid + self.rejected) / self.read if self.read else 0.0


@dataclass(frozen=True)
class Drifted:
    """What the last look for drift found. `kinds`: of how many of the records that drifted what has become."""

    run_id: str
    at: float
    looked_at: int = 0
    drifted: int = 0
    kinds: tuple[tuple[str, int], ...] = ()

    @property
    def share(self) -> float:
        """Share of the records looked at that are not as they were accepted."""
        return self.drifted / self.looked_at if self.looked_at else 0.0


@dataclass(frozen=True)
class FailedCheck:
    """A check that did not pass when it was last evaluated."""

    name: str
    severity: Literal["error", "warn"]
    run_id: str
    at: float
    said: str = ""


@dataclass(frozen=True)
class Facts:
    """What is known of a sync. All but `counted`, `drift` and `mistakes` is remembered until something newer is known.

    `end`: how the newest run ended that ended one way or the other; a run that somebody cancelled did not.
    `counted`: None while the run is under way that recorded it. `drift`: None while nobody has looked. `checks`: those
    that failed; None while nothing is known. `success`: when a run last succeeded. `first_seen`: when the sync was
    first looked at. `last_run`: the newest run that was there at the last look; `settled`: whether nothing more is to
    be learnt of it. `mistakes`: where they are in the file of a sync that does not load.
    """

    first_seen: float
    end: RunEnd | None = None
    success: float | None = None
    checks: tuple[FailedCheck, ...] | None = None
    counted: Counted | None = None
    last_run: str = ""
    settled: bool = False
    drift: Drifted | None = None
    mistakes: tuple[str, ...] = ()
