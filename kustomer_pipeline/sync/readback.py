"""Did it land as it was sent? A sample of the written records is read again after the run.

One multi-get for customers. Whatever differs from what the warehouse says is drift: somebody, or a business rule of
the org's, changed it in the meantime, or Kustomer keeps it in another form than it was sent.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

import pandas as pd

from kustomer_pipeline.kustomer import KustomerClient, KustomerError, Record

from .decisions import Resolved
from .masking import shown
from .patch import Change, UnpatchableError
from .report import READ_BACK_COLUMNS, ReadBack
from .strategies import Strategy

_TAG_ID = re.compile(r"[0-9a-f]{24}")
OnRead = Callable[[Resolved, Record], None]

_COMPANIES_AT_MOST = 10  # they may have to be read one by one (docs/kustomer.md section 5)


class Sample:
    """Up to `size` of the written rows, each as likely as the others (and the same ones if a run is repeated).

    on_read: hears of each record that was read again.
    """

    def __init__(self, size: int, strategy: Strategy, seed: str, on_read: OnRead) -> None:
        self._strategy = strategy
        self._on_read = on_read
        self._size = min(size, _COMPANIES_AT_MOST) if strategy.object_name == "companies" else size
        self._random = random.Random(seed)
        self._seen = 0
        self._kept: list[tuple[Resolved, str]] = []

    def add(self, resolved: Resolved, kustomer_id: str) -> None:
        """One more row was written."""
        self._seen += 1
        if len(self._kept) < self._size:
            self._kept.append((resolved, kustomer_id))
        elif self._size and (place := self._random.randrange(self._seen)) < self._size:
            self._kept[place] = (resolved, kustomer_id)

    async def read_back(self, client: KustomerClient) -> ReadBack:
        """Read the sample and compare. An error here is told, and takes nothing from the run."""
        if not self._kept:
            return ReadBack()
        try:
            with client.about(lambda: {id_: [resolved.case.key] for resolved, id_ in self._kept}):
                live = await client.get_many(self._strategy.object_name, [id_ for _, id_ in self._kept])
        except KustomerError as error:
            return ReadBack(error=str(error))
        for resolved, id_ in self._kept:
            if id_ in live:
                self._on_read(resolved, live[id_])
        found = [(resolved, id_, self._differences(resolved, live.get(id_))) for resolved, id_ in self._kept]
        lines = [
            {
                "key": resolved.case.key,
                "kustomer_id": id_,
                "field": one.field,
                "sent": shown(one.after),
                "found": shown(one.before),
            }
            for resolved, id_, differences in found
            for one in differences
        ]
        drifted = sum(bool(differences) for _, _, differences in found)
        rows = pd.DataFrame(lines, columns=list(READ_BACK_COLUMNS)).astype("string")
        return ReadBack(len(self._kept), drifted, rows)

    def _differences(self, resolved: Resolved, live: Record | None) -> Sequence[Change]:
        if live is None:
            return [Change("(the record)", None, "written")]
        try:
            changes = self._strategy.patch(resolved.ours, live, resolved.case.sent_lists).changes
        except UnpatchableError as error:
            return [Change("(the record)", str(error.reason), "written")]
        return [change for change in changes if not _holds_names(change)]


def _holds_names(change: Change) -> bool:
    """Tags that could only be written by name (the key may not read tags) cannot be compared with ids."""
    return change.field == "tags" and any(not _TAG_ID.fullmatch(str(tag)) for tag in change.after or ())
