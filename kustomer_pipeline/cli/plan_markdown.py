"""Plans as a comment on a pull request: a table of all, then each with what would change, folded.

GitHub takes 65,536 characters. Where they do not do, fewer records are shown; the counts always are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kustomer_pipeline.components import markdown
from kustomer_pipeline.components.approvals import why_changes_are_held, why_removals_are_held
from kustomer_pipeline.components.plan_page import chapter, kinds_of, plan_headline
from kustomer_pipeline.components.refused import refused_table
from kustomer_pipeline.sync.wording import REQUESTS, quantity

from .planned import RECORDS, Planned
from .words import made_together

MARKER = "<!-- kustomer-pipeline plan -->"  # by which a workflow finds its comment again
MOST_CHARACTERS = 65_000
_FEWER = (RECORDS, 5, 1, 0)
_ALL = 1_000_000_000
_COLUMNS = ("create", "update", "tag", "untag")


def plans_as_markdown(found: Sequence[Planned], problems: Sequence[tuple[str, str]], *, every: bool) -> str:
    """The comment. problems: (sync, what is wrong). every: all records, as far as there is room."""
    text = ""
    for records in (_ALL, *_FEWER) if every else _FEWER:
        text = "\n\n".join(filter(None, _parts(found, problems, records)))
        if len(text) <= MOST_CHARACTERS:
            return text
    return f"{text[:MOST_CHARACTERS]}\n\n… and more: it is too long for a comment."


def _parts(found: Sequence[Planned], problems: Sequence[tuple[str, str]], records: int) -> Iterator[str]:
    yield f"{MARKER}\n## What a run would change in Kustomer"
    for sync, problem in problems:
        yield f"**{markdown.text(sync) or 'Nothing'} can{'not' if sync else ''} be planned:** {markdown.text(problem)}"
    if found:
        yield _table(found)
    if found and not any(one.plan.id or one.warns for one in found):
        yield "Nothing to do."
    for planned in found:
        if planned.plan.id is not None or len(planned.refused) or planned.warns:
            yield from _plan(planned, records)
    if (together := made_together(one.plan for one in found)) is not None:
        yield f"**To have all of this done, and nothing else: `kustomer-pipeline apply {together}`**"


def _table(found: Sequence[Planned]) -> str:
    lines = []
    for planned in found:
        counts = planned.plan.counts
        refused = counts.get("reject", 0) + counts.get("invalid", 0)
        numbers = [counts.get(action, 0) for action in _COLUMNS] + [refused, counts.get("unchanged", 0)]
        lines.append([markdown.code(planned.title), *(f"{number:,}" if number else "" for number in numbers)])
    return markdown.table(["sync", "create:", "update:", "tag:", "untag:", "refused:", "unchanged:"], lines)


def _plan(planned: Planned, records: int) -> Iterator[str]:
    plan, sync = planned.plan, planned.sync
    yield f"### {markdown.text(planned.title)}"
    yield plan_headline(sync, plan)
    for what, why, plan_id in (
        ("removals", why_removals_are_held(sync, plan.removals), plan.removal_plan_id),
        ("changes", why_changes_are_held(sync, plan.held_changes), plan.change_plan_id),
    ):
        if why:
            yield why
        if why and plan_id is not None:
            yield f"If the {what} are right: `kustomer-pipeline run {sync.name} --approve-{what} {plan_id}`"
    changes = [
        part
        for action in kinds_of(plan)
        if records and len(lines := plan.changes[plan.changes["action"] == action])
        for part in chapter(sync, plan, action, lines, records)
    ]
    if len(planned.refused):
        changes += [f"### Would be refused: {len(planned.refused):,}"]
        changes += [refused_table(planned.refused, ["rejected", "invalid"])]
    if changes:
        body = "\n\n".join(part.replace("### ", "#### ", 1) if part.startswith("### ") else part for part in changes)
        yield f"<details><summary>Record by record</summary>\n\n{body}\n\n</details>"
    cost = f"It would take {plan.estimate}; this plan took {quantity(plan.requests, *REQUESTS)}."
    if plan.id is not None:
        cost += f" To have exactly this done: `kustomer-pipeline apply {plan.id}`"
    yield cost
