import sqlite3
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from kustomer_pipeline.__main__ import main
from kustomer_pipeline.sandbox import FOUR_ROLES
from kustomer_pipeline.sync import StateStore
from kustomer_pipeline.sync.state.tables import SCHEMA_VERSION
from kustomer_pipeline_tests.kustomer.kustomers import client_of

from .conftest import CUSTOMERS, Doctor


def test_without_anything_wrong_it_is_ready_and_says_what_it_cost(doctor: Doctor) -> None:
    answer = doctor.look()
    assert answer.content["verdict"] == "ready to sync"
    assert answer.status == 0
    assert answer.content["requests"] == doctor.sandbox.units() <= 60
    assert answer.names("warning") == answer.names("problem") == set()


def test_the_text_has_a_line_for_each_finding_and_ends_with_the_verdict(doctor: Doctor) -> None:
    text, content = doctor.read().text, doctor.look().content
    for finding in content["findings"]:
        assert f"  {finding['level']:<8} {finding['name']}" in text
    assert text.splitlines()[-1] == "ready to sync"
    assert "Spent of the org's budget: " in text.splitlines()[-2]


def test_the_json_has_the_shape_that_is_documented(doctor: Doctor) -> None:
    content = doctor.look().content
    top = {"version", "verdict", "exit_status", "org_id", "requests", "searches", "put_back", "findings"}
    assert set(content) == top
    assert (content["version"], content["exit_status"], content["put_back"]) == (1, 0, None)
    for finding in content["findings"]:
        assert set(finding) == {"section", "name", "level", "says", "advice", "value"}
        assert finding["level"] in ("ok", "warning", "problem", "unknown")


def test_nothing_is_written_anywhere(doctor: Doctor) -> None:
    with StateStore.open(f"sqlite:///{doctor.state}") as store:
        store.org(doctor.sandbox.org_id).set_fact("wire", "{}")
    with sqlite3.connect(doctor.state) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    before, warehouse = doctor.state.read_bytes(), (doctor.root / "warehouse.db").read_bytes()
    customers = doctor.sandbox.customers
    doctor.look()
    assert {(one.method, one.path) for one in doctor.sandbox.requests if one.method != "GET"} == {
        ("POST", "/v1/customers/search")
    }
    assert doctor.state.read_bytes() == before
    assert (doctor.root / "warehouse.db").read_bytes() == warehouse
    assert doctor.sandbox.customers == customers


def test_a_state_that_is_not_there_is_not_made(doctor: Doctor) -> None:
    finding = doctor.look().finding("state")
    assert "will be made" in finding["says"]
    assert list(doctor.root.glob("state.db*")) == []


