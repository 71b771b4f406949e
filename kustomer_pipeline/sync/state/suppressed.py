"""Who was forgotten, and is kept out of later runs: a list of hashes that says nothing without the org's secret.

    (object, identifier, value) ─ keyed by the secret ─→ 16 hex digits (SipHash) + 32 hex digits (BLAKE2b)

The first part is made of a million values at once and rules out nearly all of them, the second decides. Whoever has the
whole state has the secret too, and could try addresses one by one; whoever has the list alone can do nothing with it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from kustomer_pipeline.kustomer import ObjectName
from kustomer_pipeline.mapping import salted_hashes

from .database import Database, upsert
from .errors import StateError
from .tables import org_facts, suppressed

KEY_OF_ROW = "key"  # stands where the name of an identifier stands
_SECRET = "suppression_secret"
_QUICK_DIGITS = 16

Entry = tuple[ObjectName, str, str]
"""Whose identifier, which (email, phone, externalId, or KEY_OF_ROW), and its canonical value."""


@dataclass(frozen=True)
class Seal:
    """The secret of an org, and what is made with it."""

    secret: bytes

    def of(self, entry: Entry) -> str:
        """What stands on the list."""
        object_name, field, value = entry
        [quick] = self.quick(object_name, field, [value]).tolist()
        text = f"{object_name}\x00{field}\x00{value}".encode("utf-8", "surrogatepass")
        return f"{quick:0{_QUICK_DIGITS}x}{hashlib.blake2b(text, key=self.secret, digest_size=16).hexdigest()}"

    def quick(self, object_name: ObjectName, field: str, values: Sequence[str]) -> np.ndarray:
        """uint64 of each value. Vectorised."""
        return salted_hashes(values, f"{object_name}\x00{field}", self.secret)


class Forgotten:
    """The list of one org, as it was read."""

    def __init__(self, seal: Seal, hashes: Iterable[str]) -> None:
        self._seal = seal
        self._hashes = frozenset(hashes)
        self._quick = np.array([int(one[:_QUICK_DIGITS], 16) for one in self._hashes], dtype=np.uint64)

    def which(self, object_name: ObjectName, field: str, values: Sequence[str]) -> np.ndarray:
        """Places of the values that are on the list."""
        likely = np.flatnonzero(np.isin(self._seal.quick(object_name, field, values), self._quick))
        found = [one for one in likely.tolist() if self._seal.of((object_name, field, values[one])) in self._hashes]
        return np.array(found, dtype=np.int64)


class Suppressed:
    """The list of one org. Every method raises StateError."""

    def __init__(self, database: Database, org_id: str) -> None:
        self._database = database
        self._org_id = org_id

    def read(self) -> Forgotten | None:
        """The list; None where nobody is on it."""
        with self._database.reading() as connection:
            hashes = list(connection.execute(sa.select(suppressed.c.hash).where(self._mine)).scalars())
            secret = self._secret(connection) if hashes else None
        if hashes and secret is None:
            raise StateError(
                "The list of people who were forgotten cannot be read: its secret is missing from the table org_facts. "
                "Put a copy of the state back; until then nothing is sent"
            )
        return Forgotten(Seal(bytes.fromhex(secret)), hashes) if secret is not None else None

    def seal(self) -> Seal:
        """The secret of the org; made when it is first asked for."""
        with self._database.writing() as connection:
            if connection.dialect.name == "postgresql":  # one after the other, as SQLite's writers are
                connection.execute(sa.text(f"lock table {org_facts.name} in exclusive mode"))
            secret = self._secret(connection)
            if secret is None:
                secret = secrets.token_hex(32)
                upsert(connection, org_facts, [{"org_id": self._org_id, "name": _SECRET, "value": secret}])
        return Seal(bytes.fromhex(secret))

    def add(self, entries: Iterable[Entry], receipt_id: str) -> int:
        """More of the identifiers of people who are forgotten; how many are new on the list."""
        seal = self.seal()
        hashes = {seal.of(entry) for entry in entries}
        with self._database.writing() as connection:
            there = set(connection.execute(sa.select(suppressed.c.hash).where(self._mine)).scalars())
            new = sorted(hashes - there)
            upsert(connection, suppressed, [self._line(hashed, receipt_id) for hashed in new])
        return len(new)

    def lift(self, receipt_id: str) -> int:
        """Take off the list whom this receipt is about; how many identifiers were on it."""
        of_receipt = sa.and_(self._mine, suppressed.c.receipt_id == receipt_id)
        with self._database.writing() as connection:
            return connection.execute(sa.delete(suppressed).where(of_receipt)).rowcount

    def _secret(self, connection: sa.Connection) -> str | None:
        fact = sa.and_(org_facts.c.org_id == self._org_id, org_facts.c.name == _SECRET)
        return connection.execute(sa.select(org_facts.c.value).where(fact)).scalar_one_or_none()

    def _line(self, hashed: str, receipt_id: str) -> dict[str, str]:
        return {"org_id": self._org_id, "hash": hashed, "receipt_id": receipt_id}

    @property
    def _mine(self) -> sa.ColumnElement[bool]:
        return suppressed.c.org_id == self._org_id


def anybody_suppressed(database: Database) -> bool:
    """Whether somebody is on the list of any org."""
    with database.reading() as connection:
        return connection.execute(sa.select(sa.literal(1)).select_from(suppressed).limit(1)).first() is not None
