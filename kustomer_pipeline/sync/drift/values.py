"""What a look for drift is told, and what it finds of one record: values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from kustomer_pipeline.kustomer import Record

from ..patch import Change
from ..rows import Case

OnDrift = Literal["report", "restore", "accept"]
OnDeleted = Literal["report", "recreate", "forget"]


@dataclass(frozen=True)
class DriftPolicy:
    """sample: so many of the accepted rows are looked at, None: all of them. on_drift, on_deleted: what is done about
    records that differ, and about those that are gone."""

    sample: int | None = 500
    on_drift: OnDrift = "report"
    on_deleted: OnDeleted = "report"

    @property
    def takes_back(self) -> bool:
        """Whether ours goes also where it was left to Kustomer before, under another policy."""
        return self.on_drift == "restore"

    @property
    def writes(self) -> bool:
        """Whether anything but a report may come of it."""
        return self.on_drift != "report" or self.on_deleted != "report"


class What(StrEnum):
    """What has become of a record."""

    CHANGED = "changed"
    UNRECOGNISED = "unrecognised"
    DELETED = "deleted"
    MERGED = "merged"
    GONE = "gone"


AWAY = (What.DELETED, What.MERGED, What.GONE)


@dataclass(frozen=True)
class Author:
    """Since when something is as it is (ISO-8601), and who did it: `agent 5f1a…`, `workflow`, `other key 5f1b…`."""

    since: str | None = None
    by: str | None = None


@dataclass(frozen=True)
class Finding:
    """One record that is not as it was accepted.

    live: the record, None where it is gone. changes: field, theirs → ours, of one that has changed. why: of one that is
    no longer recognised. became: id of the record that has its identifiers now. authors: by field, None is the record.
    """

    case: Case
    kustomer_id: str
    what: What
    live: Record | None = None
    changes: tuple[Change, ...] = ()
    why: str | None = None
    became: str | None = None
    authors: tuple[tuple[str | None, Author], ...] = ()

    @property
    def key(self) -> str:
        """The row's."""
        return self.case.key

    def author_of(self, field: str | None) -> Author:
        """Nobody where it is not known."""
        return dict(self.authors).get(field, Author())
