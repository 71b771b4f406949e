"""A report as people read it, and as programs do: the same content twice."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from dataclasses import asdict

from .findings import JSON_VERSION, SECTIONS, Finding, Report

_NAME = 30  # characters that names of findings take
_WIDTH = 120


def as_text(report: Report) -> str:
    """Sections with a line a finding: mark, name, what was found, and below it what to do."""
    return "\n".join(_lines(report))


def as_json(report: Report) -> str:
    """The shape of docs/doctor.md."""
    content = {
        "version": JSON_VERSION,
        "verdict": report.verdict,
        "exit_status": report.exit_status,
        "org_id": report.org_id,
        "requests": report.requests,
        "searches": report.searches,
        "put_back": report.put_back,
        "findings": [asdict(finding) for finding in report.findings],
    }
    return json.dumps(content, ensure_ascii=False, indent=2)


def _lines(report: Report) -> Iterator[str]:
    for section, title in SECTIONS.items():
        findings = [finding for finding in report.findings if finding.section == section]
        if findings:
            yield title
            for finding in findings:
                yield from _finding(finding)
            yield ""
    spent = "1 request" if report.requests == 1 else f"{report.requests} requests"
    yield f"Spent of the org's budget: {spent}, {report.searches} of them searches."
    yield report.verdict


def _finding(finding: Finding) -> Iterator[str]:
    head = f"  {finding.level:<8} {finding.name:<{_NAME}} "
    yield from _wrapped(head, finding.says, " " * len(head))
    if finding.advice:
        yield from _wrapped(f"{'':11}→ ", finding.advice, " " * 13)


def _wrapped(first: str, text: str, later: str) -> Iterator[str]:
    """Lines that a terminal shows whole; a line break that is in the text stays."""
    for line in text.splitlines() or [""]:
        pieces = textwrap.wrap(line, _WIDTH - len(later), break_long_words=False, break_on_hyphens=False) or [""]
        for piece in pieces:
            yield f"{first}{piece}"
            first = later
