"""A page, followed in this process: its syncs in a folder, the tables that it reads, its commands as they are written.

page → files_of → a folder of syncs ─┐
     → blocks   → its commands ──────┴→ Followed: types each in the page's order, with the ids of this very session
"""

import re
from pathlib import Path
from typing import Final

import pytest

from kustomer_pipeline_tests.cli.conftest import CommandLine, Said
from kustomer_pipeline_tests.components.pipeline import Pipeline
from kustomer_pipeline_tests.conftest import REPOSITORY
from kustomer_pipeline_tests.docs.blocks import blocks

WAREHOUSE: Final = """
create schema crm; create schema marts; create schema analytics;
create table crm.customers as select 'C-' || n as customer_id, 'jane' || n || '@acme.example' as email,
    'Jane ' || n as full_name, '+4420794600' || (10 + n) as mobile, 'A-1' as account_id, 'pro' as plan, 12.5 as ltv,
    case when mod(n, 2) = 0 then 'us' else 'eu' end as region, now() as updated_at from generate_series(1, ROWS) n;
create table analytics.customers as select *, true as is_vip from crm.customers;
create table marts.vip_customers as select email from crm.customers where plan = 'pro';
create table trial_users as select email from crm.customers;
create table marts.key_accounts as select 'A-1' as account_id;
create table crm.accounts as select 'A-1' as account_id, 'Acme' as account_name, 'large' as tier;
"""


def tables(rows: int = 8) -> str:
    """The tables that the pages read, in PostgreSQL, with so many customers."""
    return WAREHOUSE.replace("ROWS", str(rows))


def files_of(page: str) -> dict[str, str]:
    """The `defs.yaml` files of a page, by their path."""
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    said = re.search(r"a folder, say `(\w+)`", text)
    found = {}
    for block in blocks(REPOSITORY / page):
        if block.language == "yaml" and re.search(r"(?m)^type: ", block.text):
            path = re.match(r"# (?:kustomer_pipeline/defs/)?(\w+)/defs\.yaml\n", block.text)
            name = path[1] if path else said[1] if said else ""
            found[f"{name}/defs.yaml"] = block.text
    return found


class Followed(CommandLine):
    """A command line whose commands are those of a page, typed in its order."""

    def __init__(self, page: str, folder: Path, pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
        super().__init__(folder, pipeline, capsys)
        self.page = REPOSITORY / page
        self.left = [one for block in blocks(self.page) if block.language == "sh" for one in block.commands]
        for path, text in files_of(page).items():
            self.sync(path.partition("/")[0], text)

    def type(self, command: str, **instead: str) -> Said:
        """Run the page's next command, which is this one. instead: what stands in place of words of it here."""
        assert self.left.pop(0) == command
        return self.say(*(instead.get(word.replace("-", "_"), word) for word in command.split()[1:]))


def id_in(said: Said, command: str) -> str:
    """The id in the last line of what was said that shows this command."""
    return str(re.findall(rf"kustomer-pipeline {command} (\S+)", said.out)[-1])
