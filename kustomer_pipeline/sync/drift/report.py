"""What came of a look for drift: a frozen `DriftReport`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from ..masking import shown
from ..report import masked_table
from .authors import edited_at
from .values import AWAY, Author, Finding, What

DRIFT_COLUMNS = (
    *("key", "kustomer_id", "what", "field", "ours", "theirs", "became", "edited_at", "since", "by"),
    *("done", "why"),
)


@dataclass(frozen=True)
class Done:
    """Row keys by what was done about them.

    restored: sent again by the next run. recreated: looked for by the next run, and made where nobody is them.
    accepted: what differed is left to Kustomer, by field. forgotten: left out until the row changes.
    """

    restored: frozenset[str] = frozenset()
    accepted: Mapping[str, frozenset[str]] = field(default_factory=dict)
    recreated: frozenset[str] = frozenset()
    forgotten: frozenset[str] = frozenset()

    def word(self, key: str, name: str | None) -> str | None:
        """What was done about a line of the report."""
        if key in self.restored:
            return "sent again by the next run"
        if name is not None and name in self.accepted.get(key, ()):
            return "left to Kustomer"
        if key in self.recreated:
            return "looked for again by the next run"
        return "left out from now on" if key in self.forgotten else None


@dataclass(frozen=True)
class DriftReport:
    """What has become of records that were accepted.

    accepted: rows that are in Kustomer as the warehouse has them, as far as is remembered; looked_at: of how many the
    record was read. `records`: how many of those are changed, unrecognised (nothing of match_on is left in them),
    deleted, merged (another record has their identifiers), gone. `fields`: of how many records each field differs.
    left_to_them: fields of the rows looked at that were left to Kustomer before. `rows`: DataFrame with a line per
    field that differs, or record that is gone: DRIFT_COLUMNS (strings). `requests`: what it cost of the org's budget.
    `shown`: fields whose values may be shown.
    """

    sync: str
    run_id: str
    org_id: str
    accepted: int
    looked_at: int
    records: Mapping[What, int]
    fields: Mapping[str, int]
    rows: pd.DataFrame
    requests: int
    searches: int
    seconds: float
    left_to_them: int = 0
    done: Done = field(default_factory=Done)
    notes: tuple[str, ...] = ()
    shown: frozenset[str] = frozenset()

    @property
    def drifted(self) -> int:
        """Records that are not as they were accepted, those that are gone too."""
        return sum(self.records.values())

    @property
    def away(self) -> int:
        """Records that are not there any more."""
        return sum(self.records.get(what, 0) for what in AWAY)

    @property
    def counts(self) -> dict[str, int]:
        """All numbers by their names."""
        return {
            "accepted": self.accepted,
            "looked_at": self.looked_at,
            **{str(what): self.records.get(what, 0) for what in What},
            "restored": len(self.done.restored),
            "fields_accepted": sum(map(len, self.done.accepted.values())),
            "recreated": len(self.done.recreated),
            "forgotten": len(self.done.forgotten),
            "left_to_them": self.left_to_them,
        }

    def table(self, limit: int = 100, *, show_values: bool = False) -> pd.DataFrame:
        """The first lines as they may be shown: values and personal keys masked unless `show_values`."""
        values = ("ours", "theirs")
        return masked_table(self.rows, limit, show_values=show_values, values=values, shown=self.shown)


def records_of(findings: Sequence[Finding]) -> Mapping[What, int]:
    """How many of each kind."""
    return Counter(one.what for one in findings)


def fields_of(findings: Sequence[Finding]) -> Mapping[str, int]:
    """Of how many records each field differs, the most first."""
    counted = Counter(change.field for one in findings for change in one.changes)
    return dict(counted.most_common())


def rows_of(findings: Sequence[Finding], done: Done) -> pd.DataFrame:
    """The DataFrame of a report."""
    lines = [_line(one, name, ours, theirs, done) for one in findings for name, ours, theirs in _parts(one)]
    return pd.DataFrame(lines, columns=list(DRIFT_COLUMNS)).astype("string")


def _parts(one: Finding) -> Sequence[tuple[str | None, str | None, str | None]]:
    if not one.changes:
        return [(None, None, None)]
    return [(change.field, shown(change.after), shown(change.before)) for change in one.changes]


def _line(one: Finding, name: str | None, ours: str | None, theirs: str | None, done: Done) -> dict[str, str | None]:
    author: Author = one.author_of(name)
    return {
        "key": one.key,
        "kustomer_id": one.kustomer_id,
        "what": str(one.what),
        "field": name,
        "ours": ours,
        "theirs": theirs,
        "became": one.became,
        "edited_at": edited_at(one),
        "since": author.since,
        "by": author.by,
        "done": done.word(one.key, name),
        "why": one.why,
    }
