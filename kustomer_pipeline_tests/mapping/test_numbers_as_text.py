"""The text of any float is that float, in digits."""

from __future__ import annotations

import pandas as pd
from hypothesis import example, given
from hypothesis import strategies as st

from .frames import mapped_column, objects


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-(2**53) + 1, max_value=2**53 - 1))
@example(12345678901.25)
@example(1e-7)
@example(5e-324)  # 1,076 characters: more than any field takes
def test_a_float_as_text_is_the_same_number_without_an_exponent(number: float) -> None:
    for cells in (pd.Series([number]), objects(number, "text")):
        values, reasons = mapped_column("custom.aTxt", cells)
        if reasons[0] is None:
            assert "e" not in values[0]
            assert float(values[0]) == number
        else:
            assert "characters, at most 1024" in reasons[0]