def test_neither_key_nor_password_nor_anything_of_a_person_is_shown(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUSTOMER_STATE_URL", "postgresql+psycopg://me:geheim@127.0.0.1:1/state")
    record = next(iter(doctor.sandbox.customers))
    for answer in (doctor.read(), doctor.look(), doctor.read("--write-to", record)):
        for secret in ("rivate", "2125550", "2125551", "geheim", doctor.sandbox.api_key, "C-0"):
            assert secret not in answer.text


@pytest.mark.parametrize("version,level,words", [(1, "ok", "will be migrated"), (99, "problem", "newer version")])
def test_a_state_of_another_layout_is_named_and_left_alone(
    doctor: Doctor, version: int, level: str, words: str
) -> None:
    with sqlite3.connect(doctor.state) as connection:
        connection.execute("create table schema_version (version integer)")
        connection.execute("insert into schema_version values (?)", [version])
    before = doctor.state.read_bytes()
    finding = doctor.look().finding("state")
    assert finding["level"] == level
    assert words in finding["says"]
    assert version != SCHEMA_VERSION
    assert doctor.state.read_bytes() == before


@pytest.mark.parametrize("url", ["mysql://x", "no url", "sqlite:////dev/null/state.db"])
def test_a_state_that_cannot_be_used_is_a_problem(doctor: Doctor, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("KUSTOMER_STATE_URL", url)
    answer = doctor.look()
    assert answer.finding("state")["level"] == "problem"
    assert answer.status == 2
    assert answer.finding("key")["level"] == "ok"


def test_a_file_that_is_no_database_is_a_problem(doctor: Doctor) -> None:
    doctor.state.write_bytes(b"no database at all" * 100)
    assert doctor.look().finding("state")["level"] == "problem"


def test_a_run_that_writes_now_is_noticed(doctor: Doctor) -> None:
    with StateStore.open(f"sqlite:///{doctor.state}") as store, store.lock(doctor.sandbox.org_id):
        assert "a run is writing right now" in doctor.look().finding("lock")["says"]


def test_an_unreachable_warehouse_hides_nothing_of_kustomer(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", "postgresql+psycopg://me:geheim@127.0.0.1:1/warehouse")
    answer = doctor.look()
    assert answer.finding("warehouse")["level"] == "problem"
    assert answer.finding("key")["level"] == "ok"
    assert answer.finding("search with in, email")["level"] == "ok"
    assert answer.status == 2


def test_a_missing_driver_is_named_with_its_package(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", "snowflake://me:geheim@account/warehouse")
    assert "pip install" in doctor.look().finding("warehouse")["says"]


@pytest.mark.parametrize(
    "query,words", [("select * from nowhere", "no such table"), ("select id from people", "email, name, plan")]
)
def test_a_query_that_cannot_feed_its_sync_is_a_problem(doctor: Doctor, query: str, words: str) -> None:
    doctor.sync("customers", CUSTOMERS.replace("select * from people", query))
    finding = doctor.look().finding("query of customers")
    assert finding["level"] == "problem"
    assert words in finding["says"]


def test_a_fresh_project_needs_no_warehouse(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAREHOUSE_URL")
    for name in ("customers", "vip"):
        (doctor.folder / name / "defs.yaml").unlink()
        (doctor.folder / name).rmdir()
    answer = doctor.look()
    assert answer.finding("syncs")["value"] == []
    assert answer.finding("warehouse")["level"] == "unknown"
    assert answer.content["verdict"] == "ready to sync"


def test_without_any_setting_it_names_the_variables(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KUSTOMER_BASE_URL", "KUSTOMER_API_KEY", "KUSTOMER_STATE_URL", "WAREHOUSE_URL", "DAGSTER_HOME"):
        monkeypatch.delenv(name)
    answer = doctor.look()
    for name, variable in (("address and key", "KUSTOMER_API_KEY"), ("state", "DAGSTER_HOME"), ("warehouse", "WARE")):
        assert variable in answer.finding(name)["says"]
    assert answer.status == 2


def test_a_missing_dagster_yaml_is_a_warning(doctor: Doctor, dagster_home: Path) -> None:
    (dagster_home / "dagster.yaml").unlink()
    answer = doctor.look()
    assert answer.names("warning") == {"Dagster"}
    assert (answer.status, answer.content["verdict"]) == (1, "ready, with 1 warning")


def test_a_wrong_key_is_a_problem_and_nothing_else_is_asked(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUSTOMER_API_KEY", "wrong")
    answer = doctor.look()
    assert answer.finding("key")["level"] == "problem"
    assert "KUSTOMER_API_KEY" in answer.finding("key")["says"]
    assert len(doctor.sandbox.requests) == 1
    assert answer.content["verdict"].startswith("cannot sync: Key, org, region, key: ")


def test_an_unreachable_kustomer_is_a_problem(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUSTOMER_BASE_URL", "http://127.0.0.1:2")
    answer = doctor.look()
    assert "KUSTOMER_BASE_URL" in answer.finding("key")["advice"]
    assert answer.status == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_wrong_region_names_the_variable_to_change(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    said = "Auth token associated with pod prod2 but request is being handled by prod1"

    def client(**settings: object) -> object:
        return client_of(lambda request: httpx.Response(status, text=said)).client

    monkeypatch.setattr("kustomer_pipeline.resources.KustomerClient", client)
    finding = doctor.look().finding("key")
    assert "set KUSTOMER_REGION to eu" in finding["says"]
    assert "KUSTOMER_BASE_URL" in finding["advice"]


def test_a_role_that_a_sync_needs_is_a_problem_and_one_that_makes_it_cheaper_a_warning(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUSTOMER_API_KEY", doctor.sandbox.add_api_key(["org.user.customer.read"]))
    answer = doctor.look()
    missing = answer.finding("roles for customers")
    assert missing["value"] == ["org.permission.customer.create", "org.permission.customer.update"]
    assert missing["level"] == "problem"
    assert answer.status == 2


def test_a_key_with_four_roles_can_sync_and_is_told_what_that_costs(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUSTOMER_API_KEY", doctor.sandbox.add_api_key(FOUR_ROLES))
    answer = doctor.look()
    costs = [one for one in answer.content["findings"] if one["name"] == "a dearer way"]
    assert len(costs) == 3
    assert {one["level"] for one in costs} == {"warning"}
    assert answer.finding("customer")["level"] == "unknown"  # its custom attributes cannot be read
    assert answer.status == 1


def test_the_package_alone_lists_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "doctor" in capsys.readouterr().out


def test_the_command_line_answers_without_a_stack_trace(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "kustomer_pipeline", "doctor", "--json"], capture_output=True, text=True, cwd=tmp_path
    )
    assert ran.returncode == 2
    assert ran.stderr == ""
    assert '"verdict": "cannot sync' in ran.stdout
