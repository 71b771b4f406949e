"""What a person should know of what a stream has met: approvals that let nothing through, tags of somebody else."""

from __future__ import annotations

from collections.abc import Iterator

from .reconcile import Stream
from .wording import quantity


def remarks(stream: Stream) -> list[str]:
    """Sentences; none where there is nothing to say."""
    return [*_unused_approvals(stream), *_tags_of_others(stream)]


def _unused_approvals(stream: Stream) -> Iterator[str]:
    options, changes = stream.options, stream.selected.changes
    told = [
        ("approve_removals", options.approve_removals, stream.removals),
        ("approve_changes", options.approve_changes, changes),
    ]
    for option, given, verdict in told:
        if given is not None and not verdict.approved:
            now = f"what is held has the id {verdict.plan_id}" if verdict.held else "nothing is held"
            yield f"{option} {given} let nothing through: {now}. An id is that of one set, and passes once"


def _tags_of_others(stream: Stream) -> Iterator[str]:
    if not stream.of_others:
        return
    hold = quantity(stream.of_others, "member holds", "members hold")
    given = f"{hold} the tag because somebody else gave it to them"
    if stream.options.adopt:
        yield f"{given}: they {'would be' if stream.planning else 'are'} this sync's from now on"
    elif stream.leaving is not None and stream.planning:
        yield (
            f"{given}, and will keep it when they leave the query. If another tool gave it before, or the state was "
            "lost: a run with adopt takes them over"
        )
