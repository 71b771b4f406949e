"""The commands as a person meets them in a shell."""

import subprocess
import sys

import pytest

from kustomer_pipeline.__main__ import main


def test_without_a_command_the_commands_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "doctor" in capsys.readouterr().out


def test_a_reader_who_has_read_enough_gets_no_stack_trace() -> None:
    """As `doctor | head -1` is."""
    command = [sys.executable, "-m", "kustomer_pipeline", "doctor"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"PATH": ""}) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read().decode()
    assert "Traceback" not in said
