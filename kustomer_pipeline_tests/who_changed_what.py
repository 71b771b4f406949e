"""Who changed which field of which record of a sandbox, and whether an undo took back what was its to take back.

Shares no code with the engine. An item of a list is a field of its own, which is there or is not, so that tags and
addresses are judged one by one, as names are.

    every write in the sandbox → Event(author, record, field, before, after), in order
    an undo of run R           → may change a field only from what R left to what R found, where R's is the last word
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kustomer_pipeline.sandbox import Sandbox

AGENT = "an agent"
SCALARS = ("name", "externalId")
LISTS = {"emails": "email", "phones": "phone"}
# What follows from other attributes, or from nothing that anybody wrote.
DERIVED = {
    *("rev", "updatedAt", "modifiedAt", "createdAt", "displayName", "verified", "progressiveStatus", "externalIds"),
    *("emails", "phones", "tags", "custom", *SCALARS),
}


@dataclass(frozen=True)
class Event:
    """One field of one record, changed by a run or by an agent. place: its number among all events."""

    place: int
    author: str
    kind: str
    record: str
    field: str
    before: Any
    after: Any

    @property
    def attribute(self) -> str:
        """The field as a report names it: `emails` for one address of a customer's."""
        return self.field.partition(":")[0]


@dataclass(frozen=True)
class Undone:
    """What is known of an undo: which run it takes back."""

    by: str
    of: str


