"""What a failure says: what to do, in the names of the environment variables, and nothing of a row."""

from pathlib import Path

import dagster as dg
import pandas as pd
import pytest
import sqlalchemy as sa

from kustomer_pipeline.components.failures import error_text, readable_failures
from kustomer_pipeline.io_manager import ParquetStorage
from kustomer_pipeline.kustomer import AuthenticationError, ConfigurationError
from kustomer_pipeline.sync import StateError, UndoError

from .pipeline import Pipeline, people

SECRET = "jane@private.example"


def caught(error: Exception) -> dg.Failure:
    with pytest.raises(dg.Failure) as failure, readable_failures():
        raise error
    return failure.value


def unexpected() -> sa.exc.SQLAlchemyError:
    return sa.exc.IntegrityError("insert into t values (?)", [SECRET], Exception(f"{SECRET} is there already"))


@pytest.mark.parametrize("error", [StateError("The state is locked"), UndoError("no such run")])
def test_an_error_of_ours_says_what_it_says_without_the_exceptions_behind_it(error: Exception) -> None:
    failure = caught(error)
    assert failure.description == str(error)
    assert failure.__suppress_context__
    assert failure.__cause__ is None
    assert not failure.allow_retries


def test_an_error_that_nobody_expected_tells_its_type_and_its_place_only() -> None:
    failure = caught(unexpected())
    text = failure.description or ""
    assert "sqlalchemy.exc.IntegrityError" in text
    assert f"in {__name__} line " in text
    assert "set KUSTOMER_SHOW_VALUES=1 and run again" in text
    assert SECRET not in text
    assert failure.__suppress_context__


def test_the_line_of_ours_that_led_there_is_told_too() -> None:
    with pytest.raises(dg.Failure) as failure, readable_failures():
        pd.to_numeric(pd.Series([SECRET]))
    text = failure.value.description or ""
    assert "in pandas." in text
    assert f", from {__name__} line " in text
    assert SECRET not in text


def test_its_words_are_shown_when_somebody_asks_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUSTOMER_SHOW_VALUES", "1")
    assert SECRET in (caught(unexpected()).description or "")


def test_a_failure_stays_what_it_is() -> None:
    failure = dg.Failure("enough")
    assert caught(failure) is failure


@pytest.mark.parametrize(
    "error, expected",
    [
        (ConfigurationError("rate_reserve is 2"), "KUSTOMER_RATE_RESERVE is 2"),
        (UndoError("nothing is kept: `undo_days` is 0"), "nothing is kept: KUSTOMER_UNDO_DAYS is 0"),
        (AuthenticationError("refused"), "refused\n\nThe key is read from KUSTOMER_API_KEY."),
    ],
)
def test_parameters_of_the_libraries_are_told_as_variables(error: Exception, expected: str) -> None:
    assert error_text(error) == expected


@pytest.mark.parametrize("function", ["running.run_sync", "assets.sync_check_results"])
def test_nothing_of_a_row_reaches_the_event_log_whatever_goes_wrong(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise unexpected()

    monkeypatch.setattr(f"kustomer_pipeline.components.{function}", fails)
    pipeline.customers(people(2))
    run = pipeline.run("sync_customers")
    assert not run.success
    assert "sqlalchemy.exc.IntegrityError" in run.failure("kustomer__customers")
    assert SECRET not in pipeline.event_log()


def test_rows_that_parquet_cannot_hold_are_a_readable_error(tmp_path: Path) -> None:
    @dg.asset
    def mixed() -> pd.DataFrame:
        return pd.DataFrame({"id": [1, 2], "note": pd.Series([SECRET, 5], dtype=object)})

    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        resources = {"io_manager": ParquetStorage(base_dir=str(tmp_path / "frames"))}
        result = dg.materialize([mixed], instance=instance, resources=resources, raise_on_error=False)
        log = "\n".join(
            dg.serialize_value(record.event_log_entry) for record in instance.get_records_for_run(result.run_id).records
        )
    assert not result.success
    assert "columns in question: note" in log
    assert SECRET not in log
