"""Where identifiers were last seen: hints, always checked live before use. Values are kept as hashes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from kustomer_pipeline.kustomer import ObjectName

from .database import Database, in_parts, upsert
from .tables import identities
from .values import value_hash


class Identities:
    """Hints of one org."""

    def __init__(self, database: Database, org_id: str) -> None:
        self._database = database
        self._org_id = org_id

    def find(self, object_name: ObjectName, field: str, values: Sequence[str]) -> dict[str, str]:
        """Value → the Kustomer id it was last seen at."""
        by_hash = {value_hash(value): value for value in values}
        found: dict[str, str] = {}
        with self._database.reading() as connection:
            for part in in_parts(list(by_hash)):
                query = sa.select(identities.c.value_hash, identities.c.kustomer_id).where(
                    identities.c.org_id == self._org_id,
                    identities.c.object == object_name,
                    identities.c.field == field,
                    identities.c.value_hash.in_(part),
                )
                found.update({by_hash[hashed]: id_ for hashed, id_ in connection.execute(query)})
        return found


class IdentitiesWriter:
    """The same, in a transaction."""

    def __init__(self, connection: sa.Connection, org_id: str) -> None:
        self._connection = connection
        self._org_id = org_id

    def learn(self, object_name: ObjectName, seen: Iterable[tuple[str, str, str]]) -> None:
        """(field, hash of the value, Kustomer id) of identifiers that were seen."""
        values = {
            (field, hashed): {
                "org_id": self._org_id,
                "object": object_name,
                "field": field,
                "value_hash": hashed,
                "kustomer_id": kustomer_id,
            }
            for field, hashed, kustomer_id in seen
        }
        upsert(self._connection, identities, list(values.values()))

    def unlearn(self, object_name: ObjectName, wrong: Iterable[tuple[str, str]]) -> None:
        """(field, hash of the value) of hints that turned out to be wrong."""
        by_field: dict[str, list[str]] = {}
        for field, hashed in wrong:
            by_field.setdefault(field, []).append(hashed)
        for field, hashes in by_field.items():
            for part in in_parts(hashes):
                self._connection.execute(
                    sa.delete(identities).where(
                        identities.c.org_id == self._org_id,
                        identities.c.object == object_name,
                        identities.c.field == field,
                        identities.c.value_hash.in_(part),
                    )
                )