class Events:
    """All changes of a sandbox's records, each with its author. `run`: whose writes those of the key are right now."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.all: list[Event] = []
        self.run: str | None = None
        self.undos: dict[str, Undone] = {}
        self.versions: set[tuple[str, int]] = set()  # (record, rev) of what undos wrote
        self._sent_by: dict[str, str] = {}
        self._job_of: str | None = None
        self._state = sandbox.state
        store, board = sandbox.state.store, sandbox.state.jobs
        put, submit, write = store._put, board.submit, board._write

        def note_put(before: Any, record: Any, **options: Any) -> None:
            put(before, record, **options)
            self._note(before, record)

        def note_job(*arguments: Any, **more: Any) -> Any:
            job = submit(*arguments, **more)
            if self.run is not None:
                self._sent_by[job.id] = self.run
            return job

        def note_write(job: Any, item: Any, now: float) -> str:
            self._job_of = self._sent_by.get(job.id)
            try:
                return write(job, item, now)
            finally:
                self._job_of = None

        pairs: list[tuple[Any, str, Callable[..., Any]]] = [
            (store, "_put", note_put),
            (board, "submit", note_job),
            (board, "_write", note_write),
        ]
        for owner, name, function in pairs:
            setattr(owner, name, function)  # mypy rightly refuses to assign to a method

    def _note(self, before: Any, record: Any) -> None:
        author = AGENT
        if record.modified_by == self._state.key.user_id:
            author = self._job_of or self.run or AGENT
        if author in self.undos:
            self.versions.add((record.id, record.rev))
        old = fields_of(before) if before is not None else {}
        new = fields_of(record)
        for field in {**old, **new}:
            if old.get(field, _absent(field)) != new.get(field, _absent(field)):
                values = (old.get(field, _absent(field)), new.get(field, _absent(field)))
                self.all.append(Event(len(self.all), author, record.kind, record.id, field, *values))

    # --- what is asked of them ------------------------------------------------------------------------------

    def of_field(self, record: str, field: str, before: int | None = None) -> list[Event]:
        """The changes of one field, the oldest first."""
        return [one for one in self.all[:before] if (one.record, one.field) == (record, field)]

    def by(self, run: str) -> list[Event]:
        """What a run has changed."""
        return [one for one in self.all if one.author == run]

    def wrote(self, run: str) -> dict[tuple[str, str], list[Event]]:
        """The same, by (record, field); records that it created left out: they are not taken back."""
        created = {one.record for one in self.by(run) if one.field == "deleted" and one.before is None}
        found: dict[tuple[str, str], list[Event]] = {}
        for one in self.by(run):
            if one.record not in created:
                found.setdefault((one.record, one.field), []).append(one)
        return found


def fields_of(record: Any) -> Mapping[str, Any]:
    """A record of the sandbox as fields that somebody may change. `deleted` is None before it exists."""
    attributes = record.attributes
    fields: dict[str, Any] = {"deleted": bool(attributes.get("deleted")), "company": record.company}
    fields |= {name: attributes.get(name) for name in SCALARS}
    fields |= {f"custom.{key}": value for key, value in (attributes.get("custom") or {}).items()}
    for name, key in LISTS.items():
        fields |= {f"{name}:{item[key].lower()}": True for item in attributes.get(name) or ()}
    fields |= {f"tags:{tag}": True for tag in attributes.get("tags") or ()}
    fields |= {f"other.{name}": value for name, value in attributes.items() if name not in DERIVED | {"deleted"}}
    return fields


def _absent(field: str) -> Any:
    return False if ":" in field else None


class TakenBack:
    """What has been taken back, as far as reports have said so: it is not to be taken back once more."""

    def __init__(self, events: Events) -> None:
        self.events = events
        self._by: dict[tuple[str, str, str], str] = {}  # (run, record, field) → the undo that said so
        self._when_begun: dict[str, dict[tuple[str, str, str], str]] = {}
        self._judged = 0

    def begins(self, undo: Undone) -> None:
        """What has been taken back by now, this undo leaves alone."""
        self.events.undos[undo.by] = undo
        self._when_begun[undo.by] = dict(self._by)

    def told(self, undo: Undone, rows: Iterator[tuple[str, str, str]]) -> None:
        """(record, attribute, outcome) of each row of an undo's report."""
        settled = {(record, name) for record, name, outcome in rows if outcome in ("restored", "changed since")}
        records = {record for record, _ in settled}
        self._by = {
            place: by for place, by in self._by.items() if by != undo.of or place[1] not in records
        }  # an undo that is undone: what it took back is there again
        for record, field in self.events.wrote(undo.of):
            if (record, field.partition(":")[0]) in settled:
                self._by[(undo.of, record, field)] = undo.by

    def in_force(self, one: Event, at: int) -> bool:
        """Whether a run's change counts at a moment: no undo has taken it back since, or that one is taken back too."""
        later = [other for other in self.events.of_field(one.record, one.field, at) if other.place > one.place]
        undos = [other for other in later if (undo := self.events.undos.get(other.author)) and undo.of == one.author]
        return not any(self.in_force(undo, at) for undo in undos)

    def judge(self) -> None:
        """Every change by an undo since the last time: from what the run left to what it found, and nobody else's."""
        for one in self.events.all[self._judged :]:
            undo = self.events.undos.get(one.author)
            if undo is not None:
                self._judge(one, undo)
        self._judged = len(self.events.all)

    def _judge(self, one: Event, undo: Undone) -> None:
        history = self.events.of_field(one.record, one.field, one.place)
        mine = [other for other in history if other.author == undo.of]
        assert mine, (one, "the run had not changed it", undo)
        assert one.after in [other.before for other in mine], (one, "it was never like that before the run", mine)
        own = [other.after for other in [*mine, *self._redone(history, undo)]]
        assert one.before in own, (one, "somebody else's value was overwritten", history)
        earlier = self._when_begun[undo.by].get((undo.of, one.record, one.field))
        assert earlier is None, (one, f"{earlier} had taken it back already", history)
        assert self.in_force(mine[-1], one.place), (one, "an undo had taken it back already", history)
        for other in history:
            theirs = other.place > mine[-1].place and other.author not in (AGENT, undo.of, undo.by, *self.events.undos)
            assert not theirs or not self.in_force(other, one.place), (one, "a later run had changed it", history)

    def _redone(self, history: list[Event], undo: Undone) -> list[Event]:
        """What undos of undos of the run brought back."""
        undos = {name for name, one in self.events.undos.items() if one.of == undo.of}
        return [one for one in history if (by := self.events.undos.get(one.author)) and by.of in undos]

    def left(self, run: str) -> dict[tuple[str, str], Event]:
        """(record, field) → the run's change of what is still as it left it, and that nobody else has changed since."""
        found = {}
        for (record, field), mine in self.events.wrote(run).items():
            history = self.events.of_field(record, field)
            if history[-1] is mine[-1] and len(mine) == 1 and (run, record, field) not in self._by:
                found[(record, field)] = mine[0]
        return found
