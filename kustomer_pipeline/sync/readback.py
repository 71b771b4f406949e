"""Did it land as it was sent? A sample of the written records is read again after the run.

One multi-get for customers. Whatever differs from what the warehouse says is drift: somebody, or a business rule of
the org's, changed it in the meantime, or Kustomer keeps it in another form than it was sent.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from kustomer_pipeline.kustomer import KustomerClient, KustomerError, Record

from .masking import shown
from .patch import Change, UnpatchableError
from .report import READ_BACK_COLUMNS, ReadBack
from .rows import Row
from .spec import Object

if TYPE_CHECKING:
    from .decide import Decider

_COMPANIES_AT_MOST = 10  # they may have to be read one by one (docs/kustomer.md section 5)


class Sample:
    """Up to `size` of the written rows, each as likely as the others (and the same ones if a run is repeated)."""

    def __init__(self, size: int, object: Object, seed: str) -> None:
        self.size = min(size, _COMPANIES_AT_MOST) if object == "companies" else size
        self.object: Object = object
        self._random = random.Random(seed)
        self._seen = 0
        self._kept: list[tuple[Row, str, Decider]] = []

    def add(self, row: Row, kustomer_id: str, decider: Decider) -> None:
        """One more row was written."""
        self._seen += 1
        if len(self._kept) < self.size:
            self._kept.append((row, kustomer_id, decider))
        elif self.size and (place := self._random.randrange(self._seen)) < self.size:
            self._kept[place] = (row, kustomer_id, decider)

    def read_back(self, client: KustomerClient) -> ReadBack:
        """Read the sample and compare. An error here is told, and takes nothing from the run."""
        if not self._kept:
            return ReadBack()
        try:
            live = client.get_many(self.object, [id_ for _, id_, _ in self._kept])
        except KustomerError as error:
            return ReadBack(error=str(error))
        lines: list[dict[str, str | None]] = []
        drifted = 0
        for row, id_, decider in self._kept:
            differences = _differences(row, live.get(id_), decider)
            drifted += bool(differences)
            lines += [
                {
                    "key": row.key,
                    "kustomer_id": id_,
                    "field": one.field,
                    "sent": shown(one.after),
                    "found": shown(one.before),
                }
                for one in differences
            ]
        rows = pd.DataFrame(lines, columns=list(READ_BACK_COLUMNS)).astype("string")
        return ReadBack(len(self._kept), drifted, rows)


def _differences(row: Row, live: Record | None, decider: Decider) -> Sequence[Change]:
    if live is None:
        return [Change("(the record)", None, "written")]
    try:
        return decider.patch(row, live).changes
    except UnpatchableError as error:
        return [Change("(the record)", str(error), "written")]
