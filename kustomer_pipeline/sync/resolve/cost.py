"""What it costs to find out who many rows are, and which way is the cheapest. Pure.

    rows to be found + the org + what has been seen so far → Choice(way, units, seconds)

| way | units for N rows | what it proves |
|---|---|---|
| none | 0: a create is refused where the record exists, and that row is looked for then | a create that is accepted |
| search | N / criteria a request and identifier, at most 80 searches a minute | nothing: what is not found may exist |
| walk | size of the org / 100 | everything, both ways |
| paths | N for each identifier | everything, both ways |

Whoever is not found by search is created (which proves itself), or looked up by path where that is no proof.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Way = Literal["none", "search", "walk", "paths"]

PAGE = 100
CREATE = 0.0225  # units a record: a hundredth of a submit, of about one look, of a little more
UNITS_A_SECOND = 3.0  # what a second of waiting may cost: an hour of a whole budget is not worth ten requests
WINDOW = 60.0
SEARCHES_A_SECOND = 80 / WINDOW
EXPECTED_SHARE = 0.5  # of rows that exist, before anything is known


@dataclass(frozen=True)
class Question:
    """What there is to find out.

    rows: how many, as far as known. identifiers: of the ladder. exist: share of rows that Kustomer has, as seen so far
    (None: nothing seen). creates_prove: a create of a row that exists is refused. search_batch: identifiers a search
    asks for (0: no search). org_size: records in the org (None: not known). rate: requests a second that may be spent.
    bulk: records are created many at a time, not one by one.
    """

    rows: int
    identifiers: int
    exist: float | None
    creates_prove: bool
    search_batch: int
    org_size: int | None
    rate: float
    bulk: bool = True


@dataclass(frozen=True)
class Choice:
    """A way, and what it is expected to cost."""

    way: Way
    units: float
    seconds: float

    @property
    def weight(self) -> float:
        """Cost and time in one number."""
        return self.units + self.seconds * UNITS_A_SECOND


def choose(question: Question) -> Choice:
    """The way of least weight; the surer one of two alike."""
    return min(choices(question), key=lambda choice: choice.weight)


def choices(question: Question) -> list[Choice]:
    """Every way that is open."""
    rows, exist = question.rows, EXPECTED_SHARE if question.exist is None else question.exist
    absent = rows * (1 - exist)
    found: list[Choice] = []
    if question.org_size is not None:
        found.append(_choice("walk", max(1, -(-question.org_size // PAGE)), 0, question))
    # Whoever is found by the first identifier is not asked for by the next.
    questions = 1 + (question.identifiers - 1) * (1 - exist)
    found.append(_choice("paths", rows * questions, 0, question))
    if question.search_batch:
        searches = rows / question.search_batch * questions
        proofs = 0.0 if question.creates_prove else absent * question.identifiers
        found.append(_choice("search", searches + proofs, searches, question))
    if question.creates_prove:
        refused = rows * exist
        searches = refused / question.search_batch if question.search_batch else 0.0
        looked_up = 0.0 if question.search_batch else refused
        price = CREATE if question.bulk else 1.0
        found.append(_choice("none", refused * price + searches + looked_up, searches, question))
    return found


def _choice(way: Way, units: float, searches: float, question: Question) -> Choice:
    seconds = max(_waiting(units, question.rate), _waiting(searches, SEARCHES_A_SECOND))
    return Choice(way, units, seconds)


def _waiting(requests: float, rate: float) -> float:
    """Seconds until so many requests may have been sent: those of the first minute may go at once."""
    return max(0.0, requests - WINDOW * rate) / max(rate, 0.01)
