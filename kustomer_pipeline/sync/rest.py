"""The rest of a source: the rows that did not leave the warehouse, because they are as they were accepted.

Where the warehouse compares, a run is given the rows that differ, and a `Rest`, which answers for all others. The
engine knows nothing of SQL; whoever made the reading brings it along.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from .state import StateError, TrustedLines


class RowsOutOfDateError(StateError):
    """The rows were compared with something else than is remembered now: they have to be read again."""


def require_same(
    rest: Rest,
    scope: str,
    signature: str,
    trusted: TrustedLines | None,
    *,
    every_row: bool = False,
    lacking: bool = False,
) -> None:
    """What the rows of a reading were compared with is still what is remembered. Raises RowsOutOfDateError.

    every_row: the run is told to look at every row. lacking: it is asked for a row that did not leave the warehouse.
    """
    if every_row:
        why = "full_resync looks at all of them: launch the job with it, not the last asset alone"
    elif lacking:
        why = "one that this run was asked for is not among them"
    elif rest.signature != signature:
        why = "the sync's definition has changed since"
    elif rest.scope != scope:
        why = "the audience has another tag by now"
    elif trusted is None:
        why = "what they were compared with is not remembered any more"
    else:
        return
    raise RowsOutOfDateError(
        f"Only rows that differed were read from the warehouse, and {why}. Read the rows again; nothing is lost"
    )


@dataclass(frozen=True)
class Terms:
    """What a reading compares with. scope: '' or the id of the audience's tag. signature: the definition of the sync.

    tokens: lines with one of these count; none: every row is read. again: keys whose lines do not count although they
    are there.
    """

    scope: str
    signature: str
    tokens: frozenset[str] = frozenset()
    again: frozenset[str] = frozenset()


class Rest(Protocol):
    """The rows of one reading that did not leave the warehouse. Every method raises what the warehouse says."""

    @property
    def whole(self) -> bool:
        """Whether every row did leave it: then it does not matter what they were compared with."""
        ...

    @property
    def stayed(self) -> int:
        """How many rows of the source are as they were accepted and did not leave it."""
        ...

    @property
    def scope(self) -> str:
        """Of the terms of the reading."""
        ...

    @property
    def signature(self) -> str:
        """Of the terms of the reading."""
        ...

    def gone(self) -> Collection[str]:
        """Keys of accepted rows that the source no longer has as they were: changed, or not there any more."""
        ...

    def holding(self, hashes: Collection[str]) -> Mapping[str, str]:
        """Which rows that stayed have an identifier: its hash (mapping.hash_of) → the row's key."""
        ...

    def accept(
        self,
        rows: Sequence[int],
        keys: Sequence[str],
        identifiers: Iterable[Collection[str]],
        forget: Collection[str],
        token: str,
        trusted: Collection[str],
    ) -> bool:
        """Write down rows of the reading as accepted, and that nothing is accepted of those in `forget`.

        rows: values of the column `_row`. identifiers: the hashes of each row, taken once. token: of the lines from now
        on; of a whole reading all other lines go, else the token until now has to be one of `trusted`. False, and
        nothing written: it is not, the reading is no longer there, or the warehouse refused it.
        """
        ...
