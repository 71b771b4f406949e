"""Frames survive the way from one asset to the next."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from kustomer_pipeline.io_manager import ParquetStorage

FRAME = pd.DataFrame(
    {
        "_key": pd.array(["007", "", None], dtype="string"),
        "seats": pd.array([2**62 + 1, None, 0], dtype="Int64"),
        "ltv": pd.array([0.1, None, 7.0], dtype="Float64"),
        "subscribed": pd.array([True, None, False], dtype="boolean"),
        "naive": pd.Series([datetime(1, 1, 1), None, datetime(9999, 12, 31)], dtype="datetime64[us]"),
        "moment": pd.Series([datetime(2024, 5, 1, tzinfo=UTC), None, None], dtype="datetime64[us, UTC]"),
        "kustomer_id": pd.array([None, None, None], dtype="string"),
    }
)


def pass_on(frame: object, instance: dg.DagsterInstance, base_dir: str = "") -> list[pd.DataFrame]:
    """Store a value in one run, and read it in another."""
    received = []

    @dg.asset(key=["kustomer", "customers_mapped"])
    def upstream() -> object:
        return frame

    @dg.asset(ins={"mapped": dg.AssetIn(key=["kustomer", "customers_mapped"])})
    def downstream(mapped: pd.DataFrame) -> None:
        received.append(mapped)

    resources = {"io_manager": ParquetStorage(base_dir=base_dir)}
    if frame is not None:
        dg.materialize([upstream], resources=resources, instance=instance)
    dg.materialize([upstream, downstream], resources=resources, instance=instance, selection=[downstream])
    return received


@pytest.mark.parametrize("frame", [FRAME, FRAME.iloc[:0]], ids=["rows", "no rows"])
def test_a_frame_comes_out_as_it_went_in(dagster_home: Path, frame: pd.DataFrame) -> None:
    with dg.DagsterInstance.get() as instance:
        assert_frame_equal(pass_on(frame, instance)[0], frame)
    assert [path.name for path in (dagster_home / "storage" / "kustomer").iterdir()] == ["customers_mapped.parquet"]


def test_the_folder_can_be_chosen(tmp_path: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        pass_on(FRAME, instance, base_dir=str(tmp_path / "frames"))
    assert (tmp_path / "frames" / "kustomer" / "customers_mapped.parquet").is_file()


def test_a_write_that_fails_leaves_the_old_frame_and_nothing_else(tmp_path: Path) -> None:
    broken = pd.DataFrame({"mixed": [1, "two"]})
    with dg.DagsterInstance.ephemeral() as instance:
        pass_on(FRAME, instance, base_dir=str(tmp_path))
        with pytest.raises(Exception, match="mixed"):
            pass_on(broken, instance, base_dir=str(tmp_path))
    assert_frame_equal(pd.read_parquet(tmp_path / "kustomer" / "customers_mapped.parquet"), FRAME)
    assert len(list((tmp_path / "kustomer").iterdir())) == 1


def test_something_else_than_a_frame_is_refused(tmp_path: Path) -> None:
    with (
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises(TypeError, match="Only a DataFrame can be kept as Parquet, not a list"),
    ):
        pass_on([1], instance, base_dir=str(tmp_path))


def test_an_asset_that_has_not_been_materialized_is_named(tmp_path: Path) -> None:
    with (
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises(FileNotFoundError, match="The asset kustomer/customers_mapped holds no rows yet"),
    ):
        pass_on(None, instance, base_dir=str(tmp_path))
