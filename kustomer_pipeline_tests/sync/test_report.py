"""One outcome per row, one place that counts."""

import numpy as np
import pandas as pd
import pyarrow as pa

from kustomer_pipeline.sync import Counts, Outcome, Progress, Reason, ReasonCode, SyncReport
from kustomer_pipeline.sync.ledger import Ledger

REFUSED = Reason(ReasonCode.REFUSED, "no")


def ledger(*keys: str) -> Ledger:
    return Ledger(pd.Series(keys, dtype="string"))


def report(of: Ledger) -> SyncReport:
    return SyncReport("s", "r", "o", of.counts(), of.rows(), 0, 0, None, 0.0, by_code=of.by_code())


def test_the_ledger_gives_one_line_per_row_in_order() -> None:
    rows = ledger("a", "b", "c@x.com", "d")
    rows.set_many(np.array([0, 3]), Outcome.UNCHANGED, kustomer_ids=pa.array(["1", "not counted", None, None]))
    rows.set(1, Outcome.CREATED, kustomer_id="2")
    rows.set(2, Outcome.INVALID, reason=Reason(ReasonCode.INVALID, "no"))
    done = report(rows)
    assert done.counts == Counts(read=4, created=1, unchanged=2, invalid=1)
    assert done.rows["outcome"].tolist() == ["unchanged", "created", "invalid", "unchanged"]
    assert done.rows["kustomer_id"].dropna().tolist() == ["1", "2"]
    assert done.adds_up
    assert done.failure_share == 0.25
    assert done.refused().to_numpy().tolist() == [["c…@….com", "invalid", "no"]]


def test_ids_of_many_rows_are_taken_from_columns_of_the_frame_and_the_last_word_counts() -> None:
    rows = ledger(*"abcd")
    remembered = pa.array(["1", "2", None, "4"], pa.string())
    rows.set_many(np.array([0, 2]), Outcome.UNCHANGED, kustomer_ids=remembered)
    rows.set_many(np.array([3]), Outcome.SKIPPED, kustomer_ids=remembered)
    assert rows.rows()["kustomer_id"].fillna("-").tolist() == ["1", "-", "-", "4"]
    rows.set(3, Outcome.UPDATED, kustomer_id="40")
    rows.set(1, Outcome.CREATED, kustomer_id="20")
    assert rows.rows()["kustomer_id"].fillna("-").tolist() == ["1", "20", "-", "40"]


def test_where_nothing_has_changed_the_report_has_the_ids_as_they_are_remembered_and_no_copy() -> None:
    rows, remembered = ledger(*"abc"), pa.array(["1", "2", "3"], pa.string())
    rows.set_many(np.arange(3), Outcome.UNCHANGED, kustomer_ids=remembered)
    ids = pa.array(rows.rows()["kustomer_id"])
    assert ids.to_pylist() == ["1", "2", "3"]
    assert ids.buffers()[2].address == remembered.buffers()[2].address


def test_a_row_without_an_outcome_does_not_add_up_and_is_named() -> None:
    rows = ledger("a", "b")
    rows.set(0, Outcome.CREATED)
    done = report(rows)
    assert not done.adds_up
    assert done.unaccounted == ["b"]


def test_a_report_of_nothing_adds_up() -> None:
    assert report(ledger()).adds_up


def test_the_last_word_about_a_row_counts() -> None:
    rows = ledger("a")
    rows.set(0, Outcome.DEFERRED, reason=Reason(ReasonCode.ANSWER_PENDING, "later"))
    rows.set(0, Outcome.CREATED, kustomer_id="1")
    assert report(rows).counts == Counts(read=1, created=1)
    assert report(rows).by_code == {}
    assert report(rows).rows["reason"].isna().all()


def test_reasons_are_counted_by_their_code_and_not_by_their_text() -> None:
    rows = ledger("a", "b", "c", "d")
    rows.set(0, Outcome.REJECTED, reason=REFUSED)
    rows.set(1, Outcome.REJECTED, reason=Reason(ReasonCode.REFUSED, "something else; with a semicolon"))
    rows.set_many(np.array([2, 3]), Outcome.SKIPPED, reason=Reason(ReasonCode.NOT_IN_KUSTOMER, "not in Kustomer"))
    assert report(rows).by_code == {ReasonCode.REFUSED: 2, ReasonCode.NOT_IN_KUSTOMER: 2}
    assert report(rows).absent == 2


def test_rows_whose_record_is_uncertain_are_unsettled_and_those_that_kustomer_refused_are_not() -> None:
    rows = ledger(*"abcdefg")
    rows.set(0, Outcome.INVALID, reason=Reason(ReasonCode.INVALID, "no"))
    rows.set(1, Outcome.DEFERRED, reason=Reason(ReasonCode.QUEUED, "later"))
    rows.set(2, Outcome.REJECTED, reason=Reason(ReasonCode.AMBIGUOUS, "two"))
    rows.set(3, Outcome.REJECTED, reason=Reason(ReasonCode.CROSSED, "crossed"))
    rows.set(4, Outcome.REJECTED, reason=REFUSED)
    rows.set(5, Outcome.SKIPPED, reason=Reason(ReasonCode.NOT_IN_KUSTOMER, "not in Kustomer"))
    rows.set(6, Outcome.UNCHANGED)
    assert rows.unsettled() == 4


def test_progress_reads_like_a_log_line() -> None:
    line = str(Progress(2000, 10000, 100.0, 80.0, 612))
    assert line == "2,000 of 10,000 records, 100 a second, about 80 s left, API budget left this minute 612"
