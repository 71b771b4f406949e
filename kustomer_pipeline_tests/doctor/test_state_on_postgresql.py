"""The state of a team: looked at on its server without a line being written."""

import pytest

from kustomer_pipeline.sync import StateStore

from .conftest import Doctor


def test_a_state_on_postgresql_is_read_and_its_writer_named(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    monkeypatch.setenv("KUSTOMER_STATE_URL", postgres_url)
    assert doctor.look().finding("state")["value"]["layout"] == "none"
    with StateStore.open(postgres_url) as store:
        assert doctor.look().finding("state")["value"]["layout"] == "todays"
        with store.lock(doctor.sandbox.org_id):
            answer = doctor.look()
    assert "of the server" in answer.finding("lock")["says"]
    assert answer.finding("customers")["value"] == {"rows": 0}
