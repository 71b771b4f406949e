"""Where identifiers were seen, and where they no longer are: for the state, when it is next written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..rows import Case
from ..state import value_hash

Hint = tuple[str, str, str]  # field, hash of the value, Kustomer id


@dataclass
class Hints:
    """Where identifiers were seen, and where they no longer are: for the state, when it is next written."""

    learned: list[Hint] = field(default_factory=list)
    wrong: list[tuple[str, str]] = field(default_factory=list)

    def take(self) -> Hints:
        """What has come together since the last time."""
        taken = Hints(self.learned, self.wrong)
        self.learned, self.wrong = [], []
        return taken


def hints_of(fields: Iterable[str], case: Case, kustomer_id: str) -> list[Hint]:
    """What the state may keep of where a row's identifiers are."""
    return [(name, value_hash(value), kustomer_id) for name in fields for value in case.identifiers(name)]
