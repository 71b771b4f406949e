"""What the doctor says: values that the text and the JSON are both made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

JSON_VERSION: Final = 1  # of the shape that docs/doctor.md describes


class Level(StrEnum):
    """How a finding is marked. Only warnings and problems count for the exit status."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"  # a sync cannot run
    UNKNOWN = "unknown"  # could not be found out, and the advice says what would settle it


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at (`name`), what was found (`says`), what to do (`advice`).

    `value` is the same for programs, as JSON can hold it.
    """

    section: str
    name: str
    level: Level
    says: str
    advice: str = ""
    value: Any = None


SECTIONS: Final[Mapping[str, str]] = {
    "setting": "Setting",
    "key": "Key, org, region",
    "budget": "Budget",
    "org": "What the org accepts",
    "writes": "What only writes settle",
    "attributes": "Custom attributes",
    "syncs": "Syncs",
}


@dataclass(frozen=True)
class Report:
    """All findings, and what they cost."""

    findings: tuple[Finding, ...]
    requests: int
    searches: int
    org_id: str | None = None
    put_back: Mapping[str, Any] | None = None

    @property
    def warnings(self) -> int:
        """How many there are."""
        return sum(finding.level is Level.WARNING for finding in self.findings)

    @property
    def problems(self) -> Sequence[Finding]:
        """What has to be put right first."""
        return [finding for finding in self.findings if finding.level is Level.PROBLEM]

    @property
    def exit_status(self) -> int:
        """0: all well, 1: warnings, 2: cannot sync."""
        return 2 if self.problems else min(self.warnings, 1)

    @property
    def verdict(self) -> str:
        """The last line."""
        if problems := self.problems:
            said = next(iter(problems[0].says.splitlines()), "").rstrip(":")  # the other lines are above, in full
            first = f"{SECTIONS[problems[0].section]}, {problems[0].name}: {said}"
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            return f"cannot sync: {first}{more}"
        if self.warnings:
            return f"ready, with {self.warnings} warning{'s' if self.warnings > 1 else ''}"
        return "ready to sync"
