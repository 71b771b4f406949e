"""What a type of a database becomes in the frame and in Kustomer is what the pages of docs/warehouses/ say."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from kustomer_pipeline.mapping import FieldMapping, map_frame
from kustomer_pipeline.warehouse import QueryError, read_frame

from .expected import TYPES, Refused, TypeCase

CASES = [
    pytest.param(dialect, case, id=f"{dialect}: {case.type}") for dialect, cases in TYPES.items() for case in cases
]


@pytest.mark.parametrize("engine, case", CASES, indirect=["engine"])
def test_a_type_becomes_what_the_table_says(engine: sa.Engine, case: TypeCase) -> None:
    query = f"select '1' as id, {case.sql} as v"
    if isinstance(case.read, Refused):
        with pytest.raises(QueryError, match=case.read.reason):
            read_frame(engine, query)
        return
    frame = read_frame(engine, query)
    assert (str(frame.dtypes["v"]), _text(frame["v"].iloc[0])) == (case.dtype, case.read)
    if case.field:
        fields = [FieldMapping("externalId", ("id",)), FieldMapping(case.field, ("v",))]
        rows = map_frame(frame, fields, object_name="customers", match_on=["externalId"])
        reason = rows["_invalid"].iloc[0]
        sent = _text(rows[case.field].iloc[0]) if pd.isna(reason) else Refused(reason.removeprefix(f"{case.field} "))
        if isinstance(case.sent, Refused) and isinstance(sent, Refused):
            assert case.sent.reason in sent.reason
        else:
            assert sent == case.sent


def _text(value: Any) -> str | None:
    return None if pd.isna(value) else str(value)
