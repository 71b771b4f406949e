"""What travels between a comparison and its caller."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import pandas as pd

ROW = "_row"
"""The column of a delivered frame that names a row of a reading: int64, `number << 32 | place`."""

IdentifiersOf = Callable[[pd.DataFrame], list[set[str]]]
"""A delivered frame → for each of its rows the hashes of its key and of its identifiers."""


@dataclass(frozen=True)
class Source:
    """The rows that are wanted.

    `sql`: one select of the user's; a semicolon at its end is fine.
    `columns`: those of its columns that are compared and delivered.
    `pair`: the one of them that most likely tells rows apart, None when nothing does. A hint for speed, no more.
    """

    sql: str
    columns: tuple[str, ...]
    pair: str | None = None

    def __post_init__(self) -> None:
        if self.pair is not None and self.pair not in self.columns:
            raise ValueError(f"pair is {self.pair!r}, which is none of the columns {self.columns}")


@dataclass(frozen=True)
class Trust:
    """Which lines count: all of them, if their token is one of `tokens` (of a state that was lost or restored, or of
    another environment, it is not), but for those of the keys in `again`: nobody knows what became of their rows.
    """

    tokens: frozenset[str]
    again: Collection[str] = ()


@dataclass(frozen=True)
class Kept:
    """A reading, as the warehouse keeps it.

    `whole`: all rows of the source were delivered, since no line counted. `delivered`: how many rows were; `stayed`:
    those that are as accepted and were not. `label`: what the caller wrote on it.
    """

    number: int
    whole: bool
    delivered: int
    stayed: int
    label: str

    @property
    def source_rows(self) -> int:
        """Rows of the source at that moment."""
        return self.delivered + self.stayed


@dataclass(frozen=True)
class Reading:
    """The rows that differ from what was accepted, at one moment: the columns of the source, in its order, and ROW."""

    kept: Kept
    rows: pd.DataFrame
