"""A line of the request log: one attempt at a request, as JSON.

    RequestAttempt → RequestLine ⇄ {"at": "2030-03-17T17:46:40.123Z", "sync": "customers", …}

Row keys that are personal data are not in it: a keyed hash stands for each, which can be computed from the key and not
the other way round (keyed_hash.py).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

from kustomer_pipeline.kustomer import RequestAttempt

from .keyed_hash import KeyedHash

START = b'{"at":'  # of every line


@dataclass(frozen=True)
class RequestLine:
    """One attempt at a request.

    at: when it was sent, in UTC. sync, run, kind: what it was for (run, plan, undo, drift); None for requests beside
    all syncs, such as the doctor's. org: its id; None before Kustomer has told it. template: the route. path:
    identifiers left out. status: None where no answer came; error: what broke it. seconds: until the answer. units: 1
    if it counts against the org's budget of requests; searches: 1 for a search. attempt: 1 for the first; retry: why
    the one before failed. units_left: of the budget, as last reported. request_id: Kustomer's name for it. keys: of the
    rows it was about; hashed_keys: of those whose key is personal data.
    """

    at: str
    sync: str | None = None
    run: str | None = None
    kind: str | None = None
    org: str | None = None
    method: str = ""
    template: str = ""
    path: str = ""
    status: int | None = None
    error: str | None = None
    seconds: float = 0.0
    units: int = 0
    searches: int = 0
    attempt: int = 1
    retry: str | None = None
    units_left: int | None = None
    request_id: str | None = None
    keys: tuple[str, ...] = ()
    hashed_keys: tuple[str, ...] = ()

    @classmethod
    def of(cls, told: RequestAttempt, hashed: KeyedHash) -> RequestLine:
        """An attempt as it is kept."""
        work = told.work
        personal = [work is None or work.is_personal(key) for key in told.keys]
        return cls(
            at=datetime.fromtimestamp(told.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            sync=work.sync if work is not None else None,
            run=work.run_id if work is not None else None,
            kind=work.kind if work is not None else None,
            org=told.org_id,
            method=told.method,
            template=told.template,
            path=told.path,
            status=told.status,
            error=told.error,
            seconds=round(told.seconds, 4),
            units=told.units,
            searches=told.searches,
            attempt=told.number,
            retry=told.retry,
            units_left=told.units_left,
            request_id=told.request_id,
            keys=tuple(key for key, hide in zip(told.keys, personal, strict=True) if not hide),
            hashed_keys=tuple(
                hashed.of(work.sync if work is not None else "", key)
                for key, hide in zip(told.keys, personal, strict=True)
                if hide
            ),
        )

    def to_bytes(self) -> bytes:
        """The line, its end included."""
        return json.dumps(asdict(self), separators=(",", ":")).encode("ascii") + b"\n"

    @classmethod
    def from_bytes(cls, text: bytes) -> RequestLine | None:
        """A line as it was written; None for what is none, such as one that was cut off.

        Where a line was cut off and another appended to it, the other.
        """
        start = text.rfind(START)
        try:
            content: Any = json.loads(text[start:]) if start >= 0 else None
        except ValueError:
            return None
        if not isinstance(content, dict) or not isinstance(content.get("at"), str):
            return None
        known: dict[str, Any] = {one.name: content[one.name] for one in fields(cls) if one.name in content}
        keys = {name: tuple(known.get(name) or ()) for name in ("keys", "hashed_keys")}
        return cls(**known | keys)


def as_written(key: str) -> bytes:
    """A key as a line holds it."""
    return json.dumps(key).encode("ascii")
