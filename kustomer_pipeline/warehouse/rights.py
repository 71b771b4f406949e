"""What our own tables take of the warehouse's rights: named, with the grant, when the database refuses a step."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import exc


@dataclass
class Step:
    """Which right the next statement takes, and how it is given to a user (`{user}` in `grant` is the name)."""

    right: str
    grant: str = ""

    def takes(self, right: str, grant: str) -> None:
        """From here on it is this right that may be missing."""
        self.right, self.grant = right, grant

    def missing(self, engine: sa.Engine, error: exc.DBAPIError) -> str | None:
        """`create the schema x (create schema x authorization jane)`; None where the error is surely about no right."""
        if not _may_be_a_right(engine, error):
            return None
        user = engine.url.username
        return self.right + (f" ({self.grant.format(user=user)})" if self.grant and user else "")


def create_schema(connection: sa.Connection, inspector: sa.Inspector, schema: str, step: Step) -> None:
    """Make the schema if it is missing. A user who may not create one needs no such right once it is there."""
    if inspector.has_schema(schema):
        return
    grant = f"once, by somebody who may: create schema {schema} authorization {{user}}"
    step.takes(f"create the schema {schema}", grant)
    connection.execute(sa.schema.CreateSchema(schema))
    inspector.clear_cache()


def _may_be_a_right(engine: sa.Engine, error: exc.DBAPIError) -> bool:
    if engine.dialect.name == "postgresql":
        # insufficient_privilege; read_only_sql_transaction
        return getattr(error.orig, "sqlstate", None) in ("42501", "25006")
    return engine.dialect.name != "sqlite" or "readonly" in str(error.orig)
