"""One outcome per row, one place that counts."""

import numpy as np
import pandas as pd
import pyarrow as pa

from kustomer_pipeline.sync.masking import mask, mask_key, scrub
from kustomer_pipeline.sync.report import Counts, Ledger, Outcome, Progress, SyncReport


def report(ledger: Ledger) -> SyncReport:
    return SyncReport("s", "r", "o", ledger.counts(), ledger.rows(), 0, 0, None, 0.0)


def test_the_ledger_gives_one_line_per_row_in_order() -> None:
    ledger = Ledger(pd.Series(["a", "b", "c@x.com", "d"], dtype="string"))
    ledger.set_many(np.array([0, 3]), Outcome.UNCHANGED, kustomer_ids=pa.array(["1", None]))
    ledger.set(1, Outcome.CREATED, kustomer_id="2")
    ledger.set(2, Outcome.INVALID, reason="no")
    done = report(ledger)
    assert Counts(read=4, created=1, unchanged=2, invalid=1) == done.counts
    assert ["unchanged", "created", "invalid", "unchanged"] == done.rows["outcome"].tolist()
    assert ["1", "2"] == done.rows["kustomer_id"].dropna().tolist()
    assert done.adds_up
    assert 0.25 == done.failure_share
    assert [["c…@….com", "invalid", "no"]] == done.refused().to_numpy().tolist()


def test_a_row_without_an_outcome_does_not_add_up_and_is_named() -> None:
    ledger = Ledger(pd.Series(["a", "b"], dtype="string"))
    ledger.set(0, Outcome.CREATED)
    done = report(ledger)
    assert not done.adds_up
    assert ["b"] == done.unaccounted


def test_a_report_of_nothing_adds_up() -> None:
    assert report(Ledger(pd.Series([], dtype="string"))).adds_up


def test_values_and_personal_keys_are_masked() -> None:
    assert "j…@….com" == mask("jane@example.com")
    assert "#" == mask(12)
    assert mask(True) is True
    assert "C-17" == mask_key("C-17")
    assert "email=j…@….com" == mask_key("email=jane@example.com")
    assert "+…" == mask_key("+442071838750")
    assert "e-mail j…@….com taken, phone +…" == scrub("e-mail jane@x.com taken, phone +44 20 7183 8750")


def test_progress_reads_like_a_log_line() -> None:
    line = str(Progress(2000, 10000, 100.0, 80.0, 612))
    assert "2,000 of 10,000 records, 100 a second, about 80 s left, API budget left this minute 612" == line
