"""What runs did: a line per attempted record, what was overwritten, a line per run. Written in transactions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from .database import storable
from .rows import Place
from .tables import RUN_COUNTS, sync_changes, sync_log, sync_runs
from .values import ChangeLine, LogLine, RunLine


class LogWriter:
    """One line per attempted record."""

    def __init__(self, connection: sa.Connection, place: Place, now: datetime) -> None:
        self._connection = connection
        self._place = place
        self._now = now

    def add(self, lines: Iterable[LogLine], run_id: str) -> None:
        """More lines."""
        common = {"org_id": self._place.org_id, "sync": self._place.sync, "run_id": run_id, "at": self._now}
        values = [{**common, **vars(line), "reason": storable(line.reason)} for line in lines]
        if values:
            self._connection.execute(sa.insert(sync_log), values)


class ChangesWriter:
    """What updates overwrote."""

    def __init__(self, connection: sa.Connection, place: Place, now: datetime) -> None:
        self._connection = connection
        self._place = place
        self._now = now

    def add(self, lines: Iterable[ChangeLine], run_id: str) -> None:
        """More lines."""
        values = [
            {
                "org_id": self._place.org_id,
                "sync": self._place.sync,
                "scope": self._place.scope,
                "run_id": run_id,
                "key": line.key,
                "object": line.object_name,
                "kustomer_id": line.kustomer_id,
                "effect": line.effect,
                "changes": json.dumps(line.changes),
                "at": self._now,
                "undoes": json.dumps(line.undoes) if line.undoes else None,
            }
            for line in lines
        ]
        if values:
            self._connection.execute(sa.insert(sync_changes), values)


class RunsWriter:
    """One line per run."""

    def __init__(self, connection: sa.Connection, place: Place) -> None:
        self._connection = connection
        self._place = place

    def add(self, run: RunLine) -> None:
        """One more."""
        self._connection.execute(
            sa.insert(sync_runs).values(
                org_id=self._place.org_id,
                sync=self._place.sync,
                run_id=run.run_id,
                started_at=run.started_at,
                finished_at=run.finished_at,
                seconds=run.seconds,
                interrupted=run.interrupted,
                **{name: run.counts.get(name, 0) for name in RUN_COUNTS},
            )
        )
