"""The parts of a sync in shards: each is remembered as a sync of its own, `customers 03-of-16`.

A name of a sync has no space, so the names of parts are nobody else's.
"""

from __future__ import annotations

import re

import sqlalchemy as sa

_PART = re.compile(r"(\S+) (\d+)-of-(\d+)")


def part_name(sync: str, number: int, of: int) -> str:
    """What part `number` (0 to of - 1) of a sync is remembered as. Sorted by name they are in order."""
    return f"{sync} {number:0{len(str(of))}}-of-{of}"


def parts_of(sync: str, of: int) -> list[str]:
    """The names of all its parts."""
    return [part_name(sync, number, of) for number in range(of)]


def other_parts(name: str) -> list[str]:
    """The names of the parts beside this one; none for a sync that is not split."""
    found = _PART.fullmatch(name)
    return [other for other in parts_of(found[1], int(found[3])) if other != name] if found else []


def is_part(name: str) -> bool:
    """Whether a name is that of a part."""
    return _PART.fullmatch(name) is not None


def part_of(name: str) -> tuple[str, int | None]:
    """The sync that a name is of, and the number of its part; None where it is not split."""
    found = _PART.fullmatch(name)
    return (found[1], int(found[2])) if found else (name, None)


def whole_name(name: str) -> str:
    """The name of the sync that a part is of; of any other its own."""
    found = _PART.fullmatch(name)
    return found[1] if found else name


def is_of(column: sa.Column[str], sync: str) -> sa.ColumnElement[bool]:
    """Rows of a sync or of one of its parts. As a range, which an index can be asked for."""
    return sa.or_(column == sync, sa.and_(column >= f"{sync} ", column < f"{sync}!"))
