"""Errors of the mapping: the configuration or the whole frame is wrong (a bad *row* is never an exception).

MappingError (a ValueError)
 ├─ FieldConfigError        a mapping, a match_on or a limit that cannot be right; `.field` says which
 │   └─ UnknownFieldError   Kustomer has no such writable field; `.suggestions` are near misses
 ├─ MissingColumnError      the query does not return a mapped column; `.columns` says which
 └─ DuplicateColumnError    the query returns a mapped column twice; `.columns` says which
"""

from __future__ import annotations

from collections.abc import Sequence


class MappingError(ValueError):
    """Base of everything the mapping raises."""


class FieldConfigError(MappingError):
    """A field mapping that cannot be right, found without looking at any row."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class UnknownFieldError(FieldConfigError):
    """A field that Kustomer does not have, or that cannot be written through a mapping."""

    def __init__(self, field: str, message: str, suggestions: Sequence[str] = ()) -> None:
        super().__init__(field, message)
        self.suggestions = tuple(suggestions)


class MissingColumnError(MappingError):
    """Mapped columns that the frame does not have."""

    def __init__(self, columns: Sequence[str], message: str) -> None:
        super().__init__(message)
        self.columns = tuple(columns)


class DuplicateColumnError(MappingError):
    """Mapped columns that the frame has more than once, so that one would have to guess which is meant."""

    def __init__(self, columns: Sequence[str], message: str) -> None:
        super().__init__(message)
        self.columns = tuple(columns)
