"""The command line as a process: on a terminal, in a pipe, when Ctrl+C is pressed."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kustomer_pipeline.sandbox import Sandbox
from kustomer_pipeline_tests.components.pipeline import Row, Warehouse, people
from kustomer_pipeline_tests.conftest import REPOSITORY

from .conftest import CUSTOMERS

PROGRAM = [sys.executable, "-m", "kustomer_pipeline"]
_LONGEST = 120.0  # seconds of a process; a busy machine is not a bug
_SGR = re.compile(r"\x1b\[[0-9;]*m")


class Shell:
    """Runs commands against a sandbox that listens. `on_terminal`: in a pseudo-terminal, which they cannot tell."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder = folder
        self.sandbox = sandbox
        (folder / "syncs" / "customers").mkdir(parents=True)
        (folder / "syncs" / "customers" / "defs.yaml").write_text(CUSTOMERS, encoding="utf-8")
        self.warehouse = Warehouse(f"sqlite:///{folder / 'warehouse.db'}")
        self.warehouse.execute("create table customers (id text, email text, name text, phone text, plan text)")
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(REPOSITORY),
            "KUSTOMER_DEFS": str(folder / "syncs"),
            "KUSTOMER_BASE_URL": sandbox.url,
            "KUSTOMER_API_KEY": sandbox.api_key,
            "KUSTOMER_STATE_URL": f"sqlite:///{folder / 'state.db'}",
            "WAREHOUSE_URL": f"sqlite:///{folder / 'warehouse.db'}",
        }

    def customers(self, rows: list[Row]) -> None:
        """What the warehouse holds from now on."""
        self.warehouse.execute("delete from customers")
        self.warehouse.insert("customers", rows)

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """In pipes, as CI does."""
        return subprocess.run(
            [*PROGRAM, *words],
            cwd=self.folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=_LONGEST,
        )

    def on_terminal(self, *words: str, at: Callable[[str], bool] | None = None, **environment: str) -> tuple[int, str]:
        """(exit status, what was on the screen). Ctrl+C is pressed as soon as `at` is true of what was there."""
        screen = {"TERM": "xterm", "COLUMNS": "140", "LINES": "40"}
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            os.execvpe(PROGRAM[0], [*PROGRAM, *words], {**self.environment, **screen, **environment})
        seen, end, pressed = b"", time.monotonic() + _LONGEST, False
        while time.monotonic() < end:
            if select.select([terminal], [], [], 0.05)[0]:
                try:
                    more = os.read(terminal, 65536)
                except OSError:  # the other side is closed
                    break
                if not more:
                    break
                seen += more
            if at is not None and not pressed and at(seen.decode(errors="replace")):
                os.write(terminal, b"\x03")
                pressed = True
        os.close(terminal)
        _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status), seen.decode(errors="replace")


def bulk_jobs(shell: Shell) -> int:
    """How many were handed in."""
    return sum("/bulk" in one.path for one in shell.sandbox.requests if one.method == "POST")


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with Sandbox(job_seconds=1.0) as sandbox:
        yield Shell(tmp_path, sandbox)


def test_on_a_terminal_there_are_colours_and_a_bar_that_goes_away(shell: Shell) -> None:
    shell.customers(people(120))
    status, screen = shell.on_terminal("run")
    assert status == 0
    assert "\x1b[1mcustomers\x1b[0m" in screen
    assert "━" in screen
    assert re.search(r"120 of 120 records, \d+ a second", screen)
    assert screen.count("\x1b[?25l") == screen.count("\x1b[?25h") > 0  # the cursor is back
    assert "120 rows read: 120 created." in _SGR.sub("", screen)


def test_nobody_gets_colours_who_does_not_want_them_and_ci_no_bar(shell: Shell) -> None:
    shell.customers(people(1))
    status, screen = shell.on_terminal("plan", NO_COLOR="1", CI="true")
    assert status == 2
    assert "+ C-1" in screen
    assert [code for code in _SGR.findall(screen) if re.search(r"3[0-7]|9[0-7]", code)] == []
    assert "━" not in screen


def test_in_a_pipe_it_is_plain_and_quiet_whatever_its_alphabet(shell: Shell) -> None:
    shell.customers(people(3))
    done = shell.run("plan", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (2, "")
    assert "\x1b" not in done.stdout
    assert "name: J\\u2026" in done.stdout


def test_ctrl_c_ends_a_run_in_order_and_the_next_one_goes_on(shell: Shell) -> None:
    shell.customers(people(250))
    shell.sandbox.jobs_take(3.0)
    status, screen = shell.on_terminal("run", at=lambda _: bulk_jobs(shell) > 0)
    assert status == 130
    said = _SGR.sub("", screen)
    assert re.search(r"cli-\w+ was interrupted: .*(created|under way).* run again to go on", said)
    assert "Traceback" not in said
    assert screen.count("\x1b[?25l") == screen.count("\x1b[?25h")
    done = shell.run("run")
    assert done.returncode == 0, done.stderr
    assert len(shell.sandbox.customers) == 250
    assert len({one["externalId"] for one in shell.sandbox.customers.values()}) == 250


def test_a_reader_who_has_read_enough_gets_no_stack_trace(shell: Shell) -> None:
    """As `plan --all | head -1` is."""
    shell.customers(people(3000))
    command = f"{' '.join(PROGRAM)} plan --all | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=shell.folder,
        env=shell.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=_LONGEST,
    )
    assert (done.returncode, done.stdout, done.stderr) == (141, "customers\n", "")
