"""One record, written by a request of its own (docs/kustomer.md sections 4.1 and 5): for keys without bulk jobs.

item → POST, or PUT with its id → the live record of the answer
id   → DELETE                   → it is not there any more
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from .bulk import METHODS
from .calls import SINGULAR, Call
from .errors import AmbiguousWriteError, NotFoundError, UnexpectedAnswerError
from .identifiers import ObjectName
from .records import Record, parse_records
from .retry import Kind
from .session import Session
from .wire import Operation

_ENVELOPE = frozenset({"id", "_clientRef"})


class SingleWrites:
    """Creates, updates and deletes one record at a time."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def write(self, object_name: ObjectName, operation: Operation, item: Mapping[str, Any]) -> Record:
        """Write one item. See KustomerClient.write_one."""
        call = _call(object_name, operation, item)
        body = await self._session.send(call)
        try:
            records = parse_records(object_name, body)
        except UnexpectedAnswerError:
            records = []
        if len(records) != 1:
            raise AmbiguousWriteError(
                "Kustomer accepted this but does not show the record: look it up before sending it again",
                method=call.method,
                path=call.shown,
            )
        return records[0]

    async def delete_customer(self, kustomer_id: str) -> None:
        """Delete one. See KustomerClient.delete_customer."""
        path = f"/v1/customers/{quote(kustomer_id, safe='')}"
        # Sent again like a read where its answer is lost: what is deleted twice is deleted.
        call = Call("DELETE", path, path, "customer.delete", Kind.READ)
        with suppress(NotFoundError):
            await self._session.send(call)


def _call(object_name: ObjectName, operation: Operation, item: Mapping[str, Any]) -> Call:
    """Without `replace`, so that what is not in the body stays as it is."""
    path = f"/v1/{object_name}"
    if operation == "update":
        if not item.get("id"):
            raise ValueError("an update needs the id of the record")
        path = f"{path}/{quote(str(item['id']), safe='')}"
    body = {key: value for key, value in item.items() if key not in _ENVELOPE}
    action = f"{SINGULAR[object_name]}.{operation}"
    return Call(METHODS[operation], path, path, action, Kind.WRITE, body=body)
