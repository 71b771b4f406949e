"""What the guides say of `dg dev` beside `dagster dev`: the same `.env`, and a look at every file before it starts."""

import os
import subprocess
from pathlib import Path

import pytest

from kustomer_pipeline.demo.local import answers, process, wait_for
from kustomer_pipeline.sandbox import Sandbox

from .test_first_sync import Ui, clone, free_port, sandbox

__all__ = ["clone", "sandbox"]

CUSTOMERS = """
type: kustomer_pipeline.ObjectSync
attributes:
  object: customers
  query: select 'C-1' as id, 'jane@acme.example' as email
  match_on: [externalId, email]
  fields: {externalId: id, email: email}
"""


def environment(folder: Path, home: Path) -> dict[str, str]:
    home.mkdir()
    return os.environ | {"DAGSTER_HOME": str(home), "PYTHONPATH": str(folder), "DAGSTER_DISABLE_TELEMETRY": "1"}


@pytest.mark.parametrize("options", [(), ("--no-check-yaml",)])
def test_dg_dev_reads_the_env_file_and_stops_at_a_mistake_unless_it_is_told_not_to_look(
    clone: Path, sandbox: Sandbox, tmp_path: Path, options: tuple[str, ...]
) -> None:
    warehouse = tmp_path / "warehouse.db"
    warehouse.touch()
    (clone / ".env").write_text(
        f"WAREHOUSE_URL=sqlite:///{warehouse}\nKUSTOMER_BASE_URL={sandbox.url}\nKUSTOMER_API_KEY={sandbox.api_key}\n"
    )
    syncs = clone / "kustomer_pipeline" / "defs"
    (syncs / "customers" / "defs.yaml").write_text(CUSTOMERS)
    port = free_port()
    command = [".venv/bin/dg", "dev", *options, "--port", str(port)]
    if options:
        (syncs / "companies" / "defs.yaml").write_text(CUSTOMERS.replace("match_on", "match"))
    log = tmp_path / "log"
    with process(command, log, environment=environment(clone, tmp_path / "home"), folder=clone) as running:
        wait_for(running, "dg dev", log, lambda: answers(f"http://127.0.0.1:{port}/server_info"))
        ui = Ui(port)
        run = ui.launch("sync_customers", {})
        wait_for(running, "The run", log, lambda: ui.has_ended(run))
    assert len(sandbox.customers) == 1
    assert "SupersessionWarning" not in log.read_text(encoding="utf-8")


def test_dg_dev_does_not_start_while_a_sync_has_a_mistake(clone: Path, tmp_path: Path) -> None:
    (clone / "kustomer_pipeline/defs/companies/defs.yaml").write_text(CUSTOMERS.replace("match_on", "match"))
    command = [".venv/bin/dg", "dev", "--port", str(free_port())]
    env = environment(clone, tmp_path / "home")
    done = subprocess.run(command, cwd=clone, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "'match' was unexpected" in done.stdout + done.stderr
