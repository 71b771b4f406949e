"""Refused rows by reason: how many, and an example. Rows that are refused alike are one line, whatever they are named.

A reason may name the other row that it is about, or say how long a value is. Code here reads no English: two reasons
are alike when they differ only in words with a digit, an e-mail address or something masked in them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

MOST = 20
_EXAMPLES = 3
_OWN_TO_A_ROW = re.compile(r"\S*[\d@…]\S*")


@dataclass(frozen=True)
class ReasonGroup:
    """Rows with one reason. `reason`: in full, as the first of them has it; `varies`: others name something else."""

    outcome: str
    reason: str
    rows: int
    examples: tuple[str, ...]
    varies: bool


def by_reason(rows: pd.DataFrame, outcomes: Iterable[str]) -> list[ReasonGroup]:
    """The groups of `rows` (key, outcome, reason) with one of `outcomes`, the largest first. Keys are not masked."""
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    some = rows[rows["outcome"].isin(list(outcomes))]
    reasons = some["reason"].fillna("no reason was given")
    for key, outcome, reason in zip(some["key"], some["outcome"], reasons, strict=True):
        found.setdefault((str(outcome), _OWN_TO_A_ROW.sub("…", str(reason))), []).append((str(key), str(reason)))
    groups = [_group(outcome, members) for (outcome, _), members in found.items()]
    return sorted(groups, key=lambda group: -group.rows)


def _group(outcome: str, members: list[tuple[str, str]]) -> ReasonGroup:
    first = members[0][1]
    return ReasonGroup(
        outcome=outcome,
        reason=first,
        rows=len(members),
        examples=tuple(key for key, _ in members[:_EXAMPLES]),
        varies=any(reason != first for _, reason in members),
    )
