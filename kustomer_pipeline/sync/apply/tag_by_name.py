"""Which id does a tag's name have, for a key that may not read the list of tags? Learnt from an answer.

    members one by one: written with the name → the record in the answer shows ids → the one that is new is the tag's

A member who held the tag already teaches less: then it is the one id that all such members have in common. Such a
member was not tagged by us, which shows only once the id is known.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kustomer_pipeline.kustomer import Record

from ..decisions import Write
from ..reconcile import Stream
from .executor import Executor

_MEMBERS = 20


@dataclass
class AnsweredRecords:
    """Keeps the record that the last single write was answered with."""

    last: Record | None = None

    def __call__(self, write: Write, record: Record) -> None:
        """One more answer."""
        self.last = record


@dataclass(frozen=True)
class Tried:
    """A member who was written with the name, and the tags that it held before."""

    position: int
    kustomer_id: str
    before: frozenset[str]


@dataclass
class Learnt:
    """What the first members tell: the tag's id (None: nothing certain), and who was tried."""

    tag_id: str | None = None
    tried: list[Tried] = field(default_factory=list)

    @property
    def held_already(self) -> list[Tried]:
        """Those who had the tag before: it is not ours."""
        return [one for one in self.tried if self.tag_id in one.before]


async def learn_tag_id(stream: Stream, executor: Executor, answered: AnsweredRecords) -> Learnt:
    """Try members of the frame until one tells. Raises KustomerError."""
    learnt = Learnt()
    common: set[str] | None = None
    for position in stream.selected.positions[:_MEMBERS].tolist():
        wave = await stream.decide(stream.desired.cases(stream.desired.positions(position), must_prove=True))
        live = next((write.of.match.record for write in wave.writes), None)
        answered.last = None
        await executor.take(wave)
        await executor.drained()
        if live is None or answered.last is None:
            continue
        before, after = _tags_of(live), _tags_of(answered.last)
        learnt.tried.append(Tried(position, live.id, frozenset(before)))
        new = after - before
        common = new or (after if common is None else common & after)
        if len(common) == 1:
            learnt.tag_id = next(iter(common))
            break
    return learnt


def _tags_of(record: Record) -> set[str]:
    return {str(tag) for tag in record.attributes.get("tags") or ()}
