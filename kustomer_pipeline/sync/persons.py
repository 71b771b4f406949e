"""Who is it that is to be forgotten: an e-mail address, or the key of a row → a Person.

    named → records in Kustomer: looked up live, and as the state remembers them → their identifiers
          → the keys of rows: as the syncs make them of identifiers, as the state and the copies have them

What the state remembers of a record is a hint, here as elsewhere: a live record without the identifier is somebody
else's by now.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kustomer_pipeline.kustomer import UNIQUE, BadRequestError, KustomerClient, canonical, identifiers

from .desired import body_of_key
from .spec import SyncSpec
from .state import ANY_SYNC, KEY_OF_ROW, Entry, Person, Traces, value_hash, whole_name


class ForgetError(Exception):
    """Nobody can be forgotten like this; nothing was done. The message says what to do and names nobody."""


@dataclass(frozen=True)
class Who:
    """A person, by an e-mail address of a customer, or by the key of a row of a sync: one of both."""

    email: str | None = None
    key: str | None = None
    sync: str | None = None


class Copies(Protocol):
    """A place beside the state where rows are kept."""

    def keys_of(self, person: Person) -> Collection[tuple[str, str]]:
        """(sync, key) of rows there that are the person's."""
        ...

    def remove(self, person: Person) -> Mapping[str, int]:
        """Remove what is there of the person: what → how much. The same again finds nothing more."""
        ...


def named_person(who: Who, specs: Sequence[SyncSpec]) -> tuple[Person, Entry]:
    """The person as far as they are named, and how that stands on the list. Raises ForgetError."""
    email, key, sync = who.email, who.key, who.sync
    if (email is None) == (key is None) or (key is None) != (sync is None):
        raise ForgetError("Name one person: by an e-mail address, or by a row's key and the sync whose row it is")
    if email is not None:
        address = canonical("email", email)
        if not all(address.partition("@")):
            raise ForgetError("What was given as an e-mail address is none")
        return Person("customers", identifiers=frozenset([("email", address)])), ("customers", "email", address)
    assert key is not None
    assert sync is not None
    if key.startswith("row:"):
        raise ForgetError("row:… names a place in a query's result, not a person: use an e-mail address")
    spec = next((one for one in specs if one.name == sync), None)
    person = Person(spec.object if spec is not None else "customers", keys=frozenset([(sync, key)]))
    if key.startswith("id="):
        person = person.known_as(ids=[key.removeprefix("id=")])
    elif spec is not None:
        body = body_of_key(key, spec.match_on)
        named = ((field, value) for field in UNIQUE[spec.object] for value in identifiers(body, field))
        person = person.known_as(identifiers=named)
    return person, (person.object_name, KEY_OF_ROW, key)


@dataclass(frozen=True)
class Finder:
    """Finds out everything that is known of a person. Raises KustomerError, StateError, and what copies raise."""

    client: KustomerClient
    traces: Traces
    specs: Sequence[SyncSpec]
    copies: Sequence[Copies]

    async def find(self, named: Person) -> Person:
        """The whole person."""
        person = named.known_as(ids=await self._records(named))
        live = await self.client.get_many(person.object_name, sorted(person.ids))
        fields = UNIQUE[person.object_name]
        held = ((f, value) for record in live.values() for f in fields for value in identifiers(record.attributes, f))
        person = person.known_as(identifiers=held)
        person = person.known_as(keys=self._keys(person))
        for place in self.copies:
            person = person.known_as(keys=place.keys_of(person))
        rows = self.traces.rows(person)
        person = person.known_as(keys=((whole_name(row.sync), row.key) for row in rows))
        return person.known_as(identifiers=_keys_that_identify(person, self.traces.hints_of(person.ids)))

    async def _records(self, named: Person) -> set[str]:
        """The ids of the person's records. Of a row that was named by its key the state's word counts, as long as no
        other record has that identifier; of an address only a live look does, or that the record is gone."""
        found: set[str] = set()
        for field, value in sorted(named.identifiers):
            try:
                records = await self.client.look_up(named.object_name, field, value)
            except BadRequestError:  # Kustomer calls it malformed: then nobody has it
                records = []
            found.update(record.id for record in records)
        rows = self.traces.rows(named.known_as(keys=self._keys(named)))
        of_rows = {row.kustomer_id for row in rows if row.kustomer_id}
        remembered = of_rows | self.traces.last_seen_at(named.object_name, named.identifiers)
        live = await self.client.get_many(named.object_name, sorted(remembered - found))
        trusted = of_rows if named.keys and not found else set()
        return found | {id_ for id_ in remembered if id_ not in live or id_ in trusted}

    def _keys(self, person: Person) -> Iterator[tuple[str, str]]:
        """Under which keys syncs have rows with these identifiers."""
        for field, value in person.identifiers:
            texts = (value, f"+{value}") if field == "phone" else (value,)
            for sync in (spec.name for spec in self.specs if _is_named(spec, person, field, first=True)):
                yield from ((sync, text) for text in texts)
            for sync in (spec.name for spec in self.specs if _is_named(spec, person, field, first=False)):
                yield from ((sync, f"{field}={text}") for text in texts)
            if field == "email":  # also of a sync that is gone; a number might be another sync's key
                yield from ((ANY_SYNC, value), (ANY_SYNC, f"email={value}"))


def _is_named(spec: SyncSpec, person: Person, field: str, *, first: bool) -> bool:
    """Whether rows of this sync are named by the field: bare by the first of match_on, by a further one with it."""
    return spec.object == person.object_name and field in (spec.match_on[:1] if first else spec.match_on[1:])


def _keys_that_identify(person: Person, hints: Collection[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Of a record that is gone only hashes tell what it had: a key that fits one of them is that identifier."""
    for key in person.row_keys:
        for field in UNIQUE[person.object_name]:
            value = canonical(field, key.removeprefix(f"{field}="))
            if (field, value_hash(value)) in hints:
                yield field, value
