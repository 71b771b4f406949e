"""Which id does a tag's name have, for a key that may not read the list of tags? Learnt from an answer.

    members one by one: written with the name → the record in the answer shows ids → the one that is new is the tag's

A member who held the tag already teaches less: then it is the one id that all such members have in common.
"""

from __future__ import annotations

from kustomer_pipeline.kustomer import Record

from ..reconcile import Stream
from .executor import Executor

_MEMBERS = 20


class AnsweredRecords:
    """Keeps the record that the last single write was answered with."""

    def __init__(self) -> None:
        self.last: Record | None = None

    def __call__(self, record: Record) -> None:
        """One more answer."""
        self.last = record


async def learn_tag_id(stream: Stream, executor: Executor, answered: AnsweredRecords) -> str | None:
    """The id, or None where the first members of the frame do not tell. Raises KustomerError."""
    common: set[str] | None = None
    for position in stream.selected.positions[:_MEMBERS].tolist():
        wave = await stream.decide(stream.desired.cases(stream.desired.positions(position), must_prove=True))
        before = next((_tags_of(write.of.match.record) for write in wave.writes if write.of.match.record), None)
        answered.last = None
        await executor.take(wave)
        await executor.drained()
        if before is None or answered.last is None:
            continue
        after = _tags_of(answered.last)
        new = after - before
        common = new or (after if common is None else common & after)
        if len(common) == 1:
            return next(iter(common))
    return None


def _tags_of(record: Record) -> set[str]:
    return {str(tag) for tag in record.attributes.get("tags") or ()}
