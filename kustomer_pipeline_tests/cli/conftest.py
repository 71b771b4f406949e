"""The command line in this process: a folder of syncs, a warehouse in SQLite, a sandbox as Kustomer; nobody waits."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kustomer_pipeline.__main__ import main
from kustomer_pipeline_tests.components.conftest import clock, pipeline, sandbox, warehouse_url
from kustomer_pipeline_tests.components.pipeline import Pipeline

__all__ = ["clock", "pipeline", "sandbox", "warehouse_url"]

CUSTOMERS = """
type: kustomer_pipeline.ObjectSync
attributes:
  object: customers
  query: select * from customers order by id
  match_on: [externalId, email]
  default_region: GB
  fields: {externalId: id, email: email, name: name, phone: phone, custom.planStr: plan}
"""
VIP = """
type: kustomer_pipeline.AudienceSync
attributes:
  tag: vip
  query: select email from vips
  mode: mirror
  match_on: [email]
  fields: {email: email}
"""


class Said:
    """What a command said, and its exit status."""

    def __init__(self, status: int, out: str, beside: str) -> None:
        self.status = status
        self.out = out
        self.beside = beside

    @property
    def json(self) -> Any:
        """The result, where it was to be JSON: nothing else is on the standard output."""
        return json.loads(self.out)

    def line(self, beginning: str) -> str:
        """The only line of the result that begins so, blanks aside."""
        [found] = [line.strip() for line in self.out.splitlines() if line.strip().startswith(beginning)]
        return found


class CommandLine:
    """`say` a command; `sync` writes one."""

    def __init__(self, folder: Path, pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.pipeline = pipeline
        self.sandbox = pipeline.sandbox
        self.state = folder.parent / "state.db"
        self._capsys = capsys

    def sync(self, name: str, text: str, **attributes: str) -> None:
        """Write a sync, with further attributes of it."""
        more = "".join(f"  {attribute}: {value}\n" for attribute, value in attributes.items())
        (self.folder / name).mkdir(exist_ok=True)
        (self.folder / name / "defs.yaml").write_text(text + more, encoding="utf-8")

    def say(self, *words: str) -> Said:
        """Run a command."""
        self._capsys.readouterr()
        try:
            status = main(words)
        except SystemExit as ended:  # as argparse ends
            status = int(ended.code or 0)
        out, beside = self._capsys.readouterr()
        return Said(status, out, beside)


@pytest.fixture
def cli(
    tmp_path: Path, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    """Two syncs: customers, and an audience of them."""
    folder = tmp_path / "syncs"
    folder.mkdir()
    monkeypatch.setenv("KUSTOMER_DEFS", str(folder))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*__import__("sys").path])
    line = CommandLine(folder, pipeline, capsys)
    line.sync("customers", CUSTOMERS)
    line.sync("vip", VIP)
    return line


@pytest.fixture
def nobody_there(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From when it is called on, Kustomer does not answer."""
    return lambda: monkeypatch.setenv("KUSTOMER_BASE_URL", "http://127.0.0.1:9")
