"""Numbers in sentences for people: one row is, two rows are."""

from __future__ import annotations


def quantity(count: int, one: str, many: str) -> str:
    """`1 row is`, `1,200 rows are`: the number with what goes with it."""
    return f"{count:,} {one if count == 1 else many}"


def part(count: int, whole: int, one: str, many: str, verbs: tuple[str, str] = ("were", "was")) -> str:
    """`1 of 20 rows was`, `7 of 20 rows were`: the verb goes with the part, the noun with the whole."""
    return f"{count:,} of {quantity(whole, one, many)} {verbs[1] if count == 1 else verbs[0]}"


ARE = ("are", "is")
REQUESTS = ("request", "requests")
ROWS = ("row", "rows")
RECORDS = ("record", "records")
