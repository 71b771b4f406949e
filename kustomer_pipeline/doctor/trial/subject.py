"""The one record of a trial: what it was, what it is, and the way back.

original → body to compare and to send → written to → read → what differs → put back, verified
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from kustomer_pipeline.kustomer import KustomerClient, KustomerError, Record
from kustomer_pipeline.mapping import list_attributes, nullable_fields

_MASKED = re.compile(r"\*{3,}")
_OF_CUSTOM = "custom."
LONGEST_JOB: Final = 120.0  # seconds that a job of the trial is waited for
_AFTER_LOST_WRITE: Final = 30.0  # seconds until a write whose answer never came is over
_ATTEMPTS: Final = 3


class CannotBePutBackError(Exception):
    """The record is not one to try anything on; the message says why."""


class Subject:
    """A customer, as it was at first. `touched` are the attributes that a trial has changed, or may have."""

    def __init__(self, client: KustomerClient, original: Record) -> None:
        self.client = client
        self.original = original
        self.touched: set[str] = set()
        self.before = writable_part(original)
        self._jobs: dict[str, float] = {}  # bulk id → when it was handed in; those that are not known to be over
        self._under_way = False  # a write was sent, and its answer is not there

    @classmethod
    def read(cls, client: KustomerClient, record_id: str) -> Subject:
        """The record. Raises KustomerError, CannotBePutBackError."""
        if not re.fullmatch(r"[0-9a-f]{24}", record_id):
            raise CannotBePutBackError("that is not the id of a customer: 24 of the characters 0-9 and a-f")
        found = client.run(client.get_many("customers", [record_id])).get(record_id)
        if found is None:
            raise CannotBePutBackError("there is no customer with that id")
        subject = cls(client, found)
        if masked := sorted(name for name, value in subject.before.items() if _is_masked(value)):
            raise CannotBePutBackError(
                f"its values are masked for this key, so they cannot be sent back: {', '.join(masked)}"
            )
        limits = list_attributes("customers")
        if full := [
            name for name, value in subject.before.items() if name in limits and len(value) > limits[name].max_items
        ]:
            raise CannotBePutBackError(f"it holds more than Kustomer takes back: {', '.join(full)}")
        return subject

    @property
    def company(self) -> str | None:
        """The company that it was linked to."""
        return self.original.company_id

    def now(self) -> Record:
        """The record as it is. Raises CannotBePutBackError when it is gone."""
        record_id = self.original.id
        found = self.client.run(self.client.get_many("customers", [record_id])).get(record_id)
        if found is None:
            raise CannotBePutBackError("it was deleted meanwhile")
        return found

    def write(self, body: Mapping[str, Any], method: str = "PUT") -> None:
        """An update of this record, sent once. Raises KustomerError."""
        path = f"/v1/customers/{self.original.id}"
        self._under_way = True
        self.client.run(self.client.probe.write(method, path, dict(body), "customer.update"))
        self._under_way = False

    def submit(self, items: list[dict[str, Any]]) -> str:
        """A bulk update, to be waited for with `settle`; its id. Raises KustomerError."""
        self._under_way = True
        bulk_id = self.client.run(self.client.submit_bulk("customers", "update", items))
        self._jobs[bulk_id] = self.client.clock.monotonic()
        self._under_way = False
        return bulk_id

    def settle(self) -> None:
        """Wait for the jobs that are not over. Raises KustomerError; CannotBePutBackError when one takes too long."""
        for bulk_id, submitted_at in list(self._jobs.items()):
            deadline = self.client.clock.monotonic() + LONGEST_JOB
            answer = self.client.run(self.client.bulk_results(bulk_id, 0, submitted_at, deadline))
            if not answer.complete:
                raise CannotBePutBackError(f"its bulk job {bulk_id} is still not done, and may yet change it")
            del self._jobs[bulk_id]

    def differences(self, current: Record) -> list[str]:
        """The attributes that are not as they were at first."""
        now = writable_part(current)
        return sorted(name for name in self.before.keys() | now.keys() if self.before.get(name) != now.get(name))

    def put_back(self) -> list[str]:
        """Make it what it was, as far as this trial has touched it, and look: the attributes that still differ.

        Whatever was sent is waited for first, so that nothing lands afterwards. Raises KustomerError,
        CannotBePutBackError.
        """
        if self._under_way:
            self.client.run(self.client.clock.sleep(_AFTER_LOST_WRITE))
            self._under_way = False
        self.settle()
        different = self.differences(self.now())
        for _ in range(_ATTEMPTS):
            if not self.touched.intersection(different):
                break
            self._send_back([name for name in different if name in self.touched])
            different = self.differences(self.now())
        return different

    def _send_back(self, names: list[str]) -> None:
        body: dict[str, Any] = {"company": self.company}
        for name in names:
            if name.startswith(_OF_CUSTOM):
                body.setdefault("custom", {})[name.removeprefix(_OF_CUSTOM)] = self.before.get(name)
            else:
                body[name] = self.before.get(name, [] if name in list_attributes("customers") else None)
        try:
            self.write(body)
        except KustomerError:
            self._under_way = False
            if len(names) == 1:
                raise
            for name in names:  # one that is refused keeps no other from going back
                self._send_back([name])


def writable_part(record: Record) -> dict[str, Any]:
    """What of a record can be written, in the form in which it is: scalars, lists, `custom.<name>`, `company`.

    What is null, absent or an empty list is left out: the three mean the same.
    """
    return {name: value for name, value in _parts(record) if value not in (None, [], "")}


def _parts(record: Record) -> Iterator[tuple[str, Any]]:
    attributes = record.attributes
    yield "company", record.company_id
    for name in sorted(nullable_fields("customers") - {"company"}):
        yield name, attributes.get(name)
    for name, kind in list_attributes("customers").items():
        items = attributes.get(name)
        yield name, [_item(item, kind.writable) for item in items] if isinstance(items, list) else None
    custom = attributes.get("custom")
    for name, value in custom.items() if isinstance(custom, dict) else ():
        yield f"{_OF_CUSTOM}{name}", value


def _item(item: Any, writable: frozenset[str]) -> Any:
    """Without what Kustomer adds, which it does not take back (docs/kustomer.md section 4.5)."""
    if not isinstance(item, dict):
        return item
    return {key: value for key, value in item.items() if key in writable and value is not None}


def _is_masked(value: Any) -> bool:
    if isinstance(value, str):
        return _MASKED.search(value) is not None
    if isinstance(value, dict):
        return any(map(_is_masked, value.values()))
    return isinstance(value, list) and any(map(_is_masked, value))
